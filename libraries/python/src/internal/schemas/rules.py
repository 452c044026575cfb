"""Rules that several frames share, named once, so that reports and quarantine reasons have the same wording."""

from collections.abc import Sequence

import polars as pl

from internal.schemas.frame_schema import Rule

LONGEST = 64  # characters of a name; a quote that is never closed makes one of a whole file
STRANGE = r"^\s|\s$|[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]"  # blanks at an end; control and format characters, line separators


def positive(column: str) -> Rule:
    """The value is finite and above 0."""
    return Rule(f"{column}_positive", column, lambda: pl.col(column).is_finite() & (pl.col(column) > 0))


def not_negative(column: str) -> Rule:
    """The value is finite and 0 or more."""
    return Rule(f"{column}_not_negative", column, lambda: pl.col(column).is_finite() & (pl.col(column) >= 0))


def not_blank(column: str) -> Rule:
    """The text holds more than white space."""
    return Rule(f"{column}_not_blank", column, lambda: pl.col(column).str.strip_chars().str.len_chars() > 0)


def without_strange_characters(column: str) -> Rule:
    """The text neither begins nor ends with white space, holds no control or invisible character, and is no page."""

    def check() -> pl.Expr:
        return ~pl.col(column).str.contains(STRANGE) & (pl.col(column).str.len_chars() <= LONGEST)

    return Rule(f"{column}_without_strange_characters", column, check)


def one_of(column: str, choices: Sequence[str]) -> Rule:
    """The text is one of the choices."""
    return Rule(f"{column}_known", column, lambda: pl.col(column).is_in(choices))


def after(column: str, earlier: str) -> Rule:
    """The day is strictly after that of another column."""
    return Rule(f"{column}_after_{earlier}", column, lambda: pl.col(column) > pl.col(earlier))


QUANTILES = ("quantile_10", "quantile_50", "quantile_90")


def above_minus_one(column: str) -> Rule:
    """The simple return is finite and leaves a price above 0."""
    return Rule(f"{column}_above_minus_one", column, lambda: pl.col(column).is_finite() & (pl.col(column) > -1))


def _ordered() -> pl.Expr:
    low, middle, high = (pl.col(name) for name in QUANTILES)
    return (low <= middle) & (middle <= high)


def quantile_band() -> list[Rule]:
    """Quantiles of a cumulative simple return: each above -1, and in order."""
    return [*map(above_minus_one, QUANTILES), Rule("quantiles_ordered", "quantile_50", _ordered)]
