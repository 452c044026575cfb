"""A client's named lists of tickers."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Watchlist:
    """An ordered list of tickers under a name; moments in UTC."""

    id: str
    name: str
    tickers: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
