"""The published page: its figures are those of the forecasts, its looks add up, and the site's navigation has it."""

import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from benchmarks.expert_losses import forecast_trees, score_trees
from benchmarks.published_evaluation import LOOKS, PLAN, Compared, write_page
from benchmarks.tuned_blend import RECENT_SHARES, TunedBlend, tune_blend
from internal.baselines.expert_aggregation import ExpertAggregation
from internal.dates import next_session, sessions
from internal.features.splits import Block
from internal.features.windows import find_origins
from internal.forecasting.quantiles import RowQuantiles
from models.comparison import compare_forecasts
from models.dataset import Dataset
from models.folds import choose_fold, observe_dataset
from models.traits import Trait
from models.truth import Truth

ROOT = Path(__file__).parents[3]
TICKERS, DAYS, TABLES = 4, 60, 7


@pytest.fixture(name="page", scope="module")
def _page() -> str:
    """Two folds of 30 sessions: every return is 1 %, one forecast is 0 to 2 %, the networks' to 3, the other to 4."""
    days = sessions(date(2024, 1, 2), date(2024, 6, 28))[:DAYS]
    rows = TICKERS * DAYS
    truth = Truth(
        dates=pl.Series([day for day in days for _ in range(TICKERS)]),
        cumulative=np.full((rows, 7), 0.01),
        daily=np.full((rows, 7), 0.01),
        volatility=np.tile(np.arange(1, TICKERS + 1) / 100, DAYS),
        sectors=pl.Series(["Energy", "Utilities"] * (rows // 2)),
        folds=np.repeat([0, 1], rows // 2),
        tickers=pl.Series([f"T{place:02}" for place in range(TICKERS)] * DAYS),
        traits={Trait.VOLATILITY: np.tile(np.arange(TICKERS) + 1.0, DAYS)},
    )

    def forecast(upper: float) -> RowQuantiles:
        each = np.broadcast_to([0.0, 0.01, upper], (rows, 7, 3)).copy()
        return RowQuantiles(each, each)

    small = PLAN.evaluated_model().name
    forecasts = {"blended_volatility": forecast(0.04), "expert_aggregation": forecast(0.02), small: forecast(0.03)}
    forecasts["adaptive_volatility"] = forecast(0.025)
    ends = [date(2023, 12, 29), days[DAYS // 2 - 1]]
    tuned = [TunedBlend(0.91, 0.7, rows // 2, losses) for losses in ((0.001, 0.002), (0.002, 0.001))]
    breaks = {name: [f"{name} {place}" for place in range(5)] for name in forecasts}
    compared = Compared(tuned, [(0.0006, 0.0012), (0.0012, 0.0006)])
    return write_page(compare_forecasts("x", small, truth, forecasts.items(), ends), compared, breaks)


def test_losses_by_hand(page: str) -> None:
    """0.1 x 1 % below and 0.1 x 1 % above, over three quantiles: 6.667e-4. The other: 0.1 x 3 % above, twice that."""
    assert "| `expert_aggregation` | 6.667 | -50.00 (-50.00 to -50.00) | 6.667 | -50.00 (-50.00 to -50.00) |" in page
    assert "| `blended_volatility` | 13.333 | - | 13.333 | - |" in page
    assert "| `expert_aggregation` | -50.00 / -50.00 | -50.00 / -50.00 |" in page
    networks = "| `temporal_fusion_transformer` | "
    assert f"{networks}10.000 | -25.00 (-25.00 to -25.00) | 10.000 | -25.00 (-25.00 to -25.00) |" in page
    assert f"{networks}**-25.00 / -25.00** | **-25.00 / -25.00** |" in page
    assert page.count(networks) == page.count("| `blended_volatility` | ") == TABLES


def test_coverage_by_hand(page: str) -> None:
    """Every return is inside, in each group."""
    assert "| `expert_aggregation` | " + "100.0 | " * 7 + "100.0 (Energy) to 100.0 (Utilities) |" in page


def test_best_and_tuned_by_hand(page: str) -> None:
    """13.333 is twice the lowest loss, 6.667. A tuned reference of 10 is 25 % better than that, one of 20 is unused."""
    assert "| `blended_volatility` | +100.00 / +100.00 | +100.00 / +100.00 |" in page
    assert (
        "| decay and share | 0.91, 0.7 | 0.91, 0.7 |\n| tuned against fixed | -25.00 / +50.00 | +50.00 / -25.00 |"
        in page
    )
    assert "| `expert_aggregation` | -33.33 / -50.00 | -50.00 / -33.33 |" in page


def test_experts_by_hand(page: str) -> None:
    """6.667 is 11.1 % above trees of 6; the adaptive one has 0.1 x (1 + 1.5) % over three, 8.333."""
    assert "| `expert_aggregation` | +11.11 / -20.00 | -20.00 / +11.11 |" in page
    assert "| `adaptive_volatility` | +38.89 / +0.00 | +0.00 / +38.89 |" in page
    assert "| trees | +0.00 / +44.00 | +44.00 / +0.00 |" in page


def test_experts_are_those_of_the_aggregation(make_dataset: Callable[[int, date, date], Dataset]) -> None:
    """Until a loss is known the aggregation is the mean of both; the trees' losses are of all test rows."""
    frame = observe_dataset(make_dataset(6, date(2022, 1, 3), date(2024, 6, 28)), for_networks=False)
    fold = choose_fold(frame)
    fitted = ExpertAggregation.fit(frame, fold=Block(fold.training.first, fold.validation.last))
    day = next_session(fold.validation.last)
    first = find_origins(frame, Block(day, day))
    trees, adaptive, combined = (
        forecast_trees(fitted, frame, first),
        fitted.adaptive.quantiles(frame, first),
        fitted.quantiles(frame, first),
    )
    np.testing.assert_allclose(
        combined.cumulative, (trees.cumulative + adaptive.cumulative) / 2, rtol=1e-6
    )  # experts are stored as f32
    np.testing.assert_allclose(
        combined.daily, (trees.daily + adaptive.daily) / 2, rtol=1e-6
    )  # experts are stored as f32
    (daily, cumulative), count = score_trees(frame, fold)
    assert count == 6 * len(sessions(fold.test.first, fold.test.last))
    assert 0 < daily < cumulative


def test_reference_is_tuned_before_its_fold(make_dataset: Callable[[int, date, date], Dataset]) -> None:
    """Where volatility changes fivefold every 60 sessions, the long run is no help; later prices change no choice."""
    walks = observe_dataset(make_dataset(4, date(2022, 1, 3), date(2024, 6, 28)), for_networks=False)
    moves = pl.col("log_return").fill_null(0.0) * (1 + pl.col("session") // 60 % 2 * 4)
    frame = walks.with_columns(log_return=moves, close=moves.cum_sum().over("segment").exp() * 50)
    fold = choose_fold(frame)
    poisoned = frame.with_columns(
        pl.when(pl.col("date") > fold.validation.last).then(pl.col(name) * 2).otherwise(pl.col(name))
        for name in ("close", "log_return")
    )
    chosen, other = tune_blend(frame, fold), tune_blend(poisoned, fold)
    assert chosen.recent_share == max(RECENT_SHARES)
    assert (chosen.decay, chosen.recent_share) == (other.decay, other.recent_share)
    assert chosen.losses != other.losses


def test_looks_add_up(page: str) -> None:
    """The page names every look and how many configurations were scored on 2018."""
    assert f"{len(LOOKS)} times, with {sum(look.configurations for look in LOOKS)} configurations" in page
    assert all(look.reason in page for look in LOOKS)


def test_page_is_published() -> None:
    """The page that is in the repository has these looks, and the site shows it."""
    published = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
    assert all(f"| {look.day} | {look.reason} | {look.configurations} |" in published for look in LOOKS)
    assert "evaluation.md" in str(tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]["nav"])
