"""Where columns lie in memory, for the functions of bars.c. Pure."""
# pyarrow ships no types
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from internal.bar_kernels.library import Strings

NEWEST = pl.CompatLevel.newest()
VIEW_BYTES = 16

type Order = NDArray[np.uint32]  # the number of each row among the rows as they are stored


@dataclass(frozen=True)
class StringViews:
    """Where the tickers of one chunk lie in memory, which this keeps.

    Attributes:
        strings: For the functions of bars.c.
        count: Of tickers.
        kept: What owns the memory.
    """

    strings: Strings
    count: int
    kept: tuple[object, ...]


def find_views(tickers: pl.Series) -> StringViews:
    """The tickers of a series in one chunk, which are not copied."""
    array = tickers.cast(pl.String).to_arrow(compat_level=NEWEST)
    _, views, *texts = array.buffers()
    addresses = np.array([text.address for text in texts], dtype=np.uintp)
    first = 0 if views is None else views.address + VIEW_BYTES * array.offset
    strings = Strings(first, addresses.ctypes.data)
    return StringViews(strings, len(array), (array, addresses))


class Columns:
    """Columns of bars, and memory for what becomes of them, which may be in another order of rows."""

    def __init__(self, bars: pl.DataFrame, names: Sequence[str], order: Order | None) -> None:
        import pyarrow as pa  # noqa: PLC0415 - services start without it: 0.1 s and 30 MB

        self._order = order
        self._before = [bars.get_column(name) for name in names if name in bars.columns]
        self._read = [column.cast(pl.Float64).to_numpy() for column in self._before]
        self._written = [pa.allocate_buffer(8 * bars.height) for _ in self._before]
        self._addresses = (
            np.array([column.ctypes.data for column in self._read], dtype=np.uintp),
            np.array([buffer.address for buffer in self._written], dtype=np.uintp),
        )

    def addresses(self) -> tuple[int, int, int]:
        """Where the addresses of what is read and of what is written are, and how many of each."""
        read, written = self._addresses
        return read.ctypes.data, written.ctypes.data, len(self._before)

    def results(self) -> Iterator[pl.Series]:
        """The columns as written."""
        import pyarrow as pa  # noqa: PLC0415 - see the constructor

        for before, buffer in zip(self._before, self._written, strict=True):
            values = pa.Array.from_buffers(pa.float64(), before.len(), [None, buffer])
            after = pl.Series(before.name, values)
            yield after.set(self._find_nulls(before), None) if before.has_nulls() else after

    def _find_nulls(self, before: pl.Series) -> pl.Series:
        nulls = before.is_null()
        return nulls if self._order is None else nulls.gather(self._order)
