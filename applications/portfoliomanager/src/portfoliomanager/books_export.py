"""The books as files: realised gains as CSV with the columns of IRS Form 8949, or everything as a beancount ledger."""

import csv
from dataclasses import astuple, fields
from decimal import Decimal
from enum import StrEnum
from io import StringIO

from internal.books.beancount_export import write_beancount
from internal.books.ledger import Books
from internal.books.tax_form import TaxRow, list_tax_rows
from internal.books.wash_sales import find_wash_sales


class ExportFormat(StrEnum):
    """The kinds of files."""

    CSV = "csv"
    BEANCOUNT = "beancount"


def export_books(books: Books, form: ExportFormat, year: int | None) -> str:
    """The books as the text of a file; the year chooses among realised gains and is not used for a ledger."""
    if form is ExportFormat.BEANCOUNT:
        return write_beancount(books)
    return _write_csv(list_tax_rows(find_wash_sales(books), year))


def _write_csv(rows: list[TaxRow]) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(field.name for field in fields(TaxRow))
    for row in rows:
        writer.writerow(f"{cell:.2f}" if isinstance(cell, Decimal) else cell for cell in astuple(row))
    return text.getvalue()
