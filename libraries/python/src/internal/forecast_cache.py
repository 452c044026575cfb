"""Forecast tables by content: computed once, then read from a file named by everything that they were made of."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Final, assert_never

import numpy as np
import polars as pl

from internal.baselines.walk_forward import REFIT_SESSIONS, TableBuilder, refit_blocks, walk_forward_forecasts
from internal.code_digest import digest_code
from internal.dates import previous_session, sessions
from internal.errors import ArtifactError, InvalidRequestError
from internal.features.panel import build_panel
from internal.features.splits import Block
from internal.features.variables import observe
from internal.features.windows import find_origins
from internal.forecasting.artifact import artifact_version, load_artifact
from internal.forecasting.forecast_table import ForecastTable, read_forecast_table, write_forecast_table
from internal.forecasting.forecaster import REQUIRED_HISTORY
from internal.forecasting.quantiles import STEPS
from internal.model_registry import load_model

BASELINE_PACKAGES: Final = ("internal.baselines", "internal.features", "internal.forecasting")
NETWORK_PACKAGES: Final = ("internal.kernels", "internal.networks", "internal.tft")
BAR_COLUMNS: Final = ("open", "high", "low", "close", "volume", "volume_weighted_average_price")
CHUNK_SESSIONS: Final = 63


@dataclass(frozen=True)
class RefittedBaseline:
    """A baseline that is fitted again at every `refit_sessions`-th session, from the table's first day on."""

    kind: str
    refit_sessions: int = REFIT_SESSIONS


@dataclass(frozen=True)
class RegisteredModel:
    """A model artifact in its folder of the registry. It is not fitted again, and forecasts no session of its training.

    **Guard:** it forecasts from the first session of its artifact's test block on, which begins after a purge.
    """

    folder: Path


type ForecastSource = RefittedBaseline | RegisteredModel


def forecast_table(  # noqa: PLR0913 - these say everything that a table is a function of, and where it is kept
    bars: pl.DataFrame,
    details: pl.DataFrame,
    source: ForecastSource,
    *,
    first: date,
    last: date,
    folder: Path,
    horizons: tuple[int, ...] = STEPS,
    on_message: Callable[[str], None] = print,
) -> ForecastTable:
    """The forecasts from each session of a span: read if they were made before, else made and written.

    Args:
        bars: Frame `equity_bars` with enough history before `first`, all prices adjusted as of one day. Bars after
            `last` are left out.
        details: Frame `equity_details`.
        source: What makes the forecasts.
        first: The first session to forecast from.
        last: The last one.
        folder: Where tables are kept, `FUND_HOME/research/forecasts`; a file is named by the digest of bars, details,
            source, code and span.
        horizons: The sessions ahead to keep.
        on_message: Receives a sentence when a file is damaged and the table is computed again.

    Raises:
        InvalidRequestError: No session in the span, an unknown kind, or no row to fit on at `first`.
        ArtifactError: The registered model cannot be loaded.
        UnavailableError: The file cannot be written, for example because the disk is full.
    """
    seen = bars.filter(pl.col("date") <= last)
    path = folder / f"{table_key(seen, details, source, first=first, last=last, horizons=horizons)}.npz"
    try:
        return read_forecast_table(path)
    except FileNotFoundError:
        pass
    except ArtifactError as error:
        on_message(f"{error.detail}; the forecasts are computed again")
    table = _compute(seen, details, source, Block(first, last), horizons)
    write_forecast_table(path, table)
    return table


def table_key(  # noqa: PLR0913 - as above
    bars: pl.DataFrame,
    details: pl.DataFrame,
    source: ForecastSource,
    *,
    first: date,
    last: date,
    horizons: tuple[int, ...],
) -> str:
    """The digest of everything that a table is made of, in hexadecimal."""
    match source:
        case RefittedBaseline(kind=kind, refit_sessions=every):
            model = [kind, [block.first.isoformat() for block in refit_blocks(first, last, every)]]
            packages = BASELINE_PACKAGES
        case RegisteredModel(folder=path):
            model, packages = ["registered", artifact_version(path)], BASELINE_PACKAGES + NETWORK_PACKAGES
        case _:
            assert_never(source)
    parts = {
        "bars": digest_bars(bars),
        "details": digest_details(details),
        "model": model,
        "code": digest_code(packages),
        "span": [first.isoformat(), last.isoformat()],
        "horizons": list(horizons),
    }
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def digest_bars(bars: pl.DataFrame) -> str:
    """A digest of the columns that forecasts read, in any order of rows."""
    known = [column for column in BAR_COLUMNS if column in bars.columns]
    ordered = bars.select("ticker", "date", *known).sort("ticker", "date")
    tickers = ordered.get_column("ticker").rle().struct.unnest().rows()
    digest = sha256(json.dumps([known, tickers]).encode())
    digest.update(ordered.get_column("date").cast(pl.Int32).to_numpy().tobytes())
    for column in known:
        digest.update(ordered.get_column(column).cast(pl.Float64).fill_null(float("nan")).to_numpy().tobytes())
    return digest.hexdigest()


def digest_details(details: pl.DataFrame) -> str:
    """A digest of the columns that forecasts read, in any order of rows."""
    rows = details.select("ticker", "sector", "industry").sort("ticker", "sector", "industry").rows()
    return sha256(json.dumps(rows).encode()).hexdigest()


def _compute(
    bars: pl.DataFrame, details: pl.DataFrame, source: ForecastSource, span: Block, horizons: tuple[int, ...]
) -> ForecastTable:
    frame = observe(build_panel(bars, details, end=span.last).frame)
    match source:
        case RefittedBaseline(kind=kind, refit_sessions=every):
            return walk_forward_forecasts(frame, kind, refit_blocks(span.first, span.last, every), horizons)
        case RegisteredModel(folder=path):
            return _forecast_registered(frame, path, span, horizons)
        case _:
            assert_never(source)


def _forecast_registered(frame: pl.DataFrame, path: Path, span: Block, horizons: tuple[int, ...]) -> ForecastTable:
    """The model's forecasts, a quarter at a time, from the history that the forecaster would be given."""
    model, begin = load_model(path), _first_unseen(path)
    tickers = frame.get_column("ticker").unique().sort().to_list()
    builder = TableBuilder(artifact_version(path), sessions(span.first, span.last), tickers, horizons)
    if begin > span.last:
        raise InvalidRequestError(f"the model in {path} has seen the bars before {begin}: forecast later sessions")
    for block in refit_blocks(max(span.first, begin), span.last, CHUNK_SESSIONS):
        window = frame.filter(
            pl.col("date").is_between(previous_session(block.first, REQUIRED_HISTORY - 1), block.last)
        )
        origins = find_origins(window, block)
        if len(origins):
            builder.add(window, origins, np.asarray(model.predict(window, origins)))
    return builder.table


def _first_unseen(path: Path) -> date:
    """The first session of the artifact's test block. Raises ArtifactError when it does not say."""
    fold = load_artifact(path).configuration.get("fold", {})
    if "test_first" not in fold:
        raise ArtifactError(f"the artifact in {path} does not say which sessions it was trained on: train again")
    return date.fromisoformat(fold["test_first"])
