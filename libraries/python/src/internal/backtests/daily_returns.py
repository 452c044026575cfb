"""The daily returns of a finished trial, and the bytes of the file that holds them."""

import io
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

type Series = NDArray[np.float64]

_ROW: Final = np.dtype([("day", "datetime64[D]"), ("value", "f8")])


@dataclass(frozen=True, eq=False)
class DailyReturns:
    """Returns by session: each is from the close of the session before to that of its own day.

    Attributes:
        days: The sessions, ascending.
        values: Fractions, f64 [session].
    """

    days: tuple[date, ...]
    values: Series


def encode_returns(returns: DailyReturns) -> bytes:
    """The returns in numpy's own file format: one array of rows (day, value). Equal returns give equal bytes."""
    rows = np.empty(len(returns.days), dtype=_ROW)
    rows["day"], rows["value"] = np.array(returns.days, dtype="datetime64[D]"), returns.values
    file = io.BytesIO()
    np.save(file, rows, allow_pickle=False)
    return file.getvalue()


def decode_returns(content: bytes) -> DailyReturns:
    """The returns that `encode_returns` wrote."""
    rows = np.load(io.BytesIO(content), allow_pickle=False)
    return DailyReturns(tuple(rows["day"].tolist()), np.array(rows["value"]))
