"""Bodies that would unpack to more than memory holds are refused before they are decoded, in every format."""

# pyarrow ships no types:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

import io
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Literal

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internal.errors import InvalidRequestError
from internal.http import decoded_size
from internal.http.arrow_messages import list_batches
from internal.http.frames import ARROW, CSV, JSON, PARQUET, decode

FRAME = pl.DataFrame(
    {
        "ticker": pl.Series(["AAPL", "MSFT"] * 50, dtype=pl.Categorical),
        "close": [1.5] * 100,
        "note": [None] * 100,
        "lots": [[1, 2]] * 100,
    }
)
WIDE = ",".join(f"column_{number}" for number in range(20_000))
type Compression = Literal["uncompressed", "lz4", "zstd"]


def arrow(frame: pl.DataFrame, compression: Compression = "uncompressed") -> bytes:
    """The frame as an Arrow stream."""
    buffer = io.BytesIO()
    frame.write_ipc_stream(buffer, compression=compression)
    return buffer.getvalue()


def parquet(frame: pl.DataFrame) -> bytes:
    """The frame as parquet."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_sizes_are_read_from_the_messages(compression: Compression) -> None:
    """As many values as pyarrow finds, and the bytes of the plain stream's buffers, whatever the compression."""
    (dictionary, rows), plain = list_batches(arrow(FRAME, compression)), list_batches(arrow(FRAME))
    table = pa.ipc.open_stream(arrow(FRAME, compression)).read_all()
    lots = table.column("lots").combine_chunks()
    assert (dictionary.values, rows.values) == (2, 4 * table.num_rows + len(lots.flatten()))
    assert [batch.unpacked_bytes for batch in (dictionary, rows)] == [batch.unpacked_bytes for batch in plain]
    assert rows.unpacked_bytes > 100 * 8


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_damage_is_an_error_in_words(data: st.DataObject) -> None:
    """A stream that is cut off, or has other bytes anywhere, raises ValueError or is measured; nothing else."""
    stream = bytearray(arrow(FRAME, "zstd"))
    for _ in range(data.draw(st.integers(0, 4))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    with suppress(ValueError):
        list_batches(bytes(stream[: data.draw(st.integers(0, len(stream)))]))


BOMBS: list[tuple[str, Callable[[], bytes]]] = [
    (ARROW, lambda: arrow(pl.select(pl.repeat(None, 2_000_000_000, dtype=pl.Null)))),
    (CSV, (WIDE + "\nAAPL" * 20_000).encode),
    (CSV, ('"one\ntwo",' + WIDE + "\nAAPL" * 20_000).encode),
    (JSON, lambda: json.dumps([{f"column_{number}": 1} for number in range(15_000)]).encode()),
]


@pytest.mark.parametrize(("media_type", "make"), BOMBS, ids=["arrow", "csv", "csv-two-lines", "json"])
def test_values(media_type: str, make: Callable[[], bytes]) -> None:
    """Less than a megabyte that says more than a hundred million values."""
    body = make()
    assert len(body) < 1_000_000
    with pytest.raises(InvalidRequestError, match=r"unpacks to \d+ values, and at most 100000000 are read; send parts"):
        decode(body, media_type)


@pytest.mark.parametrize("media_type", [ARROW, PARQUET])
@pytest.mark.parametrize(("limit", "what"), [("MOST_VALUES", "100000 values"), ("MOST_BYTES", r"\d{6} bytes")])
def test_limits(monkeypatch: pytest.MonkeyPatch, media_type: str, limit: str, what: str) -> None:
    """Rows that repeat one value, and one value that repeats one letter; what is as large as allowed is read."""
    rows = pl.DataFrame({"close": pl.Series([1.0] * 100_000)})
    frame = rows if limit == "MOST_VALUES" else pl.DataFrame({"text": ["x" * 900_000]})
    body = arrow(frame, "zstd") if media_type == ARROW else parquet(frame)
    assert len(body) < 10_000
    assert decode(body, media_type).equals(frame)
    monkeypatch.setattr(decoded_size, limit, 99_999)
    with pytest.raises(InvalidRequestError, match=f"unpacks to {what}"):
        decode(body, media_type)


def test_nested_records() -> None:
    """Names inside a value would multiply as those of columns do: a value is one value."""
    with pytest.raises(InvalidRequestError, match="column ticker holds a list or an object"):
        decode(b'[{"ticker": {"a": 1}}]', JSON)
