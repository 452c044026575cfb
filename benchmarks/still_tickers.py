"""What tickers that hardly move do to the forecasts of the others: real bars, beside them made-up prices.

Run: `uv run python -m benchmarks.still_tickers --data FOLDER`; the folder is that of `benchmarks.published_evaluation`.
Fitted on FITTED and judged on JUDGED, before 2018.
"""

import argparse
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from internal.baselines.catalogue import BASELINES
from internal.baselines.forecast import Baseline, future_log_returns
from internal.baselines.shared_fits import fit_beside
from internal.features.panel import build_panel
from internal.features.splits import Block
from internal.features.variables import observe
from internal.features.windows import find_origins
from internal.forecasting.scoring import pinball_loss

REAL, STILL, STEPS_A_DAY = 80, 8, 40
FITTED: Final = Block(date(2015, 1, 1), date(2017, 3, 31))
JUDGED: Final = Block(date(2017, 4, 12), date(2017, 12, 15))
OUTCOMES_END: Final = date(2017, 12, 29)
KINDS: Final = ("clocked_volatility", "adaptive_volatility", "boosted_volatility", "expert_aggregation")
PRICES: Final = ("open", "high", "low", "close")


def select_real(folder: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Bars and details of REAL tickers, drawn at random."""
    bars = pl.read_parquet(folder / "us_equity_bars_2015_2018.parquet").filter(pl.col("date") <= OUTCOMES_END)
    tickers = bars["ticker"].unique().sort().to_list()
    chosen = np.random.default_rng(1).choice(tickers, REAL, replace=False).tolist()
    details = pl.read_parquet(folder / "us_equity_details.parquet")
    own = pl.col("ticker").is_in(chosen)
    return bars.filter(own).select("ticker", "date", *PRICES, "volume"), details.filter(own)


def make_still(days: pl.Series) -> Iterator[tuple[str, pl.DataFrame]]:
    """Bars of STILL tickers by what they are: one price; a walk by a cent at most; 4 basis points a day in cents."""
    yield "one price", _make_bars(days, np.full((STILL, len(days), STEPS_A_DAY), 10.0))
    random = np.random.default_rng(0)
    cents = np.clip(random.choice([-1, 0, 0, 1], (STILL, len(days))).cumsum(axis=1), -5, 5)[..., None]
    within = random.choice([-1, 0, 0, 0, 1], (STILL, len(days), STEPS_A_DAY)) * random.choice(
        [0, 1], (STILL, len(days), 1)
    )
    yield "within cents", _make_bars(days, 10 + (cents + within) / 100)
    steps = random.normal(0, 4e-4 / np.sqrt(STEPS_A_DAY), (STILL, len(days) * STEPS_A_DAY))
    yield "4 basis points", _make_bars(days, 100 * np.exp(steps.cumsum(axis=1)).reshape(STILL, len(days), -1).round(4))


def _make_bars(days: pl.Series, paths: np.ndarray) -> pl.DataFrame:
    """Bars of prices within sessions, f64 [ticker, session, price]."""
    prices = {"open": paths[..., 0], "high": paths.max(2), "low": paths.min(2), "close": paths[..., -1]}
    names = pl.DataFrame({"ticker": [f"STILL{number}" for number in range(STILL)]})
    columns = [pl.Series(name, each.ravel()) for name, each in prices.items()]
    return names.join(days.to_frame(), how="cross").with_columns(*columns, volume=pl.lit(1e4))


def judge(model: Baseline, frame: pl.DataFrame, *, still: bool) -> str:
    """Coverage of all and of each third of a date's rows by volatility, and loss x 1e-4; of the still or the others."""
    described = frame.select("date", "volatility", still=pl.col("ticker").str.starts_with("STILL"))
    rows = find_origins(frame, JUDGED)
    rows = rows[described["still"].to_numpy()[rows] == still]
    ahead, quantiles = future_log_returns(frame, last=OUTCOMES_END, rows=rows), model.quantiles(frame, rows).cumulative
    inside = 100 * ((ahead >= quantiles[..., 0]) & (ahead <= quantiles[..., 2])).mean(axis=1)
    third = ((pl.col("volatility").rank("ordinal") - 1) / pl.len() * 3).floor().over("date")
    known = described[rows].with_columns(third=third, inside=pl.Series(inside)).filter(np.isfinite(ahead).all(axis=1))
    shares = [known["inside"].mean(), *known.group_by("third").agg(pl.col("inside").mean()).sort("third")["inside"]]
    loss = 1e4 * float(np.nanmean(pinball_loss(ahead, quantiles)))
    return f"{shares[0]:.1f}: {' '.join(f'{share:.1f}' for share in shares[1:])}, {loss:.2f}"


def main() -> None:
    """Print a table, in Markdown: a line for each market and kind, of a fit without and of one with the still."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    bars, details = select_real(parser.parse_args().data)
    beside = {name: pl.concat([bars, still]) for name, still in make_still(bars["date"].unique().sort())}
    alone = list[Baseline]()
    print("| beside them | kind | fitted without them | fitted with them | of the still |\n|---|---|---|---|---|")
    for name, market in {"nothing": bars, **beside}.items():
        frame = observe(build_panel(market, details, end=OUTCOMES_END).frame, for_networks=False)
        fitted = list[Baseline]()
        for kind in KINDS:
            fitted.append(fit_beside(BASELINES[kind], fitted, frame, fold=FITTED))
        alone = alone or fitted
        for kind, *models in zip(KINDS, alone, fitted, strict=True):
            others = [judge(model, frame, still=False) for model in models]
            still = judge(models[1], frame, still=True) if name in beside else ""
            print(f"| {name} | `{kind}` | {others[0]} | {others[1] if still else ''} | {still} |")


if __name__ == "__main__":
    main()
