"""Rows of equity details from what the vendor lists, what EDGAR says of the companies, and what files say. Pure."""

from datetime import datetime
from enum import StrEnum

import polars as pl

from datamanager.derived_types import type_expression
from datamanager.sectors import sector_expression
from internal.schemas import equity_details
from internal.security_types import UNKNOWN

FILE_COLUMNS = ("name", "sector", "industry", "primary_exchange")
CONTENT = tuple(name for name in equity_details.COLUMNS if name != "recorded_at")


class Source(StrEnum):
    """Sources of details besides the market data vendor."""

    FILE = "file"
    EDGAR = "edgar"


def merge_file_rows(known: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows to write: values of the file take precedence, its blanks leave the known values.

    A file's SIC code gives the sector where the file names none.
    """
    given = rows.select(
        "ticker",
        "name",
        pl.coalesce("sector", sector_expression(pl.col("sic_code"))).alias("sector"),
        pl.coalesce("industry", "sic_description").alias("industry"),
        "primary_exchange",
    )
    others = pl.col("source").str.replace(rf"^{Source.FILE}(\+|$)", "").replace("", None)
    return given.join(known, on="ticker", how="left", suffix="_known").select(
        "ticker",
        *[pl.coalesce(name, f"{name}_known") for name in FILE_COLUMNS],
        "security_type",
        pl.col("active").fill_null(value=True),
        "listed_date",
        "delisted_date",
        "central_index_key",
        pl.concat_str(pl.lit(Source.FILE.value), others, separator="+", ignore_nulls=True).alias("source"),
    )


def select_listed(universe: pl.DataFrame, listings: pl.DataFrame, source: str) -> pl.DataFrame:
    """What the vendor lists of the universe's tickers, in their order.

    A ticker that is not in the vendor's list is not active; a vendor without a list says nothing about that. The type
    of a listed security is UNKNOWN where the vendor names none.
    """
    unlisted = None if listings.is_empty() else False
    return universe.join(listings, on="ticker", how="left", maintain_order="left").select(
        "ticker",
        "name",
        pl.coalesce("security_type", pl.when(pl.col("active").is_not_null()).then(pl.lit(UNKNOWN))),
        "primary_exchange",
        pl.coalesce("active", pl.lit(unlisted, pl.Boolean)).alias("active"),
        "listed_date",
        "delisted_date",
        "central_index_key",
        pl.lit(source).alias("source"),
    )


def describe(listed: pl.DataFrame, companies: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """The details of the listed tickers (`CONTENT`): what a file said, else vendor and EDGAR, else what was known.

    A type that is UNKNOWN to the vendor is what was known before, else what EDGAR and the name say. What was known of
    another company, which had the ticker before, is not carried over.
    """
    in_file = (pl.col("source_known").str.split("+").list.first() == Source.FILE).fill_null(value=False)
    described = companies.select(
        "central_index_key",
        sector_expression(pl.col("standard_industrial_classification")).alias("sector"),
        "industry",
        pl.col("standard_industrial_classification").alias("code"),
        pl.lit(Source.EDGAR.value).alias("edgar"),
    ).filter(pl.col("central_index_key").is_not_null())
    joined = listed.join(described, on="central_index_key", how="left").join(
        known.select("ticker", pl.exclude("ticker").name.suffix("_known")), on="ticker", how="left"
    )
    is_same = pl.col("central_index_key").eq(pl.col("central_index_key_known")).fill_null(value=True)
    return joined.select(
        "ticker",
        *[
            pl.when(in_file)
            .then(pl.coalesce(f"{name}_known", name))
            .otherwise(pl.coalesce(name, pl.when(is_same).then(f"{name}_known")))
            .alias(name)
            for name in FILE_COLUMNS
        ],
        _choose_type().alias("security_type"),
        *[pl.coalesce(name, f"{name}_known").alias(name) for name in ("listed_date", "central_index_key")],
        pl.coalesce("active", "active_known", pl.lit(value=True)).alias("active"),
        "delisted_date",
        pl.concat_str(
            pl.when(in_file).then(pl.lit(Source.FILE.value)), "source", "edgar", separator="+", ignore_nulls=True
        ).alias("source"),
    ).select(CONTENT)


def _choose_type() -> pl.Expr:
    """The vendor's word, else what was known, else what is derived for a security that the vendor lists without one."""
    is_unknown = pl.col("security_type") == UNKNOWN
    named, known = (pl.when(pl.col(name) != UNKNOWN).then(name) for name in ("security_type", "security_type_known"))
    derived = pl.when(is_unknown).then(type_expression(pl.coalesce("name", "name_known"), pl.col("code")))
    return pl.coalesce(named, known, derived)


def select_known(versions: pl.LazyFrame, known_at: datetime) -> pl.LazyFrame:
    """The newest version of each ticker that was recorded by the moment."""
    recorded = versions.filter(pl.col("recorded_at") <= known_at).sort("recorded_at")
    return recorded.unique("ticker", keep="last", maintain_order=True)


def select_changed(rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """The rows that differ from what is known, and those of which no version was recorded."""
    recorded = known.filter(pl.col("recorded_at").is_not_null()).select(CONTENT)
    return rows.join(recorded, on=list(CONTENT), how="anti", nulls_equal=True)
