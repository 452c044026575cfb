"""The groups of rows whose forecasts are corrected together: thirds of a session by volatility, and sectors."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import polars as pl

THIRDS: Final = 3  # calm tickers are missed at other times than volatile ones
UNKNOWN: Final = 0  # the number of no sector: such tickers have nothing in common
FEW_NAMES: Final = 5  # a sector of so many tickers is believed by half


@dataclass(frozen=True)
class TickerGroups:
    """The groups of the rows of a panel.

    Attributes:
        session: The session of each row, i32 [row].
        third: Each row's third of its date by trailing volatility, 0 calm, i32 [row].
        sector: The number of each row's sector, i32 [row]; UNKNOWN without one.
    """

    session: np.ndarray
    third: np.ndarray
    sector: np.ndarray

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Self:
        """Of a frame with the columns `date`, `session`, `volatility` and `sector_number`."""
        share = (pl.col("volatility").rank("ordinal") - 1) / pl.col("volatility").count() * THIRDS
        third = frame.select(share.over("date").floor().fill_null(0).cast(pl.Int32)).to_series().to_numpy()
        session, sector = (frame.get_column(name).cast(pl.Int32).to_numpy() for name in ("session", "sector_number"))
        return cls(session, third, sector)

    @property
    def sectors(self) -> int:
        """How many numbers of sectors there are, UNKNOWN included."""
        return int(self.sector.max(initial=UNKNOWN)) + 1


def trust(count: np.ndarray) -> np.ndarray:
    """How far the mean of so many tickers is believed, 0 to 1 (Buhlmann 1967: the rest of it is noise)."""
    return np.asarray(count / (count + FEW_NAMES))
