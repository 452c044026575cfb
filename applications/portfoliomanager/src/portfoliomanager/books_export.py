"""The books as files: which there are, and realised gains as CSV with the columns of IRS Form 8949."""

import csv
from collections.abc import Iterable
from dataclasses import astuple, fields
from decimal import Decimal
from enum import StrEnum
from io import StringIO

from internal.books.tax_form import TaxRow


class ExportFormat(StrEnum):
    """The kinds of files."""

    CSV = "csv"
    BEANCOUNT = "beancount"


def write_csv(rows: Iterable[TaxRow]) -> str:
    """Realised gains as the text of a file."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(field.name for field in fields(TaxRow))
    for row in rows:
        writer.writerow(f"{cell:.2f}" if isinstance(cell, Decimal) else cell for cell in astuple(row))
    return text.getvalue()
