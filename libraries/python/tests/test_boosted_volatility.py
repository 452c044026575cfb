"""Trees on HAR's scale: a planted multiplier that HAR cannot see is found, beside peers and never from the future."""

import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from internal.baselines import boosted_volatility, segment_parts
from internal.baselines.boosted_rows import BESIDE_PEERS, INPUT_COUNT, OWN_INPUTS, BoostedRows, ranges_ahead
from internal.baselines.boosted_volatility import BoostedVolatility, divide_by_date_mean
from internal.baselines.forecast import future_log_returns
from internal.dates import sessions_frame
from internal.errors import ArtifactError, InvalidRequestError
from internal.features.panel import build_panel
from internal.features.splits import Block
from internal.features.variables import observe
from internal.features.volatility_inputs import volatility_inputs
from internal.features.windows import find_origins
from internal.forecasting.artifact import Artifact, load_artifact, save_artifact
from internal.forecasting.quantiles import QUANTILES, STEPS

START, END = date(2021, 1, 4), date(2023, 6, 30)
FOLD = Block(START, date(2022, 12, 30))
SPELL, TICKERS = 10, 24


def _details() -> pl.DataFrame:
    names = [f"T{place:02}" for place in range(TICKERS)]
    return pl.DataFrame(
        {"ticker": names, "sector": ["Energy", "Utilities"] * (TICKERS // 2), "industry": ["Oil"] * TICKERS}
    )


def _bars() -> pl.DataFrame:
    """Spells of 10 sessions in which volume is usual, ten times as much or a tenth; either brings wide sessions.

    A straight line through the volume does not find it: much and little are on opposite sides of usual.
    """
    random, calendar = np.random.default_rng(3), sessions_frame(START, END).select("date")
    spells = calendar.height // SPELL + 2

    def ticker(place: int) -> pl.DataFrame:
        kind = np.repeat(random.integers(0, 4, spells), SPELL)[place % SPELL :][: calendar.height]
        unusual = np.concatenate([[False], (kind > 1)[:-1]])
        size = np.where(unusual, 3.0, 1.0)
        moves = random.normal(0, 0.006, calendar.height) * size
        close = 50 * np.exp(np.cumsum(moves))
        wide = 1 + np.abs(random.normal(0, 0.002, (2, calendar.height))) * size
        volume = 1e6 * np.select([kind == 2, kind == 3], [10.0, 0.1], 1.0) * random.lognormal(0, 0.05, calendar.height)
        opened = np.concatenate([[50.0], close[:-1]]) * np.exp(random.normal(0, 0.001, calendar.height) * size)
        return calendar.with_columns(
            pl.lit(f"T{place:02}").alias("ticker"),
            open=pl.Series(opened),
            high=pl.Series(np.maximum(close, opened) * wide[0]),
            low=pl.Series(np.minimum(close, opened) / wide[1]),
            close=pl.Series(close),
            volume=pl.Series(np.round(volume)),
            volume_weighted_average_price=pl.Series(close),
        )

    return pl.concat(ticker(place) for place in range(TICKERS))


@pytest.fixture(name="bars", scope="module")
def _fixture_bars() -> pl.DataFrame:
    return _bars()


@pytest.fixture(name="observed", scope="module")
def _observed(bars: pl.DataFrame) -> pl.DataFrame:
    return observe(build_panel(bars, _details(), end=END).frame)


@pytest.fixture(name="fitted", scope="module")
def _fitted(observed: pl.DataFrame) -> BoostedVolatility:
    return BoostedVolatility.fit(observed, fold=FOLD)


def test_planted_multiplier(observed: pl.DataFrame, fitted: BoostedVolatility) -> None:
    """At the first session of a spell of unusual volume, after a usual one, the interval widens more than HAR's."""
    surprise, before = pl.col("past_volume_surprise"), pl.col("past_volume_surprise").shift(1).over("segment")
    usual = before.abs() < 0.3
    unusual = observed.select((surprise.abs() > 1.5) & usual).to_series().fill_null(value=False).to_numpy()
    calm = observed.select((surprise.abs() < 0.3) & usual).to_series().fill_null(value=False).to_numpy()
    later = observed.select(pl.col("date") > FOLD.last).to_series().to_numpy()
    ratios = {}
    for name, scales in {"har": fitted.scale.scales(observed), "boosted": fitted.scales(observed)}.items():
        ratios[name] = np.median(scales.daily[later & unusual, 0]) / np.median(scales.daily[later & calm, 0])
    assert ratios["boosted"] > 1.15 * ratios["har"]


def test_returns_of_every_row_are_pooled(observed: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trees see rows with a year before them, the quantiles all: so many returns of the fold are below each of them."""
    monkeypatch.setattr(boosted_volatility, "ENOUGH_ROWS", 1)
    fitted = BoostedVolatility.fit(observed, fold=FOLD)
    ahead, forecast = future_log_returns(observed, last=FOLD.last), fitted.quantiles(observed).cumulative
    rows = find_origins(observed, FOLD)
    rows = rows[np.isfinite(ahead[rows]).all(axis=1) & np.isfinite(forecast[rows]).all(axis=(1, 2))]
    below = (ahead[rows][..., None] <= forecast[rows]).mean(axis=0)
    assert below == pytest.approx(np.tile(QUANTILES, (len(STEPS), 1)), abs=2 / len(rows))


def test_relative_by_hand() -> None:
    """Each value over its own date's mean: the date's level is gone."""
    days = pl.Series([date(2024, 1, 2), date(2024, 1, 2), date(2024, 1, 3)])
    assert divide_by_date_mean(np.array([1.0, 3.0, 40.0]), days).tolist() == [0.5, 1.5, 1.0]


def test_ranges_by_hand(observed: pl.DataFrame) -> None:
    """Three sessions ahead: Garman and Klass' variance of that session's prices, plus its squared overnight gap."""
    rows, place = observed.filter(pl.col("ticker") == "T03"), 300
    before, (opened, high, low, close) = rows["close"][place + 2], rows["open", "high", "low", "close"].row(place + 3)
    inside = np.log(high / low) ** 2 / 2 - (2 * np.log(2) - 1) * np.log(close / opened) ** 2
    found = ranges_ahead(observed)[observed["ticker"].to_numpy() == "T03"]
    assert found[place, 2] == pytest.approx(np.sqrt(inside + np.log(opened / before) ** 2))
    assert np.isnan(found[-3]).tolist() == [False, False, True, True, True, True, True]


def test_inputs_of_a_date(observed: pl.DataFrame, fitted: BoostedVolatility, monkeypatch: pytest.MonkeyPatch) -> None:
    """A date's rows have HAR's inputs minus Polars' mean of them, whatever the parts in which the panel is read."""
    day = observed.select(pl.arg_where(pl.col("date") == date(2023, 3, 15))).to_series().to_numpy()
    rows = BoostedRows.of(observed, fitted.scale, day[:1])
    expected = pl.DataFrame(volatility_inputs(observed)[day][:, OWN_INPUTS]).select(pl.all() - pl.all().mean())
    assert rows.number.tolist() == day.tolist()
    assert rows.inputs.values.shape == (INPUT_COUNT, TICKERS)
    assert rows.inputs.values[: BESIDE_PEERS - 1].T == pytest.approx(expected.to_numpy(), abs=1e-13)
    assert rows.scales.values[-1] == pytest.approx(fitted.scale.scales(observed).cumulative[day, -1], rel=1e-13)
    monkeypatch.setattr(segment_parts, "PART_ROWS", 1)
    assert BoostedRows.of(observed, fitted.scale, day[:1]).inputs.values.tobytes() == rows.inputs.values.tobytes()


@pytest.mark.parametrize("factor", [None, 2.0, float("nan")])
def test_later_bars_change_nothing(
    bars: pl.DataFrame, observed: pl.DataFrame, fitted: BoostedVolatility, factor: float | None
) -> None:
    """Fit and forecast are bit-equal when everything after the day is removed, doubled or not a number."""
    day = date(2023, 4, 14)
    prices = [pl.when(pl.col("date") > day).then(pl.col(name) * factor).otherwise(pl.col(name)).alias(name)
              for name in ("open", "high", "low", "close")]  # fmt: skip
    poisoned = bars.filter(pl.col("date") <= day) if factor is None else bars.with_columns(prices)
    frame = observe(build_panel(poisoned, _details(), end=day if factor is None else END).frame)

    def answer(frame: pl.DataFrame, model: BoostedVolatility) -> bytes:
        forecast = model.quantiles(frame)
        rows = frame.select(pl.col("date") <= day).to_series().to_numpy()
        return np.stack([forecast.cumulative[rows], forecast.daily[rows]]).tobytes()

    assert answer(frame, BoostedVolatility.fit(frame, fold=FOLD)) == answer(observed, fitted)


def test_through_an_artifact(tmp_path: Path, observed: pl.DataFrame, fitted: BoostedVolatility) -> None:
    """Saved and loaded, it forecasts the same bits."""
    plain: dict[str, Any] = {"scaler": {}, "vocabulary": {}, "metrics": {}, "configuration": {}}
    artifact = Artifact(kind=fitted.kind, arrays=fitted.to_arrays(), bars_version=0, code_revision="x", **plain)
    save_artifact(tmp_path / "artifact", artifact)
    restored = BoostedVolatility.from_arrays(dict(load_artifact(tmp_path / "artifact").arrays))
    assert restored.quantiles(observed).daily.tobytes() == fitted.quantiles(observed).daily.tobytes()


def test_tampered_arrays_are_refused(fitted: BoostedVolatility) -> None:
    """A part that is missing or does not fit is named."""
    arrays = fitted.to_arrays()
    features = arrays["trees.features"].copy()
    features[0] = INPUT_COUNT
    for name, array, reason in (
        ("trees.features", features, f"beyond the {INPUT_COUNT}"),
        ("scale.center", np.zeros(3), "center"),
        ("daily", np.zeros(3), "daily"),
    ):
        with pytest.raises(ArtifactError, match=reason):
            BoostedVolatility.from_arrays(arrays | {name: array})
    with pytest.raises(ArtifactError, match="roots is missing"):
        BoostedVolatility.from_arrays({name: array for name, array in arrays.items() if name != "trees.roots"})


def test_empty_fold_is_refused(observed: pl.DataFrame) -> None:
    """A fold without a row is refused with its dates."""
    with pytest.raises(InvalidRequestError, match="1999-01-04"):
        BoostedVolatility.fit(observed, fold=Block(date(1999, 1, 4), date(1999, 6, 1)))


def test_nothing_is_imported_before_a_fit() -> None:
    """Neither the catalogue nor the question which baselines can be fitted imports LightGBM, which takes seconds."""
    words = (
        "import sys; from internal.baselines.catalogue import fittable_baselines; "
        "kinds = fittable_baselines(); "
        "sys.exit('boosted_volatility' not in kinds or 'lightgbm' in sys.modules or 'scipy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", words], check=False).returncode == 0  # noqa: S603 - fixed words
