"""Explanations through the forecaster: shares with names and dates, which move when the input does."""

from collections.abc import Callable
from dataclasses import fields
from datetime import date

import numpy as np
import polars as pl
import pytest

from internal.baselines.catalogue import BASELINES
from internal.baselines.model import BaselineModel
from internal.dates import next_session, sessions
from internal.errors import ConflictError, InvalidRequestError, NotFoundError
from internal.features.panel import build_panel
from internal.features.splits import Block
from internal.features.variables import KNOWN_VARIABLES, OBSERVED_VARIABLES, STATIC_VARIABLES, observe
from internal.forecasting.artifact import Artifact, save_artifact
from internal.forecasting.explanation import Explanation, ExplanationWeights, name_weights
from internal.forecasting.forecaster import Forecaster, PanelForecaster
from internal.model_registry import load_forecaster
from internal.tft.network_model import KIND, NetworkModel, encode_configuration
from libraries.python.tests.untrained_network import make_untrained_network

MakeBars = Callable[[int, date, date], pl.DataFrame]
MakeDetails = Callable[[int], pl.DataFrame]
START, DAY = date(2023, 1, 3), date(2024, 3, 15)
TICKERS = 4


@pytest.fixture(name="bars", scope="module")
def _bars(make_bars: MakeBars) -> pl.DataFrame:
    return make_bars(TICKERS, START, date(2024, 6, 28))


@pytest.fixture(name="details", scope="module")
def _details(make_details: MakeDetails) -> pl.DataFrame:
    return make_details(TICKERS)


@pytest.fixture(name="observed", scope="module")
def _observed(bars: pl.DataFrame, details: pl.DataFrame) -> pl.DataFrame:
    return observe(build_panel(bars, details, end=DAY).frame)


@pytest.fixture(name="network", scope="module")
def _network(observed: pl.DataFrame) -> NetworkModel:
    """A small network with its first weights, unequal enough to prefer something."""
    return make_untrained_network(observed, START)


@pytest.fixture(name="forecaster", scope="module")
def _forecaster(tmp_path_factory: pytest.TempPathFactory, network: NetworkModel) -> Forecaster:
    """The network, saved and loaded."""
    configuration = {"size": "small", "network": encode_configuration(network.configuration)}
    names = {name: list(one.names) for name, one in network.vocabularies.items()}
    scaler = network.scaler.to_json()
    folder = tmp_path_factory.mktemp("explained") / "artifact"
    save_artifact(folder, Artifact(KIND, network.arrays(), configuration, scaler, names, {}, 0, "test"))
    return load_forecaster(folder)


@pytest.fixture(name="explanation", scope="module")
def _explanation(forecaster: Forecaster, bars: pl.DataFrame, details: pl.DataFrame) -> Explanation:
    return forecaster.explain(bars, details, DAY, "T02")


def test_names_and_dates(forecaster: Forecaster, explanation: Explanation) -> None:
    """35 sessions up to the day and 7 after it, every variable by name, each target session sees up to itself."""
    assert explanation.model_version == forecaster.model_version
    past, future = sessions(START, DAY)[-35:], [next_session(DAY, step) for step in range(1, 8)]
    assert explanation.past.columns == ["date", *OBSERVED_VARIABLES, *KNOWN_VARIABLES]
    assert explanation.future.columns == ["date", *KNOWN_VARIABLES]
    assert tuple(explanation.static) == STATIC_VARIABLES
    assert (explanation.past["date"].to_list(), explanation.future["date"].to_list()) == (past, future)
    for step, target in enumerate(future, start=1):
        seen = explanation.attention.filter(horizon=step)
        assert seen["target_date"].unique().to_list() == [target]
        assert seen["date"].to_list() == [*past, *future[:step]]


def test_shares(explanation: Explanation) -> None:
    """Positive, and one in sum: each session's variables, the static ones, each target session's attention."""
    for frame in (explanation.past, explanation.future):
        weights = frame.drop("date").to_numpy()
        assert (weights > 0).all()
        np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)
    assert sum(explanation.static.values()) == pytest.approx(1, abs=1e-5)
    totals = explanation.attention.group_by("horizon").agg(pl.col("weight").sum())["weight"]
    np.testing.assert_allclose(totals.to_numpy(), 1, atol=1e-5)


def test_is_the_networks_own(network: NetworkModel, observed: pl.DataFrame) -> None:
    """One origin's weights are what the network says of it inside a batch of others."""
    origins = np.array([250, 260, 270], np.int64)
    alone = network.explain(observed, origins[[1]], 0)
    among = network.explain(observed, origins, 1)
    for field in fields(ExplanationWeights)[:4]:
        np.testing.assert_allclose(getattr(alone, field.name), getattr(among, field.name), atol=1e-6)
    other = network.explain(observed, origins, 2)
    assert (np.abs(other.past - among.past) > 1e-6).any()


def test_moves_with_its_input(
    forecaster: Forecaster, explanation: Explanation, bars: pl.DataFrame, details: pl.DataFrame
) -> None:
    """A surge of volume on one session moves that session's weights and the attention, and no earlier session's."""
    day = explanation.past["date"].to_list()[-3]
    surge = (pl.col("ticker") == "T02") & (pl.col("date") == day)
    changed = bars.with_columns(volume=pl.when(surge).then(pl.col("volume") * 50).otherwise(pl.col("volume")))
    moved = forecaster.explain(changed, details, DAY, "T02")
    before = pl.col("date") < day
    assert moved.past.filter(before).equals(explanation.past.filter(before))
    changes = np.abs(moved.past.drop("date").to_numpy() - explanation.past.drop("date").to_numpy()).max(axis=1)
    assert changes[-3] == changes.max() > 1e-4
    assert not moved.attention.equals(explanation.attention)
    assert moved.static == explanation.static
    assert moved.future.equals(explanation.future)


def test_later_bars_change_nothing(
    forecaster: Forecaster, explanation: Explanation, bars: pl.DataFrame, details: pl.DataFrame
) -> None:
    """Bars after the day, and of other tickers, are not looked at: removed, the explanation is the same to the bit."""
    seen = bars.filter(pl.col("date") <= DAY)
    for removed in (seen, seen.filter(ticker="T02")):
        found = forecaster.explain(removed, details, DAY, "T02")
        assert found.past.equals(explanation.past)
        assert found.future.equals(explanation.future)
        assert found.attention.equals(explanation.attention)
        assert found.static == explanation.static


def test_nothing_to_explain(
    forecaster: Forecaster, bars: pl.DataFrame, details: pl.DataFrame, observed: pl.DataFrame
) -> None:
    """An unknown ticker, a halted one, a Sunday and a baseline: each answer is a sentence."""
    with pytest.raises(NotFoundError, match="NONE has no forecast from 2024-03-15: there are no bars"):
        forecaster.explain(bars, details, DAY, "NONE")
    halted = bars.filter(~((pl.col("ticker") == "T01") & (pl.col("date") == DAY)))
    with pytest.raises(NotFoundError, match="no trade on 2024-03-15"):
        forecaster.explain(halted, details, DAY, "T01")
    with pytest.raises(InvalidRequestError, match="not a session"):
        forecaster.explain(bars, details, date(2024, 3, 17), "T01")
    baseline = BASELINES["rolling_history"].fit(observed, fold=Block(START, date(2023, 12, 29)))
    with pytest.raises(ConflictError, match="baseline"):
        PanelForecaster(BaselineModel(baseline), "v").explain(bars, details, DAY, "T01")


def test_dates_by_hand() -> None:
    """Two past sessions, two ahead: the first target does not see the second."""
    attention = np.array([[0.5, 0.3, 0.2, 0.0], [0.1, 0.2, 0.3, 0.4]])
    one = ExplanationWeights(np.ones((2, 1)), np.ones((2, 1)), np.ones(1), attention, ("close",), ("day",), ("ticker",))
    days = [date(2024, 3, day) for day in (11, 12, 13, 14)]
    found = name_weights(one, days[:2], days[2:], "v").attention
    assert found.select("horizon", "date", "weight").rows() == [
        *((1, day, weight) for day, weight in zip(days[:3], (0.5, 0.3, 0.2), strict=True)),
        *((2, day, weight) for day, weight in zip(days, (0.1, 0.2, 0.3, 0.4), strict=True)),
    ]
