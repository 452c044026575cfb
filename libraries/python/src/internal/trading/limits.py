"""Risk limits: they stand outside every strategy and cut what it asks for, each with a reason."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import floor, isfinite

from internal.trading.enums import Side
from internal.trading.name_filter import NameFilter
from internal.trading.rows import PortfolioRow, Position, Situation

ROUNDING = 1e-9  # a limit exceeded by less is met
NO_GROWTH = "no growth while a held name has no bars"


@dataclass(frozen=True)
class RiskLimits:
    """Limits of the whole fund. Fractions are of net asset value unless said.

    A limit cuts what would be opened or topped up; a position that moved above it is not sold by it.

    Attributes:
        gross_exposure: long plus short market value. Regulation T allows 2 overnight.
        net_exposure: the difference of the sides, whichever is larger.
        name_weight: one name.
        participation: an order's part of the name's mean volume a session.
        balance_tolerance: when orders fail, the sides may differ from the decision by this fraction of the larger one.
        missing_sessions: a position without a bar for so many sessions is closed as soon as the broker trades it, and
            until it is gone the book does not grow beyond the dollars that it holds.
        names: Which securities may be opened at all.
    """

    gross_exposure: float = 2.0
    net_exposure: float = 1.0
    name_weight: float = 0.25
    participation: float = 0.1
    balance_tolerance: float = 0.05
    missing_sessions: int = 5
    names: NameFilter = field(default_factory=NameFilter)

    def is_missing(self, position: Position, situation: Situation) -> bool:
        """Whether the position has had no bar for too long: it is halted, delisted, or its data is gone."""
        return situation.sessions_without_bar(position) >= self.missing_sessions


def apply_limits(
    rows: Sequence[PortfolioRow], situation: Situation, limits: RiskLimits
) -> tuple[list[PortfolioRow], list[str]]:
    """The rows with increases cut to the limits, and a note for each limit that cut something."""
    capital = max(situation.net_asset_value, 0.0)
    name, participation = f"{limits.name_weight:.0%} of capital", f"{limits.participation:.0%} of its mean volume"
    kept = _cut_each(rows, lambda row: limits.name_weight * capital / row.reference_price, name)
    kept = _cut_each(kept, lambda row: row.held + limits.participation * _mean_volume(situation, row), participation)
    kept = _cut_gross(kept, limits.gross_exposure * capital, f"gross exposure of {limits.gross_exposure:g}")
    kept = _cut_net(kept, limits.net_exposure * capital, f"net exposure of {limits.net_exposure:g}")
    if any(limits.is_missing(position, situation) for position in situation.positions):
        kept = _cut_gross(kept, sum(row.held * row.reference_price for row in rows), NO_GROWTH)
    cut = [now.ticker for before, now in zip(rows, kept, strict=True) if now.quantity < before.quantity]
    return kept, [f"cut by risk limits: {', '.join(cut)}"] if cut else []


def _mean_volume(situation: Situation, row: PortfolioRow) -> float:
    place = situation.inputs.find(row.ticker)
    volume = float("nan") if place is None else float(situation.inputs.mean_volume[place])
    return volume if isfinite(volume) else 0.0


def _is_increase(row: PortfolioRow) -> bool:
    return row.quantity > row.held


def _cut_to(row: PortfolioRow, shares: float, limit: str) -> PortfolioRow:
    """The increase cut to whole shares, never below what is held."""
    quantity = row.held + max(float(floor(shares - row.held + ROUNDING)), 0.0)
    return replace(row, quantity=quantity, reason=f"{row.reason}; cut to the limit: {limit}")


def _cut_each(rows: Sequence[PortfolioRow], shares: Callable[[PortfolioRow], float], limit: str) -> list[PortfolioRow]:
    """Each increase cut to its own limit in shares."""
    return [
        _cut_to(row, shares(row), limit) if _is_increase(row) and row.quantity > shares(row) + ROUNDING else row
        for row in rows
    ]


def _cut_gross(rows: Sequence[PortfolioRow], dollars: float, limit: str) -> list[PortfolioRow]:
    return _scale_increases(rows, sum(row.dollar_amount for row in rows) - dollars, tuple(Side), limit)


def _cut_net(rows: Sequence[PortfolioRow], dollars: float, limit: str) -> list[PortfolioRow]:
    values = {side: sum(row.dollar_amount for row in rows if row.side is side) for side in Side}
    larger = max(Side, key=lambda side: values[side])
    return _scale_increases(rows, values[larger] - values[larger.opposite] - dollars, (larger,), limit)


def _scale_increases(
    rows: Sequence[PortfolioRow], excess: float, sides: tuple[Side, ...], limit: str
) -> list[PortfolioRow]:
    """Take the excess dollars off the increases of the sides, in proportion."""
    chosen = [row for row in rows if _is_increase(row) and row.side in sides]
    added = sum((row.quantity - row.held) * row.reference_price for row in chosen)
    if excess <= ROUNDING * max(added, 1.0) or not added:
        return list(rows)
    part, names = max(1 - excess / added, 0.0), {row.ticker for row in chosen}
    return [
        _cut_to(row, row.held + (row.quantity - row.held) * part, limit) if row.ticker in names else row for row in rows
    ]
