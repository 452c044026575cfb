"""What became of forecasts, and drift of inputs: by hand, and against a scaler fitted on the very rows."""

from dataclasses import replace
from datetime import date
from math import log

import polars as pl
import pytest

from internal.dates import next_session, previous_session, session_close, sessions
from internal.features.panel import build_panel
from internal.features.scaling import Scaler
from internal.features.splits import Block
from internal.features.variables import PRICE_VARIABLES, observe
from internal.schemas import equity_details
from portfoliomanager.forecast_monitoring import measure_drift, score_forecasts

DAY = date(2024, 12, 20)
BAND = {"quantile_10": -0.1, "quantile_50": 0.0, "quantile_90": 0.1}


def test_realized() -> None:
    """One truth inside the band, one above it, one that no close tells; the loss by hand."""
    later = next_session(DAY)
    predictions = pl.DataFrame([{"date": DAY, "ticker": name, "target_date": later, **BAND} for name in "ABC"])
    closes = pl.DataFrame(
        [
            {"ticker": name, "date": day, "close": close}
            for name, day, close in [("A", DAY, 10.0), ("A", later, 10.5), ("B", DAY, 20.0), ("B", later, 24.0)]
        ]
    )
    inside, above, low, high = log(1.05), log(1.2), log(0.9), log(1.1)
    first = 0.1 * (inside - low) + 0.5 * inside + 0.1 * (high - inside)
    second = 0.1 * (above - low) + 0.5 * above + 0.9 * (above - high)
    found = score_forecasts(predictions, closes)
    assert found is not None
    assert (2, 0.5, ((later, 0.5),)) == (found.targets, found.coverage, found.by_session)
    assert (first + second) / 6 == pytest.approx(found.loss)
    assert score_forecasts(predictions, closes.filter(pl.col("date") == DAY)) is None


@pytest.fixture
def bars() -> pl.DataFrame:
    """120 sessions of three names whose prices swing at their own speed."""
    days = sessions(previous_session(DAY, 119), DAY)
    rows: list[dict[str, object]] = []
    for number, ticker in enumerate("ABC", start=2):
        for place, day in enumerate(days):
            close = 50.0 + place * number % 7 + (place % (number + 3)) / 2
            row: dict[str, object] = {
                "ticker": ticker,
                "date": day,
                "timestamp": session_close(day),
                "open": close - 0.2,
                "high": close + 0.5,
                "low": close - 0.6,
                "close": close,
                "volume": 1e6 + 1e4 * (place % (3 * number)),
                "volume_weighted_average_price": close,
                "transactions": 100,
            }
            rows.append(row)
    return pl.DataFrame(rows, schema_overrides={"timestamp": pl.Datetime("ms", "UTC"), "transactions": pl.Int64})


def test_drift(bars: pl.DataFrame) -> None:
    """None against a scaler of the same rows; two deviations against one whose means are two deviations lower."""
    details = equity_details.empty()
    fold = Block(previous_session(DAY, 19), DAY)
    scaler = Scaler.fit(observe(build_panel(bars, details, end=DAY).frame), fold=fold)
    learnt = [name for name in scaler.variables if name not in PRICE_VARIABLES]
    assert dict.fromkeys(learnt, 0.0) == pytest.approx(measure_drift(bars, details, scaler, 20), abs=1e-9)
    means = tuple(mean - 2 * size for mean, size in zip(scaler.means, scaler.deviations, strict=True))
    moved = measure_drift(bars, details, replace(scaler, means=means), 20)
    assert dict.fromkeys(learnt, 2.0) == pytest.approx(moved)
