"""On real bars: invalid rows are counted, baselines have their known order, the combination is near its best member."""

from dataclasses import asdict
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from benchmarks.published_evaluation import load_real_dataset
from internal.baselines.expert_aggregation import ExpertAggregation
from internal.baselines.forecast import future_log_returns, to_daily
from internal.features.panel import build_panel
from internal.features.splits import Block
from internal.features.windows import find_origins
from internal.forecasting.registry import Registry
from internal.forecasting.scoring import pinball_loss
from models.dataset import Dataset
from models.evaluate import evaluate
from models.folds import observe_dataset
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


@pytest.fixture(name="observed", scope="module")
def _observed(shared_data: Path) -> pl.DataFrame:
    return observe_dataset(load_real_dataset(shared_data))


@pytest.mark.long
@pytest.mark.real_data
@pytest.mark.parametrize(("year", "half"), [(2015, 2), (2016, 1), (2016, 2), (2017, 1), (2017, 2), (2018, 1)])
def test_combination_is_near_its_best_member(observed: pl.DataFrame, year: int, half: int) -> None:
    """Fitted to the half-year before, its loss is at most 0.1 % above the best of three kinds, daily and cumulative."""
    first, last = (date(year, 1, 1), date(year, 6, 20)) if half == 1 else (date(year, 7, 1), date(year, 12, 31))
    known = observed.filter(pl.col("date") < first).get_column("date")
    fold = Block(min(known), max(known))
    fitted = ExpertAggregation.fit(observed.filter(pl.col("date") <= fold.last), fold=fold)
    rows = find_origins(observed, Block(first, last))
    ahead = future_log_returns(observed, last=date.max)[rows]
    whole = np.isfinite(ahead).all(axis=1)
    each = [
        one.quantiles(observed, rows[whole]) for one in (fitted, fitted.boosted.scale, fitted.adaptive, fitted.boosted)
    ]
    for truth, forecasts in (
        (ahead[whole], [one.cumulative for one in each]),
        (to_daily(ahead[whole]), [one.daily for one in each]),
    ):
        combined, *members = (pinball_loss(truth, one).mean() for one in forecasts)
        assert combined < 1.001 * min(members)
