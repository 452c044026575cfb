"""A simulated market's prices as compact arrays: every bar, split and dividend, by session and ticker number."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class SplitEvent:
    """`split_to` shares for `split_from`, before the open of the session."""

    session: int
    ticker: int
    split_from: int
    split_to: int


@dataclass(frozen=True)
class DividendEvent:
    """`cents` a share for whoever holds it before the open of the session; declared at `declared`'s close."""

    session: int
    declared: int
    ticker: int
    cents: int


@dataclass(frozen=True)
class Path:
    """Every bar, [session, ticker]; a volume of 0 is a session without a bar (halted or not listed).

    Prices in cents, `volume_weighted_average_price` in hundredths of a cent, volume in shares.
    """

    open: npt.NDArray[np.int32]
    high: npt.NDArray[np.int32]
    low: npt.NDArray[np.int32]
    close: npt.NDArray[np.int32]
    volume_weighted_average_price: npt.NDArray[np.int32]
    volume: npt.NDArray[np.uint32]
    transactions: npt.NDArray[np.int32]
    splits: list[SplitEvent] = field(default_factory=list)
    dividends: list[DividendEvent] = field(default_factory=list)


def empty_path(session_count: int, ticker_count: int) -> Path:
    """No bar yet."""
    shape = (session_count, ticker_count)
    return Path(
        open=np.zeros(shape, dtype=np.int32),
        high=np.zeros(shape, dtype=np.int32),
        low=np.zeros(shape, dtype=np.int32),
        close=np.zeros(shape, dtype=np.int32),
        volume_weighted_average_price=np.zeros(shape, dtype=np.int32),
        volume=np.zeros(shape, dtype=np.uint32),
        transactions=np.zeros(shape, dtype=np.int32),
    )
