"""Numbers as text: which sign is the decimal sign of a file, and the numbers that its cells hold.

A file has one style. Where its cells fit two, such as `1,234` and nothing else, the file is refused.
"""

from collections.abc import Sequence
from enum import StrEnum

import polars as pl

from internal.bar_files.errors import TableFileError

MISSING = ("", "na", "n/a", "nan", "null", "none", "-", ".")
ENGLISH_THOUSANDS = r"^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$"
DECIMAL_COMMA = r"^[+-]?(\d{1,3}(\.\d{3})+|\d*),\d*$"
COMMA_THOUSANDS = r"^[+-]?\d{1,3}(\.\d{3})+$"


class NumberStyle(StrEnum):
    """How a file writes its numbers."""

    PLAIN = "1234.5"
    COMMA_BETWEEN_THOUSANDS = "1,234.5"
    DECIMAL_COMMA = "1.234,5"


def clean_cells(cells: pl.Series) -> pl.Series:
    """The texts without blanks and currency signs; null where one says that the value is missing."""
    text = pl.col("cell").str.replace_all(r"[\s$€\u00a0]", "")
    present = pl.when(~text.str.to_lowercase().is_in(MISSING)).then(text)
    return cells.alias("cell").to_frame().select(present.alias("cell")).get_column("cell")


def find_style(frame: pl.DataFrame, columns: Sequence[str], source: str) -> NumberStyle:
    """The style of the text columns.

    Raises:
        TableFileError: Every number with a comma could be one with a decimal comma and one with commas between
            thousands.
    """
    if not any(frame.get_column(name).str.contains(",", literal=True).any() for name in columns):
        return NumberStyle.PLAIN
    signed = [clean_cells(cells.filter(cells.str.contains("[.,]"))) for cells in frame.select(columns).iter_columns()]
    cells = pl.concat(signed).drop_nulls().unique()
    commas = cells.filter(cells.str.contains(",", literal=True))
    points = cells.filter(~cells.str.contains(",", literal=True))
    english = commas.str.contains(ENGLISH_THOUSANDS).all()
    continental = commas.str.contains(DECIMAL_COMMA).all() and points.str.contains(COMMA_THOUSANDS).all()
    if english and continental:
        raise TableFileError(
            f"{source}: {commas.sort()[0]!r} may be a decimal comma or a comma between thousands, and no other number "
            "of the file tells which; write the numbers with a decimal point and nothing between thousands"
        )
    return (
        NumberStyle.DECIMAL_COMMA
        if continental
        else NumberStyle.COMMA_BETWEEN_THOUSANDS
        if english
        else NumberStyle.PLAIN
    )


def parse_numbers(cells: pl.Series, style: NumberStyle) -> pl.Series:
    """The cells as numbers; null where a cell holds none."""
    if style is NumberStyle.PLAIN:
        numbers = cells.cast(pl.Float64, strict=False)
        if numbers.null_count() == cells.null_count():  # the usual case, without a look at each text
            return numbers.fill_nan(None)
    text = clean_cells(cells)
    match style:
        case NumberStyle.PLAIN:
            plain = text
        case NumberStyle.COMMA_BETWEEN_THOUSANDS:
            plain = text.str.replace_all(",", "", literal=True)
        case NumberStyle.DECIMAL_COMMA:
            plain = text.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    return plain.cast(pl.Float64, strict=False).fill_nan(None).alias(cells.name)
