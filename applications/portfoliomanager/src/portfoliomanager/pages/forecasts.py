"""The Forecasts page: the newest forecasts of all tickers, searched, sorted and paged on the server."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from math import ceil
from typing import Self
from urllib.parse import urlencode

import polars as pl

from internal.pages.marks import Band

PAGE_ROWS = 100
REACH_STEP = 0.05  # the scale of the bands ends at a multiple of it
HALF_SHOWN = 0.95  # quantile of the bands' ends that the scale holds


class ForecastOrder(StrEnum):
    """By what the rows are sorted."""

    SCORE = "score"
    TICKER = "ticker"
    MEDIAN = "median"
    WIDTH = "width"

    @property
    def is_descending(self) -> bool:
        """Whether the largest comes first."""
        return self is not ForecastOrder.TICKER


@dataclass(frozen=True)
class ForecastQuery:
    """What is asked of the page.

    Attributes:
        text: Words that ticker, name or sector hold.
        order: The order of the rows.
        page: From 1.
    """

    text: str = ""
    order: ForecastOrder = ForecastOrder.SCORE
    page: int = 1

    def address(self, *, order: str = "", page: int = 1) -> str:
        """The page with another order, or another page of it."""
        asked = {"q": self.text, "sort": order or str(self.order), "page": str(page)}
        return "/forecasts?" + urlencode({name: value for name, value in asked.items() if value})


@dataclass(frozen=True)
class ForecastRow:
    """A ticker's forecast of the last horizon; `place` is by score among all, tradable or not."""

    place: int
    ticker: str
    name: str
    sector: str
    band: Band
    score: float

    @property
    def width(self) -> float:
        """From the 10 % to the 90 % quantile."""
        return self.band.high - self.band.low


@dataclass(frozen=True)
class ForecastsView:
    """A page of forecasts.

    Attributes:
        day: The session whose close they were made at.
        target: The session that they reach.
        model_version: Of the model that made them.
        all_count: Tickers with a forecast.
        found_count: Of these, those that fit the query.
        query: What was asked.
        rows: The rows of the page.
        reach: Where the scale of the bands ends, a return.
    """

    day: date
    target: date
    model_version: str
    all_count: int
    found_count: int
    query: ForecastQuery
    rows: tuple[ForecastRow, ...]
    reach: float

    @classmethod
    def of(cls, predictions: pl.DataFrame, details: pl.DataFrame, query: ForecastQuery) -> Self:
        """The page of one session's predictions, as in `schemas.predictions`, with names from the details."""
        last = predictions.filter(horizon=pl.col("horizon").max())
        named = _add_scores(last).join(details.select("ticker", "name", "sector"), on="ticker", how="left")
        found = _search(named, query.text).sort(
            [query.order.value, "ticker"], descending=[query.order.is_descending, False]
        )
        pages = max(1, ceil(found.height / PAGE_ROWS))
        page = min(max(query.page, 1), pages)
        shown = found.slice((page - 1) * PAGE_ROWS, PAGE_ROWS)
        return cls(
            last.item(0, "date"),
            last.item(0, "target_date"),
            last.item(0, "model_version"),
            last.height,
            found.height,
            ForecastQuery(query.text, query.order, page),
            tuple(_make_row(row) for row in shown.iter_rows(named=True)),
            _find_reach(last),
        )

    @property
    def page_count(self) -> int:
        """How many pages the found rows fill."""
        return max(1, ceil(self.found_count / PAGE_ROWS))


def _add_scores(last: pl.DataFrame) -> pl.DataFrame:
    width = pl.col("quantile_90") - pl.col("quantile_10")
    scored = last.with_columns(
        width.alias("width"),
        pl.col("quantile_50").alias("median"),
        pl.when(width > 0).then(pl.col("quantile_50") / width).otherwise(0.0).alias("score"),
    )
    return scored.with_columns(pl.col("score").rank("ordinal", descending=True).alias("place"))


def _search(rows: pl.DataFrame, text: str) -> pl.DataFrame:
    searched = pl.concat_str("ticker", "name", "sector", separator=" ", ignore_nulls=True).str.to_lowercase()
    for word in text.lower().split():
        rows = rows.filter(searched.str.contains(word, literal=True))
    return rows


def _make_row(row: Mapping[str, object]) -> ForecastRow:
    low, middle, high = (float(str(row[name])) for name in ("quantile_10", "quantile_50", "quantile_90"))
    name, sector = (str(row[column] or "") for column in ("name", "sector"))
    return ForecastRow(
        int(str(row["place"])), str(row["ticker"]), name, sector, Band(low, middle, high), float(str(row["score"]))
    )


def _find_reach(last: pl.DataFrame) -> float:
    """A scale that holds nearly all bands; the few beyond it end at its edge."""
    ends = last.select(pl.max_horizontal(pl.col("quantile_10").abs(), pl.col("quantile_90").abs())).to_series()
    return ceil((ends.quantile(HALF_SHOWN) or REACH_STEP) / REACH_STEP) * REACH_STEP
