"""The account's exposure by sector, as fractions of net asset value."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from internal.trading.broker_reports import BrokerPosition

UNKNOWN_SECTOR = "Unknown sector"


@dataclass(frozen=True)
class SectorExposure:
    """One sector; both sides are positive."""

    name: str
    long: float
    short: float

    @property
    def net(self) -> float:
        """Long minus short."""
        return self.long - self.short

    @property
    def gross(self) -> float:
        """Long plus short."""
        return self.long + self.short


@dataclass(frozen=True)
class Exposures:
    """Every sector that is held, the largest first."""

    sectors: tuple[SectorExposure, ...]

    @property
    def long(self) -> float:
        """Of the whole account."""
        return sum(one.long for one in self.sectors)

    @property
    def short(self) -> float:
        """Of the whole account, positive."""
        return sum(one.short for one in self.sectors)

    @property
    def net(self) -> float:
        """Long minus short."""
        return self.long - self.short

    @property
    def reach(self) -> float:
        """The largest side of a sector: the scale of the picture."""
        return max((max(one.long, one.short) for one in self.sectors), default=0.0)


def sum_sectors(positions: Iterable[BrokerPosition], sectors: Mapping[str, str], value: float) -> Exposures:
    """Market values by sector over the net asset value; a position without a value counts as nothing."""
    sides: dict[str, list[float]] = {}
    for position in positions:
        side = sides.setdefault(sectors.get(position.ticker, UNKNOWN_SECTOR), [0.0, 0.0])
        side[position.quantity < 0] += abs(position.market_value or 0.0) / value if value > 0 else 0.0
    found = [SectorExposure(name, long, short) for name, (long, short) in sides.items()]
    return Exposures(tuple(sorted(found, key=lambda one: (-one.gross, one.name))))


def read_sectors(details: pl.DataFrame) -> dict[str, str]:
    """Sector by ticker, as words; those that are known."""
    known = details.filter(pl.col("sector").is_not_null()).select("ticker", "sector")
    return {ticker: sector.title() for ticker, sector in known.iter_rows()}


def read_names(details: pl.DataFrame) -> dict[str, str]:
    """Company by ticker; those that are known."""
    return dict(details.filter(pl.col("name").is_not_null()).select("ticker", "name").iter_rows())
