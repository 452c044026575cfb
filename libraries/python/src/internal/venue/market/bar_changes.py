"""Changes of a simulated market's bars, in place: an event scales, ends, halts or copies a security's bars."""

import numpy as np
import numpy.typing as npt

from internal.venue.market.path import Path

PRICES = ("open", "high", "low", "close")
LARGEST_VOLUME, LARGEST_CENTS = 4e9, 2e7  # the arrays' types hold no more; averages are in hundredths of a cent


def widen_path(path: Path, count: int) -> Path:
    """The path with room for further securities, which have no bar yet."""
    names = (*PRICES, "volume_weighted_average_price", "volume", "transactions")
    wide = {name: np.pad(getattr(path, name), ((0, 0), (0, count))) for name in names}
    return Path(**wide, splits=list(path.splits), dividends=list(path.dividends))


def scale_bars(path: Path, column: int, start: int, factor: float, *, volume_factor: float = 1.0) -> None:
    """From a session on, multiply prices and volume; no price falls below a cent."""
    write_bars(path, (column, column), (start, len(path.open)), np.array(factor), volume_factor)


def write_bars(
    path: Path,
    columns: tuple[int, int],
    span: tuple[int, int],
    factor: npt.NDArray[np.float64],
    volume_factor: float = 1.0,
) -> None:
    """Write the bars of a source column, multiplied, into a target column.

    Args:
        path: The market's bars.
        columns: Source and target; the same column is scaled in place.
        span: First session and the one after the last.
        factor: On prices, one number or one a session of the span.
        volume_factor: On volumes and numbers of trades.
    """
    source, target, rows = columns[0], columns[1], slice(*span)
    traded = path.volume[rows, source] > 0
    for name in PRICES:
        values = getattr(path, name)
        cents = np.clip(np.rint(values[rows, source] * factor), 1, LARGEST_CENTS)
        values[rows, target] = np.where(traded, cents, 0)
    average = np.rint(path.volume_weighted_average_price[rows, source] * factor)
    low, high = path.low[rows, target] * 100.0, path.high[rows, target] * 100.0
    path.volume_weighted_average_price[rows, target] = np.clip(average, low, high)
    shares = np.clip(np.rint(path.volume[rows, source] * volume_factor), 1, LARGEST_VOLUME)
    path.volume[rows, target] = np.where(traded, shares, 0)
    trades = np.clip(np.rint(path.transactions[rows, source] * min(volume_factor, 1.0)), 1, None)
    path.transactions[rows, target] = np.where(traded, trades, 0)


def remove_bars(path: Path, column: int, start: int, end: int | None = None) -> None:
    """No bar from a session on, or up to another one: the security is halted, or has ended."""
    for name in (*PRICES, "volume_weighted_average_price", "volume", "transactions"):
        getattr(path, name)[start:end, column] = 0
