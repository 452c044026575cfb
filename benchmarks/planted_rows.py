"""Rows that are wrong by themselves, as a vendor sends them: one function a kind, from a valid row to its faults."""

from collections.abc import Callable
from datetime import date, timedelta

type Row = dict[str, str | None]
type PlantRow = Callable[[Row], list[Row]]


def replace(**values: str | None) -> PlantRow:
    """Replace cells of the row."""
    return lambda row: [row | values]


def swap(one: str, other: str) -> PlantRow:
    """Exchange two columns."""
    return lambda row: [row | {one: row[other], other: row[one]}]


def scale(name: str, of: str, factor: float) -> PlantRow:
    """Set a column to another one's number times a factor."""
    return lambda row: [row | {name: repr(float(row[of] or 0) * factor)}]


def move_day(days: int) -> PlantRow:
    """Date the row so many days later."""
    return lambda row: [row | {"date": (date.fromisoformat(row["date"] or "") + timedelta(days=days)).isoformat()}]


def to_saturday(row: Row) -> list[Row]:
    """Date the row on the Saturday of its week."""
    day = date.fromisoformat(row["date"] or "")
    return [row | {"date": (day + timedelta(days=5 - day.weekday())).isoformat()}]


def rename(prefix: str, suffix: str) -> PlantRow:
    """Put characters around the ticker."""
    return lambda row: [row | {"ticker": f"{prefix}{row['ticker']}{suffix}"}]


def state_twice(row: Row) -> list[Row]:
    """The row, and another with the same key and a larger volume."""
    return [row, row | {"volume": repr(float(row["volume"] or 0) + 100)}]


STRUCTURAL: dict[str, PlantRow] = {
    "price missing": replace(close=None),
    "price is no number": replace(open="n/a"),
    "price is NaN or infinite": lambda row: [row | {"low": "NaN"}, row | {"ticker": "ZZZ", "high": "inf"}],
    "price negative": scale("low", "low", -1.0),
    "price zero": replace(open="0"),
    "high below low": swap("high", "low"),
    "close above high": scale("close", "high", 1.001),
    "open below low": scale("open", "low", 0.999),
    "columns shifted (price and volume swapped)": swap("close", "volume"),
    "volume negative": scale("volume", "volume", -1.0),
    "one key, two different bars": state_twice,
    "date in the future": move_day(7),
    "date of the session before": move_day(-1),
    "date is no session": to_saturday,
    "ticker with control characters": rename("\x00", "^"),
    "ticker with a leading blank": rename(" ", ""),
    "ticker with a trailing blank": rename("", "\t"),
    "ticker blank": replace(ticker=" "),
    "vwap above the high": scale("volume_weighted_average_price", "high", 1.05),
    "vwap below the low": scale("volume_weighted_average_price", "low", 0.9),
    "transactions without volume": replace(volume="0"),
    "volume without transactions": replace(transactions="0"),
    "transactions no whole number": replace(transactions="12.5"),
}
