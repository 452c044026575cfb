"""Refuses request bodies that would unpack to more than memory holds, by what they state, before they are decoded.

A few kilobytes may say "a billion times the same value": in every format there is a way.
"""

# pyarrow ships no types:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

import io
from collections.abc import Sequence

from internal.errors import InvalidRequestError
from internal.http.arrow_messages import list_batches

MOST_VALUES = 100_000_000  # of an uploaded table; two years of 5,000 tickers are 25 million
MOST_BYTES = 8 * MOST_VALUES
CSV_SEPARATORS = (b",", b";", b"\t", b"|")
NO_HEADER = (b"#", b"sep=")


def require_values(count: int) -> None:
    """Raise InvalidRequestError for more values than are read."""
    if count > MOST_VALUES:
        raise InvalidRequestError(f"the body unpacks to {count} values, and at most {MOST_VALUES} are read; send parts")


def require_bytes(count: int) -> None:
    """Raise InvalidRequestError for more bytes than are read."""
    if count > MOST_BYTES:
        raise InvalidRequestError(f"the body unpacks to {count} bytes, and at most {MOST_BYTES} are read; send parts")


def require_bounded_parquet(body: bytes) -> None:
    """By the counts in the file's footer. ValueError when it has none."""
    from pyarrow import parquet  # noqa: PLC0415 - services start without it

    footer = parquet.read_metadata(io.BytesIO(body))
    groups = [footer.row_group(place) for place in range(footer.num_row_groups)]
    columns = range(footer.num_columns)
    require_values(sum(group.column(column).num_values for group in groups for column in columns))
    require_bytes(sum(group.column(column).total_uncompressed_size for group in groups for column in columns))


def require_bounded_arrow(body: bytes) -> None:
    """By the metadata of each message of the stream. ValueError when it is none."""
    batches = list_batches(body)
    require_values(sum(batch.values for batch in batches))
    require_bytes(sum(batch.unpacked_bytes for batch in batches))


def require_bounded_csv(body: bytes) -> None:
    """By rows and names of columns: short rows are filled up to the width of the header."""
    require_values((body.count(b"\n") + 1) * _count_columns(body))


def _count_columns(body: bytes) -> int:
    """The most columns that any line up to the header names, whatever the separator; a header may span lines."""
    separators = quotes = 0
    for line in io.BytesIO(body):
        separators = max(separators, *map(line.count, CSV_SEPARATORS))
        quotes += line.count(b'"')
        if line.strip() and quotes % 2 == 0 and not line.startswith(NO_HEADER):
            break
    return separators + 1


def require_bounded_records(records: Sequence[dict[str, object]]) -> None:
    """By all names of columns in all rows. InvalidRequestError also for a list or an object where a value belongs."""
    names = set[str]().union(*records)
    require_values(len(records) * len(names))
    nested = next((name for row in records for name, value in row.items() if isinstance(value, (dict, list))), None)
    if nested is not None:
        raise InvalidRequestError(f"column {nested} holds a list or an object; send one value a column")
