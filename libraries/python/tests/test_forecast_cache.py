"""Forecast tables: honest, equal to the baselines' forecasts, named by content, made again when a file is damaged."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from internal.baselines.catalogue import BASELINES
from internal.baselines.volatility import BlendedVolatility
from internal.baselines.walk_forward import refit_blocks, walk_forward_forecasts
from internal.dates import next_session, previous_session, sessions
from internal.errors import ArtifactError, InvalidRequestError, UnavailableError
from internal.features.panel import build_panel
from internal.features.splits import Block
from internal.features.variables import observe
from internal.features.windows import find_origins
from internal.forecast_cache import RefittedBaseline, RegisteredModel, forecast_table, table_key
from internal.forecasting.artifact import Artifact, save_artifact
from internal.forecasting.forecast_table import ForecastTable, read_forecast_table
from internal.forecasting.forecaster import REQUIRED_HISTORY
from internal.forecasting.quantiles import QUANTILE_COLUMNS, QUANTILES, STEPS
from internal.model_registry import load_forecaster
from internal.tft.network_model import KIND, encode_configuration
from libraries.python.tests.full_disk import limit_files
from libraries.python.tests.untrained_network import make_untrained_network

MakeBars = Callable[[int, date, date], pl.DataFrame]
MakeDetails = Callable[[int], pl.DataFrame]
START, FIRST, LAST, END = date(2022, 1, 3), date(2023, 6, 30), date(2023, 10, 31), date(2023, 12, 29)
EVERY = 30
TICKERS = 6
SOURCE = RefittedBaseline("blended_volatility", EVERY)
PRICES = ("open", "high", "low", "close")


@pytest.fixture(name="bars", scope="module")
def _bars(make_bars: MakeBars) -> pl.DataFrame:
    return make_bars(TICKERS, START, END)


@pytest.fixture(name="details", scope="module")
def _details(make_details: MakeDetails) -> pl.DataFrame:
    return make_details(TICKERS)


@pytest.fixture(name="compute")
def _compute(bars: pl.DataFrame, details: pl.DataFrame, tmp_path: Path) -> Callable[..., ForecastTable]:
    return partial(forecast_table, bars, details, SOURCE, first=FIRST, last=LAST, folder=tmp_path)


def test_blocks_follow_each_other() -> None:
    """The blocks hold every session once; each but the last has the length that was asked for."""
    blocks = refit_blocks(FIRST, LAST, EVERY)
    assert [day for block in blocks for day in sessions(block.first, block.last)] == sessions(FIRST, LAST)
    assert {len(sessions(block.first, block.last)) for block in blocks[:-1]} == {EVERY}


@pytest.mark.parametrize("kind", ["blended_volatility", "conditional_variance", "rolling_history"])
def test_forecasts_are_the_fitted_baselines(bars: pl.DataFrame, details: pl.DataFrame, kind: str) -> None:
    """A session's row is what the baseline, fitted on a panel that ends with the block's first session, forecasts."""
    frame = observe(build_panel(bars, details, end=END).frame)
    table = walk_forward_forecasts(frame, kind, refit_blocks(FIRST, LAST, EVERY), (2, 7))
    day = next_session(FIRST, EVERY + 11)
    cut, fold = frame.filter(pl.col("date") <= day), Block(START, next_session(FIRST, EVERY))
    model = BASELINES[kind].fit(frame.filter(pl.col("date") <= fold.last), fold=fold)
    expected = model.quantiles(cut).cumulative[find_origins(cut, Block(day, day))]
    assert table.quantiles[table.days.index(day)] == pytest.approx(np.expm1(expected[:, [1, 6]]))


@pytest.mark.parametrize("after", [EVERY, EVERY + 11])
@pytest.mark.parametrize("kind", ["blended_volatility", "adaptive_volatility"])
def test_later_bars_change_no_bit(
    bars: pl.DataFrame, details: pl.DataFrame, tmp_path: Path, kind: str, after: int
) -> None:
    """The forecasts up to a session are the same bits when later bars are poisoned, and when there are none.

    A ticker is halted around a refit: whether its last returns may be fitted on depends on the sessions up to it alone.
    """
    day, source = next_session(FIRST, after), RefittedBaseline(kind, EVERY)
    halt = [next_session(FIRST, EVERY + offset) for offset in (-1, 0, 1)]
    bars = bars.filter((pl.col("ticker") != "T02") | ~pl.col("date").is_in(halt))
    poisoned = bars.with_columns(
        pl.when(pl.col("date") > day).then(pl.col(price) * 1.7).otherwise(pl.col(price)) for price in PRICES
    )
    whole, other, cut = (
        forecast_table(one, details, source, first=FIRST, last=last, folder=tmp_path)
        for one, last in ((bars, LAST), (poisoned, LAST), (bars, day))
    )
    count = len(cut.days)
    assert cut.days[-1] == day
    assert whole.quantiles[:count].tobytes() == other.quantiles[:count].tobytes() == cut.quantiles.tobytes()
    assert (whole.quantiles[count:] != other.quantiles[count:]).any()


def test_a_table_is_read_when_it_is_there(compute: Callable[..., ForecastTable], tmp_path: Path) -> None:
    """The second call reads the file, with the same labels and bits."""
    made = compute()
    (path,) = tmp_path.iterdir()
    written = path.stat().st_mtime_ns
    again = compute()
    assert path.stat().st_mtime_ns == written
    assert again.quantiles.tobytes() == made.quantiles.tobytes()
    assert replace(again, quantiles=made.quantiles) == made


def test_everything_is_in_the_key(bars: pl.DataFrame, details: pl.DataFrame) -> None:
    """Another price, sector, kind, schedule, span or horizon gives another key; another order of rows does not."""

    def key(
        bars: pl.DataFrame = bars, details: pl.DataFrame = details, last: date = LAST, *, every: int = EVERY
    ) -> str:
        return table_key(bars, details, replace(SOURCE, refit_sessions=every), first=FIRST, last=last, horizons=(7,))

    price = bars.with_columns(close=pl.when(pl.int_range(pl.len()) == 5).then(1.0).otherwise("close"))
    sector = details.with_columns(sector=pl.lit("Energy"))
    keys = [key(), key(price), key(details=sector), key(last=END), key(every=EVERY + 1)]
    assert len(set(keys)) == len(keys)
    assert key(bars.sample(fraction=1, shuffle=True, seed=1), details.reverse()) == key()


@pytest.mark.parametrize("content", [b"", b"no table", None])
def test_a_damaged_file_is_replaced(
    compute: Callable[..., ForecastTable], tmp_path: Path, content: bytes | None
) -> None:
    """A file with other bytes, or one bit flipped, is reported and computed again."""
    made, messages = compute(), list[str]()
    (path,) = tmp_path.iterdir()
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole if content is None else content)
    with pytest.raises(ArtifactError, match="damaged"):
        read_forecast_table(path)
    assert compute(on_message=messages.append).quantiles.tobytes() == made.quantiles.tobytes()
    assert len(messages) == 1
    assert read_forecast_table(path).quantiles.tobytes() == made.quantiles.tobytes()


def test_full_disk(compute: Callable[..., ForecastTable], tmp_path: Path) -> None:
    """Forecasts that cannot be written are an error that names the file; nothing is left of it."""
    with limit_files(1000), pytest.raises(UnavailableError, match=r"file of forecasts .*npz .* free some disk space"):
        compute()
    assert list(tmp_path.iterdir()) == []


def test_two_at_once(compute: Callable[..., ForecastTable], tmp_path: Path) -> None:
    """Two that compute the same table at once leave one whole file."""
    with ThreadPoolExecutor(2) as pool:
        one, other = (begun.result() for begun in [pool.submit(compute) for _ in range(2)])
    (path,) = tmp_path.iterdir()
    assert one.quantiles.tobytes() == other.quantiles.tobytes() == read_forecast_table(path).quantiles.tobytes()


def test_a_registered_model_forecasts_what_it_has_not_seen(
    bars: pl.DataFrame, details: pl.DataFrame, tmp_path: Path
) -> None:
    """Sessions before the artifact's test block are empty; later ones are the model's forecasts."""
    begin, fold = next_session(FIRST, 10), Block(START, FIRST)
    frame = observe(build_panel(bars, details, end=LAST).frame)
    model = BlendedVolatility.fit(frame, fold=fold)
    artifact = Artifact(
        kind=model.kind,
        arrays=model.to_arrays(),
        configuration={"fold": {"test_first": begin.isoformat()}},
        scaler={},
        vocabulary={},
        metrics={},
        bars_version=0,
        code_revision="test",
    )
    save_artifact(tmp_path / "model", artifact)
    source = RegisteredModel(tmp_path / "model")
    table = forecast_table(bars, details, source, first=FIRST, last=LAST, folder=tmp_path, horizons=(3,))
    assert np.isnan(table.quantiles[:10]).all()
    assert np.isfinite(table.quantiles[10:]).all()
    rows = find_origins(frame, Block(LAST, LAST))
    expected = np.expm1(model.quantiles(frame).cumulative[rows, 2])
    assert table.bands(3)[-1] == pytest.approx(expected, rel=1e-3)  # its history is 320 sessions
    with pytest.raises(InvalidRequestError, match="has seen"):
        forecast_table(bars, details, source, first=START, last=FIRST, folder=tmp_path)


def test_a_registered_network_forecasts(bars: pl.DataFrame, details: pl.DataFrame, tmp_path: Path) -> None:
    """An ensemble's table is what its forecaster answers from the bars up to the day."""
    model = make_untrained_network(observe(build_panel(bars, details, end=END).frame), START)
    artifact = Artifact(
        kind=KIND,
        arrays=model.arrays(),
        configuration={
            "network": encode_configuration(model.configuration),
            "fold": {"test_first": next_session(LAST).isoformat()},
        },
        scaler=model.scaler.to_json(),
        vocabulary={name: list(vocabulary.names) for name, vocabulary in model.vocabularies.items()},
        metrics={},
        bars_version=0,
        code_revision="test",
    )
    save_artifact(tmp_path / "model", artifact)
    day = next_session(LAST, 3)
    table = forecast_table(bars, details, RegisteredModel(tmp_path / "model"), first=LAST, last=day, folder=tmp_path)
    history = bars.filter(pl.col("date").is_between(previous_session(day, REQUIRED_HISTORY - 1), day))
    answer = load_forecaster(tmp_path / "model").forecast(history, details, day, bars_version=0).frame
    expected = answer.select(*QUANTILE_COLUMNS).to_numpy().reshape(TICKERS, len(STEPS), len(QUANTILES))
    assert np.isnan(table.quantiles[0]).all()
    # the table's history begins two sessions earlier, which the slow adaptation of a sector of few tickers remembers
    assert table.quantiles[-1] == pytest.approx(expected, rel=4e-3)


def test_bad_requests_are_refused(compute: Callable[..., ForecastTable], bars: pl.DataFrame, tmp_path: Path) -> None:
    """A span without sessions, an unknown kind or horizon, and a first day without history are named."""
    with pytest.raises(InvalidRequestError, match="longer span"):
        compute(first=date(2023, 7, 1), last=date(2023, 7, 2))
    with pytest.raises(InvalidRequestError, match="choose one of"):
        forecast_table(
            bars,
            bars.select("ticker", sector="ticker", industry="ticker").unique(),
            RefittedBaseline("magic"),
            first=FIRST,
            last=LAST,
            folder=tmp_path,
        )
    with pytest.raises(InvalidRequestError, match="ask for it"):
        compute(horizons=(1, 2)).bands(7)
    with pytest.raises(InvalidRequestError, match="training fold"):
        compute(first=START)
    assert len(list(tmp_path.iterdir())) == 1
