"""Keeps the bars of a replayed market beside the exchange's state, to compare another file with what was played.

A file may be exchanged for a longer one: every session up to the exchange's clock must be the same, to the last digit.
"""

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from internal.errors import ConfigurationError, UnavailableError
from internal.schemas import equity_bars

FILE_NAME = "replayed_bars.parquet"
KEY = ["date", "ticker"]
VALUES = [name for name in equity_bars.COLUMNS if name not in {*KEY, "timestamp"}]


@dataclass(frozen=True)
class PlayedBars:
    """The bars that the exchange of one state directory was opened on."""

    path: Path

    @classmethod
    def in_directory(cls, state_directory: Path) -> "PlayedBars":
        """The bars kept in that directory."""
        return cls(state_directory / FILE_NAME)

    def exist(self) -> bool:
        """Whether any were kept."""
        return self.path.exists()

    def require_same(self, bars: pl.DataFrame, last_played: date) -> None:
        """Compare the sessions from the first of the kept bars to the last played one.

        A file that begins earlier than the kept one adds sessions that were never played: they may be anything.

        Raises:
            ConfigurationError: They differ; the sentence says in what first.
        """
        kept = pl.read_parquet(self.path).filter(pl.col("date") <= last_played)
        if kept.is_empty():
            return
        first = kept.get_column("date")[0]
        given = bars.filter(pl.col("date").is_between(first, last_played))
        if not kept.equals(given):
            raise ConfigurationError(describe_difference(kept, given))

    def keep(self, bars: pl.DataFrame) -> None:
        """Write the bars, whole or not at all; UnavailableError when the disk is full."""
        partial = self.path.with_suffix(".partial")
        try:
            partial.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as file:
                bars.write_parquet(file)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self.path)
        except OSError as error:
            raise UnavailableError(
                f"{self.path} cannot be written ({error}); free disk space, then start again"
            ) from error


def describe_difference(kept: pl.DataFrame, given: pl.DataFrame) -> str:
    """The first cell in which two tables of bars differ, by date and ticker, with both values."""
    both = kept.select(*KEY, *VALUES, in_kept=pl.lit(value=True)).join(
        given.select(*KEY, *VALUES, in_given=pl.lit(value=True)), on=KEY, how="full", coalesce=True, suffix="_given"
    )
    unequal = [pl.col(name).ne_missing(pl.col(f"{name}_given")) for name in VALUES]
    row = both.filter(pl.any_horizontal(unequal)).sort(KEY).row(0, named=True)
    day, ticker = row["date"], row["ticker"]
    what = next(
        f"{name} {_shown(row[name])} was played, {_shown(row[f'{name}_given'])} is in the file now"
        for name in VALUES
        if row[name] != row[f"{name}_given"]
    )
    if row["in_kept"] is None:
        what = "the file has a bar now where none was played"
    elif row["in_given"] is None:
        what = "the file has no bar any more where one was played"
    return (
        f"the bars file differs from the bars that this fund has played: {ticker} on {day}: {what}. Give a file that "
        "repeats the played sessions exactly, and may be longer, or open a new fund in another folder (FUND_HOME)"
    )


def _shown(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.10g}"
