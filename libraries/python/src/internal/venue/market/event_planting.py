"""Carries planned events out on a simulated market: its bars, its securities and tickers, its corporate actions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import numpy as np

from internal.action_kinds import ActionKind
from internal.dates import next_session
from internal.venue.corporate_actions import CorporateAction, dividend_action, split_action
from internal.venue.market.bar_changes import remove_bars, scale_bars, widen_path, write_bars
from internal.venue.market.event_rates import EventRates
from internal.venue.market.listing import Listing
from internal.venue.market.path import Path
from internal.venue.market.planned_events import HALTED_BEFORE, EventPlan, PlannedEvent
from internal.venue.market.planted_names import PlantedNames
from internal.venue.market.security_types import COMMON_STOCK, RIGHT, WARRANT, draw_types, make_child
from internal.venue.market.simulated_actions import path_actions
from internal.venue.money import decimal_of

SPLIT_TERMS = {
    ActionKind.FORWARD_SPLIT: ((1, 2), (1, 3), (2, 3)),
    ActionKind.REVERSE_SPLIT: ((2, 1), (3, 1), (10, 1)),
}
LOWEST_CENTS, HIGHEST_CENTS = 200, 50_000  # between them a share may split either way
NOISE = 0.01  # of an arriving security's daily log return, beside its parent's
RIGHTS_TRADE = 20  # sessions, then they expire worthless
COLLAPSE_BEFORE, COLLAPSED = 20, 0.03  # sessions before a worthless removal, and what the price falls to
NEW_SECURITIES = {ActionKind.SPIN_OFF: 1, ActionKind.RIGHTS_DISTRIBUTION: 1, ActionKind.UNIT_SPLIT: 2}
PAY_LEAD = 10  # sessions from the ex-date to the payment


@dataclass(frozen=True)
class PlantedMarket:
    """The market with its events: listings, each with its tickers, one a column of the path, and every action."""

    listings: tuple[Listing, ...]
    path: Path
    actions: tuple[CorporateAction, ...]


def plant_events(  # noqa: PLR0913, PLR0917 - what a market is made of, and the setting
    listings: Sequence[Listing],
    path: Path,
    sessions: Sequence[date],
    rates: EventRates,
    first: int,
    seed: np.random.SeedSequence,
) -> PlantedMarket:
    """The market after everything that is planned happened; equal arguments give equal markets."""
    random = np.random.default_rng(seed)
    typed = draw_types(tuple(listings), random)
    plan = EventPlan(typed, path, rates, first, random)
    planting = _Planting(typed, path, sessions, plan, random)
    for event in plan.events:
        if event.kind is ActionKind.WORTHLESS_REMOVAL:
            planting.collapse(event)
    for event in plan.events:
        planting.carry_out(event)
    for halt in plan.halts:
        remove_bars(planting.path, halt.column, halt.start, halt.end)
    return planting.finish()


class _Planting:
    """The market while its events are carried out, in order."""

    def __init__(
        self,
        listings: Sequence[Listing],
        path: Path,
        sessions: Sequence[date],
        plan: EventPlan,
        random: np.random.Generator,
    ) -> None:
        self.path = widen_path(path, sum(NEW_SECURITIES.get(event.kind, 0) for event in plan.events))
        self._sessions, self._random = sessions, random
        self._listings = [replace(one, security_id=one.share_class_figi) for one in listings]
        self._names = PlantedNames(self._listings, random)
        self._own: list[CorporateAction] = []
        self._factors: dict[int, list[tuple[int, float]]] = {}
        self._effects: dict[ActionKind, Callable[[PlannedEvent], CorporateAction]] = {
            ActionKind.FORWARD_SPLIT: self._split,
            ActionKind.REVERSE_SPLIT: self._split,
            ActionKind.STOCK_DIVIDEND: self._pay_stock,
            ActionKind.CASH_DIVIDEND: self._pay_special_dividend,
            ActionKind.SPIN_OFF: self._spin_off,
            ActionKind.RIGHTS_DISTRIBUTION: self._distribute_rights,
            ActionKind.UNIT_SPLIT: self._split_unit,
            ActionKind.CASH_MERGER: self._merge,
            ActionKind.STOCK_MERGER: self._merge,
            ActionKind.STOCK_AND_CASH_MERGER: self._merge,
            ActionKind.REDEMPTION: self._redeem,
            ActionKind.WORTHLESS_REMOVAL: self._remove,
            ActionKind.NAME_CHANGE: self._rename,
        }

    def collapse(self, event: PlannedEvent) -> None:
        """The fall of a security before its worthless removal, ahead of everything that is measured by its price."""
        start = max(event.session - COLLAPSE_BEFORE, 1)
        self._scale(replace(event, session=start), COLLAPSED, volume_factor=5.0)
        remove_bars(self.path, event.column, event.session - HALTED_BEFORE)

    def carry_out(self, event: PlannedEvent) -> None:
        """One event."""
        self._own.append(self._effects[event.kind](event))

    def finish(self) -> PlantedMarket:
        """The market with its regular splits and dividends under the names and in the shares of their days."""
        listings = tuple(
            replace(one, ticker=names[-1].ticker, tickers=tuple(names) if len(names) > 1 else ())
            for one, names in zip(self._listings, self._names.periods, strict=True)
        )
        regular = path_actions(self._kept_events(), self._sessions, self._name_before)
        return PlantedMarket(listings, self.path, (*regular, *self._own))

    def _kept_events(self) -> Path:
        """The path's own splits and dividends of securities that trade then; dividends in the shares of their day."""
        last = [self._end_of(column) for column in range(len(self._listings))]
        dividends = [
            replace(event, cents=max(1, round(event.cents * self._factor(event.ticker, event.session))))
            for event in self.path.dividends
            if event.session < last[event.ticker]
        ]
        splits = [event for event in self.path.splits if event.session < last[event.ticker]]
        return replace(self.path, splits=splits, dividends=dividends)

    def _end_of(self, column: int) -> int:
        ended = self._listings[column].delisted_date
        return len(self._sessions) if ended is None else self._sessions.index(ended)

    def _factor(self, column: int, session: int) -> float:
        found = [factor for start, factor in self._factors.get(column, ()) if start <= session]
        return float(np.prod(found)) if found else 1.0

    def _split(self, event: PlannedEvent) -> CorporateAction:
        cents = self._last_cents(event)
        kind = event.kind
        if not LOWEST_CENTS <= cents <= HIGHEST_CENTS:  # nobody makes a dear share dearer, or a cheap one cheaper
            kind = ActionKind.FORWARD_SPLIT if cents > HIGHEST_CENTS else ActionKind.REVERSE_SPLIT
        terms = SPLIT_TERMS[kind]
        old, new = terms[int(self._random.integers(len(terms)))]
        self._scale(event, old / new, volume_factor=new / old)
        return split_action(self._name(event), self._day(event), Decimal(old), Decimal(new))

    def _pay_stock(self, event: PlannedEvent) -> CorporateAction:
        rate = Decimal(int(self._random.integers(1, 5))) / 20
        self._scale(event, 1 / (1 + float(rate)), volume_factor=1 + float(rate))
        return self._action(event, old_shares=Decimal(1), new_shares=rate)

    def _pay_special_dividend(self, event: PlannedEvent) -> CorporateAction:
        amount = max(1, round(self._last_cents(event) * self._random.uniform(0.02, 0.1)))
        self._scale(event, max(1 - amount / self._last_cents(event), 0.5))
        day = self._day(event)
        return dividend_action(
            self._name(event),
            day,
            decimal_of(amount / 100),
            special=True,
            declaration_date=self._declared(event),
            record_date=day,
            pay_date=next_session(day, PAY_LEAD),
        )

    def _spin_off(self, event: PlannedEvent) -> CorporateAction:
        share, old = self._random.uniform(0.05, 0.3), int(self._random.integers(1, 9))
        child = self._list_child(event, share * old, "Spinco Inc.", COMMON_STOCK)
        self._scale(event, 1 - share)
        return self._action(event, old_shares=Decimal(old), new_shares=Decimal(1), new_ticker=child)

    def _distribute_rights(self, event: PlannedEvent) -> CorporateAction:
        share = self._random.uniform(0.01, 0.04)
        child = self._list_child(event, share, "Subscription Rights", RIGHT)
        self._scale(event, 1 - share)
        expires = event.session + RIGHTS_TRADE
        if expires < min(len(self._sessions), self._end_of(len(self._listings) - 1)):
            self._end(len(self._listings) - 1, expires)
            self._own.append(CorporateAction(ActionKind.WORTHLESS_REMOVAL, child, self._sessions[expires]))
        return self._action(event, old_shares=Decimal(1), new_shares=Decimal(1), new_ticker=child)

    def _split_unit(self, event: PlannedEvent) -> CorporateAction:
        stock = self._list_child(event, 0.9, "Acquisition Corp. Class A", COMMON_STOCK)
        warrant = self._list_child(event, 0.2, "Acquisition Corp. Warrants", WARRANT)
        self._end(event.column, event.session)
        return self._action(
            event,
            old_shares=Decimal(1),
            new_shares=Decimal(1),
            new_ticker=stock,
            second_shares=Decimal("0.5"),
            second_ticker=warrant,
        )

    def _merge(self, event: PlannedEvent) -> CorporateAction:
        cents, acquirer = self._last_cents(event), self._find_acquirer(event)
        if event.kind is ActionKind.CASH_MERGER or acquirer is None:
            self._end(event.column, event.session)
            paid = decimal_of(round(cents * self._random.uniform(1.0, 1.03)) / 100)
            return self._action(replace(event, kind=ActionKind.CASH_MERGER), cash_amount=paid)
        share = 0.3 if event.kind is ActionKind.STOCK_AND_CASH_MERGER else 0.0
        ratio = max(round((1 - share) * cents / int(self.path.close[event.session - 1, acquirer]), 4), 0.0001)
        paid = decimal_of(max(1, round(share * cents)) / 100) if share else None
        self._end(event.column, event.session)
        new_ticker = self._name(replace(event, column=acquirer))
        return self._action(
            event, old_shares=Decimal(1), new_shares=decimal_of(ratio), new_ticker=new_ticker, cash_amount=paid
        )

    def _redeem(self, event: PlannedEvent) -> CorporateAction:
        paid = decimal_of(self._last_cents(event) / 100)
        self._end(event.column, event.session)
        return self._action(event, cash_amount=paid)

    def _remove(self, event: PlannedEvent) -> CorporateAction:
        self._end(event.column, event.session)
        return self._action(event)

    def _rename(self, event: PlannedEvent) -> CorporateAction:
        action = self._action(event)
        return replace(action, new_ticker=self._names.rename(event.column, event.session, self._day(event)))

    def _list_child(self, event: PlannedEvent, factor: float, name: str, security_type: str) -> str:
        """List a security whose prices follow the parent's, `factor` times them, with noise of its own; its ticker."""
        column, end = len(self._listings), self._end_of(event.column)
        ticker = self._names.add(event.session, self._day(event))
        noise = np.exp(np.cumsum(self._random.normal(0.0, NOISE, len(self._sessions) - event.session)))
        write_bars(self.path, (event.column, column), (event.session, len(self._sessions)), factor * noise, 0.5)
        parent = self._listings[event.column]
        child = make_child(replace(parent, ticker=ticker, listed_date=self._day(event)), column, name, security_type)
        self._listings.append(child if end < len(self._sessions) else replace(child, delisted_date=None))
        return ticker

    def _find_acquirer(self, event: PlannedEvent) -> int | None:
        """A common stock that trades on, priced in the middle; None where there is none."""
        near = self.path.volume[event.session - 1 : event.session + 1].all(axis=0)
        fits = [
            column
            for column in np.flatnonzero(near).tolist()
            if column != event.column
            and column < len(self._listings)
            and self._listings[column].security_type == COMMON_STOCK
        ]
        return fits[int(self._random.integers(len(fits)))] if fits else None

    def _scale(self, event: PlannedEvent, factor: float, volume_factor: float = 1.0) -> None:
        scale_bars(self.path, event.column, event.session, factor, volume_factor=volume_factor)
        self._factors.setdefault(event.column, []).append((event.session, factor))

    def _end(self, column: int, session: int) -> None:
        remove_bars(self.path, column, session)
        self._listings[column] = replace(self._listings[column], delisted_date=self._sessions[session])

    def _action(self, event: PlannedEvent, **terms: Decimal | str | None) -> CorporateAction:
        day = self._day(event)
        stated = CorporateAction(
            event.kind,
            self._name(event),
            day,
            declaration_date=self._declared(event),
            record_date=day,
            pay_date=day,
        )
        return replace(stated, **terms)

    def _name(self, event: PlannedEvent) -> str:
        return self._name_before(event.column, event.session)

    def _name_before(self, column: int, session: int) -> str:
        """The ticker on the session before."""
        return self._names.before(column, self._sessions[session])

    def _day(self, event: PlannedEvent) -> date:
        return self._sessions[event.session]

    def _declared(self, event: PlannedEvent) -> date:
        return self._sessions[max(event.session - PAY_LEAD, 0)]

    def _last_cents(self, event: PlannedEvent) -> int:
        return max(1, int(self.path.close[event.session - 1, event.column]))
