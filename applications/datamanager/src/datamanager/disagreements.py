"""Compares bars and corporate actions of two vendors: what differs by more than a tolerance, with both values. Pure.

Neither value is chosen: the lake keeps its own vendor's, and the table says where the other one differs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from internal.schemas.corporate_actions import dividends_of, splits_of
from internal.schemas.disagreements import ComparedField

KEY = ("date", "ticker")
VALUES = ("date", "ticker", "field", "value", "second_value", "difference")
COMMON_SYMBOL = r"^[A-Z]{1,5}(\.[A-Z])?$"  # vendors spell preferred shares, warrants, rights and units differently


@dataclass(frozen=True)
class Tolerance:
    """Two values agree when they differ by no more than the larger of the two."""

    relative: float
    absolute: float = 0.0


PRICE = Tolerance(relative=0.005, absolute=0.01)  # vendors count odd lots and late trades differently; a cent is a tick
TOLERANCES = {
    ComparedField.OPEN: PRICE,
    ComparedField.HIGH: PRICE,
    ComparedField.LOW: PRICE,
    ComparedField.CLOSE: PRICE,
    ComparedField.VOLUME: Tolerance(relative=0.05, absolute=100.0),  # late reports change it by a few percent
    ComparedField.VOLUME_WEIGHTED_AVERAGE_PRICE: PRICE,
    ComparedField.SPLIT: Tolerance(relative=0.0001),  # vendors round ratios
    ComparedField.DIVIDEND: Tolerance(relative=0.005, absolute=0.0001),
}
BAR_FIELDS = tuple(field for field in TOLERANCES if field not in {ComparedField.SPLIT, ComparedField.DIVIDEND})


def compare_bars(ours: pl.DataFrame, theirs: pl.DataFrame) -> pl.DataFrame:
    """`VALUES` of every figure that differs, and of every bar that one side lacks.

    Args:
        ours: `equity_bars`, of any sessions.
        theirs: The second vendor's, of the same sessions.
    """
    return pl.concat(
        [
            _find_missing(_common(ours), _common(theirs)),
            *(_find_different(_common(ours), _common(theirs), field) for field in BAR_FIELDS),
        ]
    ).sort("date", "ticker", "field")


def compare_actions(ours: pl.DataFrame, theirs: pl.DataFrame) -> pl.DataFrame:
    """`VALUES` of every split and of every day's cash dividends that differ or that one side lacks.

    Args:
        ours: Corporate actions in force; `theirs` those of the second vendor, of the same days.
        theirs: As `ours`.
    """
    return pl.concat(
        [
            _compare_amounts(_split_ratios(ours), _split_ratios(theirs), ComparedField.SPLIT),
            _compare_amounts(_dividend_amounts(ours), _dividend_amounts(theirs), ComparedField.DIVIDEND),
        ]
    ).sort("date", "ticker", "field")


def _common(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col("ticker").str.contains(COMMON_SYMBOL))


def _find_missing(ours: pl.DataFrame, theirs: pl.DataFrame) -> pl.DataFrame:
    """Bars that one side has and the other has not, with the close of the one that has it."""
    both = _join(ours.select(*KEY, value="close"), theirs.select(*KEY, second_value="close"))
    alone = both.filter(pl.col("value").is_null() | pl.col("second_value").is_null())
    return _finish(alone, ComparedField.BAR)


def _find_different(ours: pl.DataFrame, theirs: pl.DataFrame, field: ComparedField) -> pl.DataFrame:
    """Figures of bars that both sides have; an unknown one on either side is not compared."""
    both = ours.select(*KEY, value=field.value).join(theirs.select(*KEY, second_value=field.value), on=KEY, how="inner")
    return _finish(both.filter(_differ(TOLERANCES[field])), field)


def _compare_amounts(ours: pl.DataFrame, theirs: pl.DataFrame, field: ComparedField) -> pl.DataFrame:
    both = _join(_common(ours), _common(theirs).rename({"value": "second_value"}))
    alone = pl.col("value").is_null() | pl.col("second_value").is_null()
    return _finish(both.filter(alone | _differ(TOLERANCES[field])), field)


def _split_ratios(actions: pl.DataFrame) -> pl.DataFrame:
    ratio = pl.col("split_to") / pl.col("split_from")
    splits = splits_of(actions.lazy()).select(date="execution_date", ticker="ticker", value=ratio)
    return _complete(splits).group_by(KEY).agg(pl.col("value").first()).collect()


def _dividend_amounts(actions: pl.DataFrame) -> pl.DataFrame:
    """The cash of a day, regular and special payments together: vendors cut it up differently."""
    dividends = dividends_of(actions.lazy()).select(date="ex_dividend_date", ticker="ticker", value="cash_amount")
    return _complete(dividends).group_by(KEY).agg(pl.col("value").sum()).collect()


def _complete(actions: pl.LazyFrame) -> pl.LazyFrame:
    return actions.filter(pl.all_horizontal(pl.all().is_not_null()))


def _join(ours: pl.DataFrame, theirs: pl.DataFrame) -> pl.DataFrame:
    return ours.join(theirs, on=KEY, how="full", coalesce=True)


def _differ(tolerance: Tolerance) -> pl.Expr:
    allowed = pl.max_horizontal(pl.col("value").abs() * tolerance.relative, pl.lit(tolerance.absolute))
    apart = (pl.col("value") - pl.col("second_value")).abs()
    return apart > allowed * (1 + 1e-9)  # a difference of exactly the tolerance agrees, whatever it is rounded to


def _finish(rows: pl.DataFrame, field: ComparedField) -> pl.DataFrame:
    relative = pl.col("second_value") / pl.col("value") - 1
    return rows.with_columns(pl.lit(field.value).alias("field"), relative.alias("difference")).select(VALUES)


def count_by_field(disagreements: pl.DataFrame) -> dict[str, int]:
    """How many disagreements there are of each field, every field included."""
    found = dict(disagreements.group_by("field").len().iter_rows())
    return {field.value: found.get(field.value, 0) for field in ComparedField}


def describe(disagreements: pl.DataFrame, most: int = 3) -> Sequence[str]:
    """The largest ones, one sentence each; what one vendor lacks comes first."""
    ordered = disagreements.sort(pl.col("difference").abs().fill_null(float("inf")), descending=True).head(most)
    return [_describe_row(row) for row in ordered.iter_rows(named=True)]


def _describe_row(row: dict[str, object]) -> str:
    sides = [
        f"{row[vendor]} has {'none' if row[value] is None else f'{row[value]:.10g}'}"
        for vendor, value in (("vendor", "value"), ("second_vendor", "second_value"))
    ]
    return f"{row['ticker']} on {row['date']}, {row['field']}: {', '.join(sides)}"
