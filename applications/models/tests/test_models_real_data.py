"""On real bars before 2018: invalid rows are counted, and the baselines have their known order."""

from dataclasses import asdict
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from internal.features.panel import build_panel
from internal.forecasting.registry import Registry
from models.dataset import Dataset
from models.evaluate import evaluate
from models.tracking import FileTracker
from models.train import train

END = date(2017, 12, 29)


@pytest.mark.real_data
def test_order_of_the_baselines(tmp_path: Path, shared_data: Path) -> None:
    """HAR with earnings features, HAR, blended, rolling history on late 2017, each with a coverage near 80 %."""
    details = pl.read_parquet(shared_data / "us_equity_details.parquet")
    dividends = pl.col("adj_close") / pl.col("close")
    prices = [pl.col(name) * dividends for name in ("open", "high", "low", "close")]
    bars = pl.read_parquet(shared_data / "us_equity_bars_2015_2018.parquet").with_columns(pl.col("date").cast(pl.Date))
    bars = bars.with_columns(prices).filter(pl.col("date") <= END)
    report = build_panel(bars, details, end=END).report
    assert report.set_aside == {"malformed": 0, "not_a_session": 0, "not_traded": 39, "absurd_price": 0}
    dataset = Dataset(bars, details, date(2015, 1, 12), END, END, 0, asdict(report))
    tracker, registry = FileTracker(tmp_path, "run", {}), Registry(tmp_path / "registry")
    train(dataset, registry, tracker, model="heterogeneous_volatility")
    evaluation = evaluate(dataset, registry)
    order = [line.score.name for line in evaluation.lines if line.is_baseline]
    expected = ["clocked_volatility", "heterogeneous_volatility", "blended_volatility", "rolling_history"]
    assert [name for name in order if name in expected] == expected
    assert all(0.75 < line.score.coverage < 0.87 for line in evaluation.lines)
