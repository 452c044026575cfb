"""The risk limits applied to a decision: what it would open or add is cut, each with a reason."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import floor, isfinite

import numpy as np

from internal.trading.arrays import FloatArray
from internal.trading.enums import Side
from internal.trading.limit_kinds import LimitCut, LimitKind
from internal.trading.limits import RiskLimits
from internal.trading.portfolio import PortfolioRow
from internal.trading.situation import Situation

ROUNDING = 1e-9  # a limit exceeded by less is met
NO_GROWTH = "no growth while a held name has no bars"
ROUNDS = 8  # of cuts to net exposure and beta, each of which may move the other
UNKNOWN_BETA = 1.0

type Rows = Sequence[PortfolioRow]


@dataclass(frozen=True, slots=True)
class CutRows:
    """The rows within the limits, and each cut that was made."""

    rows: Rows
    cuts: tuple[LimitCut, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence that names what was cut."""
        names = sorted({cut.ticker for cut in self.cuts})
        return (f"cut by risk limits: {', '.join(names)}",) if names else ()


def apply_limits(rows: Rows, situation: Situation, limits: RiskLimits) -> CutRows:
    """The rows with increases cut to the limits."""
    if not any(map(is_increase, rows)):
        return CutRows(rows, ())
    return _Limiter(rows, situation, limits).cut()


def is_increase(row: PortfolioRow) -> bool:
    """Whether the decision opens the name, or adds to it."""
    return row.quantity > row.held


def added_dollars(rows: Iterable[PortfolioRow]) -> float:
    """Dollars that the rows open and add."""
    return sum((row.quantity - row.held) * row.reference_price for row in rows if is_increase(row))


class _Limiter:
    """The limits of one decision; its rows become fewer dollars with every step."""

    def __init__(self, rows: Rows, situation: Situation, limits: RiskLimits) -> None:
        self._rows, self._situation, self._limits = rows, situation, limits
        self._capital = situation.capital
        self._cuts: list[LimitCut] = []

    def cut(self) -> CutRows:
        """Apply every limit, those of single names first: no later cut undoes an earlier one."""
        self._cut_each_name()
        self._cut_sectors()
        self._cut_book()
        self._cut_net_and_beta()
        return CutRows(self._rows, tuple(self._cuts))

    def _take(self, kind: LimitKind, kept: Rows) -> bool:
        """Go on with these rows, and note what was cut; whether anything was."""
        cut = [now.ticker for before, now in zip(self._rows, kept, strict=True) if now.quantity < before.quantity]
        self._cuts += (LimitCut(ticker, kind) for ticker in cut)
        self._rows = kept
        return bool(cut)

    def _cut_each_name(self) -> None:
        limits, capital, situation = self._limits, self._capital, self._situation
        self._stop_growth(LimitKind.CURRENT_BARS, part_with_bars(situation), limits.current_bars, "bars of the day")
        with_forecasts = part_with_forecasts(situation)
        self._stop_growth(LimitKind.CURRENT_FORECASTS, with_forecasts, limits.current_forecasts, "forecasts")
        self._stop_in_disagreement()
        collar = f"its close is {limits.price_collar:.0%} or more from the one before"
        self._cut_each(LimitKind.PRICE_COLLAR, self._collar_shares, collar)
        name = f"{limits.name_weight:.0%} of capital"
        self._cut_each(LimitKind.NAME_WEIGHT, lambda row: limits.name_weight * capital / row.reference_price, name)
        self._cut_each(
            LimitKind.PARTICIPATION,
            lambda row: row.held + limits.participation * _mean_volume(situation, row),
            f"{limits.participation:.0%} of its mean volume",
        )
        self._cut_each(
            LimitKind.ORDER_SIZE,
            lambda row: row.held + limits.order_size * capital / row.reference_price,
            f"an order of {limits.order_size:.0%} of capital",
        )

    def _cut_each(self, kind: LimitKind, shares: Callable[[PortfolioRow], float], limit: str) -> None:
        """Each increase cut to its own limit in shares."""
        kept = [
            _cut_to(row, shares(row), limit) if is_increase(row) and row.quantity > shares(row) + ROUNDING else row
            for row in self._rows
        ]
        self._take(kind, kept)

    def _stop_growth(self, kind: LimitKind, part: float | None, least: float, what: str) -> None:
        """Nothing is opened or added where too few names have what the decision is to rest on."""
        if part is not None and part < least:
            limit = f"only {part:.0%} of the names have {what}"
            self._take(kind, [_cut_to(row, row.held, limit) if is_increase(row) else row for row in self._rows])

    def _stop_in_disagreement(self) -> None:
        """Nothing is opened or added while the journal says that much more is held than the broker has."""
        missing, allowed = self._situation.missing_dollars, self._limits.journal_difference * self._capital
        if missing > allowed:
            limit = f"{missing:.2f} dollars of positions are in the journal and not at the broker"
            kept = [_cut_to(row, row.held, limit) if is_increase(row) else row for row in self._rows]
            self._take(LimitKind.JOURNAL_DIFFERENCE, kept)

    def _collar_shares(self, row: PortfolioRow) -> float:
        before = _value_of(self._situation.inputs.previous_price, self._situation, row)
        moved = abs(row.reference_price / before - 1) if before is not None and before > 0 else 0.0
        return row.held if moved >= self._limits.price_collar else row.quantity

    def _cut_sectors(self) -> None:
        """Each sector's dollars; without details, and for names that have none, there is nothing to sum."""
        details, found = self._situation.details, dict[str, float]()
        if details is None:
            return
        sectors = {row.ticker: _sector(self._situation, details.sector, row) for row in self._rows}
        for row in self._rows:
            if (sector := sectors[row.ticker]) is not None:
                found[sector] = found.get(sector, 0.0) + row.dollar_amount
        dollars = self._limits.sector_weight * self._capital
        for sector, amount in found.items():
            limit = f"{self._limits.sector_weight:.0%} of capital in {sector}"
            self._scale(
                LimitKind.SECTOR_WEIGHT, amount - dollars, lambda row, one=sector: sectors[row.ticker] == one, limit
            )

    def _cut_book(self) -> None:
        limits, capital = self._limits, self._capital
        excess = added_dollars(self._rows) - limits.turnover * capital
        self._scale(LimitKind.TURNOVER, excess, is_increase, f"openings of {limits.turnover:g} times capital")
        self._cut_count()
        gross = f"gross exposure of {limits.gross_exposure:g}"
        excess = _dollars(self._rows) - limits.gross_exposure * capital
        self._scale(LimitKind.GROSS_EXPOSURE, excess, is_increase, gross)
        if any(limits.is_missing(position, self._situation) for position in self._situation.positions):
            held = sum(row.held * row.reference_price for row in self._rows)
            self._scale(LimitKind.MISSING_SESSIONS, _dollars(self._rows) - held, is_increase, NO_GROWTH)

    def _cut_count(self) -> None:
        """The largest increases stay, as many as the count leaves beside what closes."""
        orders = [row for row in self._rows if row.quantity != row.held]
        if len(orders) <= self._limits.orders_a_day:
            return
        grown = sorted(filter(is_increase, orders), key=lambda row: (-added_dollars([row]), row.ticker))
        room = max(self._limits.orders_a_day - (len(orders) - len(grown)), 0)
        left, limit = {row.ticker for row in grown[room:]}, f"{self._limits.orders_a_day} orders a day"
        kept = [_cut_to(row, row.held, limit) if row.ticker in left else row for row in self._rows]
        self._take(LimitKind.ORDERS_A_DAY, kept)

    def _cut_net_and_beta(self) -> None:
        """Both, again while one cut moves the other; where that does not end, nothing is opened or added."""
        for _ in range(ROUNDS):
            if not (self._cut_net() | self._cut_beta()):
                return
        limit = "net exposure and beta cannot both be met"
        self._take(LimitKind.BETA, [_cut_to(row, row.held, limit) if is_increase(row) else row for row in self._rows])

    def _cut_net(self) -> bool:
        values = {side: _dollars(row for row in self._rows if row.side is side) for side in Side}
        larger = max(Side, key=lambda side: values[side])
        excess = values[larger] - values[larger.opposite] - self._limits.net_exposure * self._capital
        limit = f"net exposure of {self._limits.net_exposure:g}"
        return self._scale(LimitKind.NET_EXPOSURE, excess, lambda row: row.side is larger, limit)

    def _cut_beta(self) -> bool:
        """Scale what moves the book further from a beta of zero."""
        if self._situation.inputs.beta is None:
            return False
        betas = {row.ticker: self._beta(row) for row in self._rows}
        total = sum(betas[row.ticker] * row.dollar_amount for row in self._rows)
        sign, excess = (1.0 if total > 0 else -1.0), abs(total) - self._limits.beta * self._capital
        return self._scale(
            LimitKind.BETA,
            excess,
            lambda row: betas[row.ticker] * sign > 0,
            f"a beta of {self._limits.beta:g}",
            lambda row: abs(betas[row.ticker]),
        )

    def _beta(self, row: PortfolioRow) -> float:
        """The name's beta, negative for a short of a name that moves with the market."""
        known = _value_of(self._situation.inputs.beta, self._situation, row)
        return (UNKNOWN_BETA if known is None else known) * (1 if row.side is Side.LONG else -1)

    def _scale(
        self,
        kind: LimitKind,
        excess: float,
        is_chosen: Callable[[PortfolioRow], bool],
        limit: str,
        unit: Callable[[PortfolioRow], float] = lambda _row: 1.0,
    ) -> bool:
        """Take the excess off the chosen increases in proportion; `unit` is what a dollar of a row counts."""
        chosen = [row for row in self._rows if is_increase(row) and is_chosen(row)]
        added = sum(added_dollars([row]) * unit(row) for row in chosen)
        if excess <= ROUNDING * max(added, 1.0) or not added:
            return False
        part, names = max(1 - excess / added, 0.0), {row.ticker for row in chosen}
        kept = [
            _cut_to(row, row.held + (row.quantity - row.held) * part, limit) if row.ticker in names else row
            for row in self._rows
        ]
        return self._take(kind, kept)


def part_with_bars(situation: Situation) -> float | None:
    """Of the names with a bar in the session before the day, the part with one in the day; None where unknown."""
    missing = situation.inputs.missing_sessions
    if missing is None:
        return None
    today, before = int((missing == 0).sum()), int((missing <= 1).sum())
    return today / before if before else None


def part_with_forecasts(situation: Situation) -> float | None:
    """Of the names in the universe, the part with a forecast; None where none was asked for, or nothing is liquid."""
    inputs = situation.inputs
    if inputs.forecasts is None or not inputs.liquid.any():
        return None
    return float(np.isfinite(inputs.bands[inputs.liquid, 1]).mean())


def _dollars(rows: Iterable[PortfolioRow]) -> float:
    return sum(row.dollar_amount for row in rows)


def _value_of(values: FloatArray | None, situation: Situation, row: PortfolioRow) -> float | None:
    """The name's value in an array of the day; None where it has none."""
    place = None if values is None else situation.find(row.ticker)
    if values is None or place is None:
        return None
    value = values.item(place)
    return value if isfinite(value) else None


def _mean_volume(situation: Situation, row: PortfolioRow) -> float:
    return _value_of(situation.inputs.mean_volume, situation, row) or 0.0


def _sector(situation: Situation, sectors: Sequence[str | None], row: PortfolioRow) -> str | None:
    place = situation.find(row.ticker)
    return None if place is None else sectors[place]


def _cut_to(row: PortfolioRow, shares: float, limit: str) -> PortfolioRow:
    """The increase cut to whole shares, never below what is held."""
    quantity = row.held + max(float(floor(shares - row.held + ROUNDING)), 0.0)
    return replace(row, quantity=quantity, reason=f"{row.reason}; cut to the limit: {limit}")
