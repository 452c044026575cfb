"""The Decisions pages: every session that was decided, and one of them whole."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil
from types import MappingProxyType
from typing import Self
from urllib.parse import urlencode

from internal.pages import marks
from internal.pages.formats import count, day_time
from internal.trading.decision_records import DecisionRecord, NameRecord
from internal.trading.enums import Leg, NameOutcome, OrderSide, OrderState, RunState
from internal.trading.funnel import Funnel
from internal.trading.orders import Order
from internal.trading.positions import Entry
from internal.trading.rank_cutoffs import RankCutoffs
from internal.trading.replay import Difference, Replay
from internal.trading.runs import RebalanceRun
from internal.trading.slippage import FillSummary, measure_impact
from portfoliomanager.fill_days import fill_day

PAGE_ROWS = 100
STRIP_SESSIONS = 20  # around the one that is shown
SHOWN_DIFFERENCES = 20
LEG_WORDS = {
    (Leg.OPEN, OrderSide.BUY): "Buy",
    (Leg.OPEN, OrderSide.SELL): "Sell short",
    (Leg.ADD, OrderSide.BUY): "Buy more",
    (Leg.ADD, OrderSide.SELL): "Sell more short",
    (Leg.CLOSE, OrderSide.BUY): "Buy to close",
    (Leg.CLOSE, OrderSide.SELL): "Sell to close",
}
LEAD_OUTCOMES = (NameOutcome.OPENED, NameOutcome.CLOSED, NameOutcome.KEPT)
type OrdersOf = Callable[[str], Sequence[Order]]
"""The journal's orders of a portfolio by its id; it is asked for those that are shown alone."""


@dataclass(frozen=True)
class OrderLine:
    """An order from its decision to its fill.

    Attributes:
        order: The journal's row.
        opening_price: The open of the session that filled it, dollars as traded; None where it is not known.
    """

    order: Order
    opening_price: float | None = None

    @property
    def words(self) -> str:
        """What it does."""
        return LEG_WORDS[self.order.leg, self.order.side]

    @property
    def fills(self) -> FillSummary:
        """What was filled of it, and its slippage."""
        return FillSummary.of([self.order])

    @property
    def impact(self) -> float | None:
        """Dollars that the fill cost against the open: spread and impact; the rest of the slippage is the delay."""
        return measure_impact(self.order, self.opening_price)

    @property
    def impact_rate(self) -> float | None:
        """The impact as a fraction of the same dollars as the slippage."""
        decided = self.fills.decided_dollars
        return self.impact / decided if self.impact is not None and decided else None


@dataclass(frozen=True)
class OrderStep:
    """A step of a session's orders: its name, what of it happened, and whether it was reached."""

    name: str
    detail: str
    is_reached: bool


@dataclass(frozen=True)
class Session:
    """A decided session: its run, and its orders in the journal."""

    run: RebalanceRun
    orders: tuple[OrderLine, ...]

    @classmethod
    def of(cls, run: RebalanceRun, orders_of: OrdersOf, opens: Mapping[Entry, float] = MappingProxyType({})) -> Self:
        """The session of a run; `opens` has opening prices of tickers by day."""
        orders = orders_of(run.portfolio_id)
        return cls(run, tuple(OrderLine(one, opens.get(Entry(one.ticker, fill_day(one)))) for one in orders))

    @property
    def filled_count(self) -> int:
        """Orders that filled whole."""
        return sum(line.order.state is OrderState.FILLED for line in self.orders)

    @property
    def sent_count(self) -> int:
        """Orders that were not dropped before they were sent."""
        return sum(line.order.state is not OrderState.DROPPED for line in self.orders)

    @property
    def fills(self) -> FillSummary:
        """What was filled of all orders, and its slippage."""
        return FillSummary.of(line.order for line in self.orders)

    @property
    def impact_rate(self) -> float | None:
        """The impact of all fills as a fraction of their decided dollars; None where an open is not known."""
        filled = [line for line in self.orders if line.fills.decided_dollars]
        impacts = [line.impact for line in filled if line.impact is not None]
        return sum(impacts) / self.fills.decided_dollars if filled and len(impacts) == len(filled) else None

    @property
    def steps(self) -> tuple[OrderStep, ...]:
        """How far the orders are, from the decision to the reconciliation."""
        run, sent = self.run, self.sent_count
        orders = [line.order for line in self.orders]
        fills = [one.updated_at for one in orders if one.state is OrderState.FILLED]
        is_sent = any(one.state not in {OrderState.PLANNED, OrderState.DROPPED} for one in orders)
        is_reconciled = run.state is RunState.RECONCILED
        return (
            OrderStep("Decided", day_time(run.created_at), is_reached=True),
            OrderStep("Journalled", f"{count(len(orders), 'order')}, before any is sent", is_reached=True),
            OrderStep("Sent", f"{sent:,}: closes, then shorts, then longs", is_reached=is_sent),
            OrderStep(
                "Filled", f"{len(fills):,} completely{f', {day_time(max(fills))}' if fills else ''}", bool(fills)
            ),
            OrderStep("Reconciled", day_time(run.updated_at) if is_reconciled else "not yet", is_reconciled),
        )

    @property
    def largest_slippage(self) -> float:
        """The largest slippage of an order as a fraction, whichever its sign; the scale of their pictures."""
        return max((abs(line.fills.slippage_rate or 0.0) for line in self.orders), default=0.0)


@dataclass(frozen=True)
class SessionsView:
    """A page of the sessions; `page` is from 1."""

    sessions: tuple[Session, ...]
    session_count: int
    page: int

    @classmethod
    def of(cls, runs: Sequence[RebalanceRun], orders_of: OrdersOf, page: int) -> Self:
        """The page of the decisions, newest first, or the last one where there are fewer."""
        page = min(page, max(1, ceil(len(runs) / PAGE_ROWS)))
        shown = runs[(page - 1) * PAGE_ROWS : page * PAGE_ROWS]
        return cls(tuple(Session.of(run, orders_of) for run in shown), len(runs), page)

    @property
    def page_count(self) -> int:
        """How many pages the sessions fill."""
        return max(1, ceil(self.session_count / PAGE_ROWS))


@dataclass(frozen=True)
class NameQuery:
    """Which names are asked for: words in ticker, company or reason, and an outcome; `page` is from 1."""

    day: date
    text: str = ""
    outcome: NameOutcome | None = None
    page: int = 1

    @property
    def is_whole(self) -> bool:
        """Whether neither words nor an outcome are asked for: then what was left out is summed up."""
        return not self.text.strip() and self.outcome is None

    def address(self, *, outcome: NameOutcome | None = None, page: int = 1) -> str:
        """The page of the names with that outcome, or another page of it."""
        asked = {"q": self.text, "outcome": outcome or "", "page": "" if page == 1 else str(page)}
        query = urlencode({name: value for name, value in asked.items() if value})
        return f"/decisions/{self.day}{'?' if query else ''}{query}#names-title"


@dataclass(frozen=True)
class LeftOut:
    """Names that were not held, and were not opened for one reason.

    Attributes:
        outcome: What kept them.
        count: How many.
        why: The same in words.
    """

    outcome: NameOutcome
    count: int
    why: str


@dataclass(frozen=True)
class NamesView:
    """The names of a decision that fit a query, and how many there are with each outcome.

    Attributes:
        query: What was asked.
        counts: Names by outcome, in the order of the outcomes, those in the book first.
        found_count: Names that fit; of a whole decision, those that are in the book or were before.
        names: Those of the page.
        companies: By ticker, the company's name.
        cutoffs: Where the ranking of all names was cut.
        left_out: Of a whole decision, the others by outcome.
        shared_why: Why, where all names that fit have an outcome for the same reason; else empty.
    """

    query: NameQuery
    counts: tuple[tuple[NameOutcome, int], ...]
    found_count: int
    names: tuple[NameRecord, ...]
    companies: dict[str, str]
    cutoffs: RankCutoffs
    left_out: tuple[LeftOut, ...]
    shared_why: str

    @classmethod
    def of(cls, record: DecisionRecord, companies: dict[str, str], query: NameQuery) -> Self:
        """Search, and cut the page out of what was found; opened, closed and kept names come first, each by rank.

        Of a whole decision the page shows the names that were held before or are after it.
        """
        wanted = query.text.lower().split()
        found = [one for one in record.names if _fits(one, companies, wanted)]
        counts = Counter(one.outcome for one in found)
        order = {outcome: place for place, outcome in enumerate(reversed(NameOutcome))}
        chosen = sorted(
            (one for one in found if (_was_held(one) if query.is_whole else query.outcome in {None, one.outcome})),
            key=lambda one: (order[one.outcome], one.rank or len(record.names)),
        )
        page = min(query.page, max(1, ceil(len(chosen) / PAGE_ROWS)))
        cutoffs = RankCutoffs.of(record.names)
        others = [one for one in found if not _was_held(one)] if query.is_whole else []
        return cls(
            NameQuery(query.day, query.text, query.outcome, page),
            tuple((outcome, counts[outcome]) for outcome in order if counts[outcome]),
            len(chosen),
            tuple(chosen[(page - 1) * PAGE_ROWS : page * PAGE_ROWS]),
            companies,
            cutoffs,
            _sum_up(others, cutoffs),
            "" if query.outcome is None else _find_shared_reason(chosen, cutoffs),
        )

    @property
    def all_count(self) -> int:
        """Names that fit the words, with any outcome."""
        return sum(count for _, count in self.counts)

    @property
    def page_count(self) -> int:
        """How many pages the found names fill."""
        return max(1, ceil(self.found_count / PAGE_ROWS))

    def band(self, one: NameRecord) -> marks.Band | None:
        """The forecast of a name, for its picture."""
        return None if one.forecast is None else marks.Band(*one.forecast)

    @property
    def reach(self) -> float:
        """Where the scale of the forecasts ends, a return."""
        ends = [max(abs(one.forecast.quantile_10), abs(one.forecast.quantile_90)) for one in self.names if one.forecast]
        return ceil(max(ends, default=0.05) * 20) / 20


@dataclass(frozen=True)
class DecisionView:
    """A session's decision.

    Attributes:
        session: Its run and orders.
        strip: The sessions around it, oldest first.
        before: The session that was decided before it; None for the first.
        after: The next one; None for the newest.
        outcomes: How many names were opened, closed and kept; empty where no names were stored with it.
        funnel: None where no names were stored with it, as `names`.
        names: Every name and what became of it.
    """

    session: Session
    strip: tuple[Session, ...]
    before: date | None
    after: date | None
    outcomes: tuple[tuple[NameOutcome, int], ...]
    funnel: Funnel | None
    names: NamesView | None

    @classmethod
    def of(  # noqa: PLR0913, PLR0917 - what the page is made of
        cls,
        runs: Sequence[RebalanceRun],
        run: RebalanceRun,
        orders_of: OrdersOf,
        record: DecisionRecord | None,
        companies: dict[str, str],
        query: NameQuery,
        opens: Mapping[Entry, float] = MappingProxyType({}),
    ) -> Self:
        """The decision among all of them, newest first; `opens` has opening prices of tickers by day."""
        days = [one.date for one in runs]
        place = [one.portfolio_id for one in runs].index(run.portfolio_id)
        first = min(max(place - STRIP_SESSIONS // 2, 0), max(len(days) - STRIP_SESSIONS, 0))
        strip = [Session.of(one, orders_of) for one in runs[first : first + STRIP_SESSIONS]]
        counts = Counter(one.outcome for one in record.names) if record else Counter[NameOutcome]()
        return cls(
            session=Session.of(run, orders_of, opens),
            strip=tuple(reversed(strip)),
            before=days[place + 1] if place + 1 < len(days) else None,
            after=days[place - 1] if place else None,
            outcomes=tuple((outcome, counts[outcome]) for outcome in LEAD_OUTCOMES) if record else (),
            funnel=None if record is None else Funnel.of(record.names),
            names=None if record is None else NamesView.of(record, companies, query),
        )


@dataclass(frozen=True)
class ReplayView:
    """A decision taken again; `problem` says why it could not be. Without either, the page asks itself."""

    day: date
    replay: Replay | None = None
    problem: str = ""

    @property
    def is_asked_later(self) -> bool:
        """Whether it was not taken again so far."""
        return self.replay is None and not self.problem

    @property
    def address(self) -> str:
        """The page with what came of it."""
        return f"/decisions/{self.day}/replay?result=true"

    @property
    def names(self) -> frozenset[str]:
        """The tickers of which something differs."""
        return frozenset(one.ticker for one in self.replay.differences) if self.replay else frozenset()

    @property
    def first(self) -> tuple[Difference, ...]:
        """The differences that are shown."""
        return self.replay.differences[:SHOWN_DIFFERENCES] if self.replay else ()


def _fits(one: NameRecord, companies: dict[str, str], wanted: Sequence[str]) -> bool:
    text = f"{one.ticker} {companies.get(one.ticker, '')} {one.reason}".lower()
    return all(word in text for word in wanted)


def _was_held(one: NameRecord) -> bool:
    """Whether the fund held the name before the decision or holds it after."""
    return one.position is not None or one.row is not None


def _find_shared_reason(names: Sequence[NameRecord], cutoffs: RankCutoffs) -> str:
    """Why, where it is the same for all; of names that were ranked, where the ranking was cut."""
    reasons, ranks = {one.reason for one in names}, [one.rank for one in names if one.rank is not None]
    if len(reasons) != 1:
        return ""
    if names[0].outcome is not NameOutcome.NOT_CHOSEN or len(ranks) != len(names):
        return reasons.pop()
    return f"ranks {min(ranks)} to {max(ranks)} of {cutoffs.count}; {cutoffs.sentence}"


def _sum_up(names: Sequence[NameRecord], cutoffs: RankCutoffs) -> tuple[LeftOut, ...]:
    groups = {outcome: [one for one in names if one.outcome is outcome] for outcome in reversed(NameOutcome)}
    return tuple(
        LeftOut(outcome, len(group), _find_shared_reason(group, cutoffs) or outcome.words)
        for outcome, group in groups.items()
        if group
    )
