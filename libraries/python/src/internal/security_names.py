"""Names of securities as of a day: rows under the tickers of their days become one series a security. Pure.

A security is read under the ticker that it has on the day; before its first one, under its first. Where two securities
would have one name, the one that holds the ticker on the day keeps it, and the other's name carries a day, as at
vendors of delisted securities: `ABC-20190628` had the ticker ABC until 2019-06-28.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import polars as pl

from internal.action_kinds import ActionKind

ALIASES = ("security_id", "ticker", "start_date", "end_date")
EARLIEST = date.min


@dataclass(frozen=True, eq=False)
class SecurityNames:
    """The names of every security as of one day.

    Attributes:
        aliases: security_id, ticker, start_date, name, one row an alias; the first alias of a ticker starts at the
            earliest day, so that every row has one.
    """

    aliases: pl.DataFrame

    @property
    def changed(self) -> pl.DataFrame:
        """The aliases of the tickers that have another name than their own; `SecurityNames` of these renames alike."""
        return self.aliases.filter((pl.col("name") != pl.col("ticker")).any().over("ticker"))

    def find_names(self, tickers: Collection[str]) -> list[str]:
        """The names that are meant by these tickers: a name is itself, an old ticker is its last security's name."""
        names = set(self.aliases.get_column("name"))
        last = self.aliases.sort("start_date").unique("ticker", keep="last")
        old = dict(last.select("ticker", "name").iter_rows())
        return sorted({ticker if ticker in names else old.get(ticker, ticker) for ticker in tickers})

    def find_tickers(self, names: Collection[str]) -> list[str]:
        """The tickers under which rows of these names may be stored."""
        held = self.aliases.filter(pl.col("name").is_in(sorted(names))).get_column("ticker")
        return sorted({*held, *names})

    def rename(self, rows: pl.LazyFrame, day: pl.Expr) -> pl.LazyFrame:
        """The rows with the security's name as `ticker`; only tickers with another name than their own are touched.

        Args:
            rows: With a column `ticker`.
            day: The day on which the row's security had that ticker.
        """
        changed = self.changed
        if changed.is_empty():
            return rows
        named = _add_alias_column(rows, changed, "name", day)
        return named.with_columns(pl.coalesce("name", "ticker").alias("ticker")).drop("name")

    def add_security_id(self, rows: pl.LazyFrame, day: pl.Expr) -> pl.LazyFrame:
        """The rows with the column `security_id`; null for a ticker without an alias. `day` as for `rename`."""
        return _add_alias_column(rows, self.aliases, "security_id", day)


def name_securities(securities: pl.DataFrame, day: date) -> SecurityNames:
    """The names as of the day; `securities` are the aliases of the frame of that name."""
    started = pl.col("start_date") <= day
    holds = pl.when(started).then("start_date")
    current = (
        securities.select(ALIASES)
        .sort("security_id", started, "start_date")
        .group_by("security_id", maintain_order=True)
        .agg(
            pl.col("ticker").filter(started).last().fill_null(pl.col("ticker").first()),
            pl.col("end_date").filter(started).last().fill_null(pl.col("end_date").first()),
            holds.max().alias("held_since"),
            pl.col("start_date").min().alias("first_date"),
        )
        .sort(
            "ticker", pl.col("held_since").is_null(), "held_since", "first_date", descending=[False, True, False, True]
        )
    )
    keeps = pl.col("security_id") == pl.col("security_id").last().over("ticker")
    ended = pl.when(pl.col("end_date") < day).then("end_date").otherwise("first_date").dt.strftime("%Y%m%d")
    name = pl.when(keeps).then("ticker").otherwise(pl.format("{}-{}", "ticker", ended)).alias("name")
    aliases = (
        securities.select("security_id", "ticker", "start_date")
        .join(current.select("security_id", name), on="security_id")
        .sort("ticker", "start_date")
    )
    is_first = pl.col("start_date") == pl.col("start_date").min().over("ticker")
    earliest = pl.when(is_first).then(pl.lit(EARLIEST)).otherwise("start_date").alias("start_date")
    return SecurityNames(aliases.with_columns(earliest))


def name_reused(securities: pl.DataFrame, day: date) -> SecurityNames:
    """The tickers as they are, but for the securities whose ticker another one holds on the day."""
    aliases = name_securities(securities, day).aliases
    is_ticker = pl.col("name").is_in(aliases.get_column("ticker").implode())
    return SecurityNames(aliases.with_columns(pl.when(is_ticker).then("ticker").otherwise("name").alias("name")))


def find_name_changes(securities: pl.DataFrame) -> pl.DataFrame:
    """The changes of ticker, in columns of `corporate_actions`: a name change at the start of each later alias."""
    changes = (
        securities.sort("security_id", "start_date")
        .select(
            pl.format("{}:name_change:{}", "security_id", pl.col("start_date").cast(pl.String)).alias("action_id"),
            pl.lit(1, pl.Int32).alias("version"),
            "recorded_at",
            pl.lit(value=False).alias("withdrawn"),
            "source",
            pl.lit(ActionKind.NAME_CHANGE.value).alias("kind"),
            pl.col("ticker").shift().over("security_id").alias("ticker"),
            pl.col("start_date").alias("effective_date"),
            pl.col("ticker").alias("new_ticker"),
        )
        .filter(pl.col("ticker").is_not_null())
    )
    return changes.filter(pl.col("ticker") != pl.col("new_ticker"))


def _add_alias_column(rows: pl.LazyFrame, aliases: pl.DataFrame, column: str, day: pl.Expr) -> pl.LazyFrame:
    """The rows with a column of the alias that has their ticker on the day; null where there is none.

    Tickers with one value are mapped in one pass; only those of several securities are joined by day.
    """
    several = pl.col(column).n_unique().over("ticker") > 1
    once = aliases.filter(~several).unique("ticker")
    value = pl.col("ticker").replace_strict(
        once.get_column("ticker"), once.get_column(column), default=None, return_dtype=pl.String()
    )
    dated = aliases.filter(several).select("ticker", "start_date", column)
    if dated.is_empty():
        return rows.with_columns(value.alias(column))
    is_dated = pl.col("ticker").is_in(dated.get_column("ticker").unique().to_list())
    joined = (
        rows.filter(is_dated)
        .with_columns(day.alias("alias_day"))
        .sort("alias_day")
        .join_asof(
            dated.lazy().sort("start_date"),
            left_on="alias_day",
            right_on="start_date",
            by="ticker",
            check_sortedness=False,
            coalesce=False,
        )
        .drop("alias_day", "start_date")
    )
    return pl.concat([rows.filter(~is_dated).with_columns(value.alias(column)), joined])
