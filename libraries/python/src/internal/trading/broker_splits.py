"""Which splits the account shows: the data service may know one before the broker carries it out, or after it.

Counted too early, a split makes shares that somebody else holds the fund's; counted too late, it makes the fund's new
shares somebody else's. The broker's list of moved shares decides while a split is new.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property
from itertools import chain

from internal.dates import exchange_day, previous_session, session_open
from internal.trading.action_evidence import DATED_EARLY
from internal.trading.entries import ROUNDING, EntryMemory, opened_date, resize_shares
from internal.trading.held_securities import HeldSecurities
from internal.trading.orders import Order
from internal.trading.ports import Broker
from internal.trading.position_attribution import SHARE
from internal.trading.share_movements import ShareMovement
from internal.trading.splits import Split

NEW = timedelta(days=7)  # a split that is older counts, whether the broker lists it or not
HALVES = 2
KNOWN_LATE = timedelta(days=60)  # how long the data service may need to state a split


@dataclass(frozen=True)
class BrokerSplits:
    """The splits that the broker lists, read once and only where somebody asks.

    Attributes:
        broker: The broker.
        held: The fund's securities by the ticker that they have now.
        today: The day at the exchange.
    """

    broker: Broker
    held: HeldSecurities
    today: date

    @cached_property
    def _listed(self) -> Sequence[ShareMovement]:
        """Those of held securities, under the tickers that they have now."""
        late = self.today - KNOWN_LATE - DATED_EARLY
        movements = self.broker.share_movements(min(late, self.held.first_decision or late))
        return [
            replace(one, ticker=ticker)
            for one in movements
            if one.is_split
            for ticker, security in self.held.items()
            if one.ticker == ticker or any(one.ticker == name for _, name in security.names)
        ]

    def keep_carried_out(self, splits: Iterable[Split], seen: set[Split]) -> list[Split]:
        """The splits without new ones that the broker has not carried out yet; `seen` remembers those that it has."""
        kept: list[Split] = []
        for split in splits:
            if split.execution_date <= self.today - NEW or split in seen:
                kept.append(split)
            elif any(_is_of(one, split) for one in self._listed):
                seen.add(split)
                kept.append(split)
        return kept

    def find_unstated(self, ticker: str, shares: float, own: float, stated: Iterable[Split]) -> list[Split]:
        """Splits of a position that nobody has stated yet, with the ratio that the broker's change of shares shows.

        Others may hold shares of the name beside the fund's. What was traded since each split is left out, and each
        ratio has to be a usual one; several are found by going back from today's shares, newest first.

        Args:
            ticker: The position's.
            shares: Signed shares that the account has now.
            own: Signed shares of the fund without such a split.
            stated: The splits that the data service states.
        """
        fills, moved = self.held[ticker].fills, self._list_moved(ticker, stated)
        found, before = self._go_back(fills[-1], shares, moved)
        if not found:
            return []
        first = found[0].execution_date
        own_before = own - sum(one.signed_filled_quantity for one in fills if opened_date(one) >= first)
        is_part = own_before * before > 0 and abs(own_before) <= abs(before) + SHARE / 2
        return found if is_part else []

    def _go_back(self, fill: Order, shares: float, moved: Sequence[ShareMovement]) -> tuple[list[Split], float]:
        """The splits of a position by what each brought, oldest first, and the account's shares before them.

        None is found unless each has a usual ratio.
        """
        found: list[Split] = []
        traded_later = 0.0
        for day in sorted({one.day for one in moved}, reverse=True):
            traded = self._sum_traded(fill, day)
            after = shares - (traded - traded_later)
            shares, traded_later = after - sum(one.shares for one in moved if one.day == day), traded
            if (ratio := _find_usual_ratio(shares, after)) is None:
                return [], shares
            found.insert(0, Split(moved[0].ticker, day, ratio))
        return found, shares

    def is_unclear(self, ticker: str, stated: Iterable[Split]) -> bool:
        """Whether the broker lists splits of shares of the fund's that nobody has stated.

        Where `find_unstated` has not found them, nobody can say how many of the account's shares are the fund's.
        """
        days = [one.day for one in self._list_moved(ticker, stated)]
        if not days:
            return False
        before = tuple(one for one in self.held[ticker].fills if opened_date(one) < min(days))
        known = tuple(one for one in stated if one.ticker == ticker and one.execution_date < min(days))
        return EntryMemory().sum_shares(before, known) != 0.0

    def lists_loss(self, ticker: str, own: float, stated: Iterable[Split]) -> bool:
        """Whether one of the splits that nobody has stated took shares from a position of the fund's side."""
        return any(one.shares * own < 0 for one in self._list_moved(ticker, stated))

    def lists_unstated(self, ticker: str, stated: Iterable[Split]) -> bool:
        """Whether the broker lists a split since the fund opened the position that nobody has stated."""
        return bool(self._list_moved(ticker, stated))

    def _list_moved(self, ticker: str, stated: Iterable[Split]) -> list[ShareMovement]:
        """The splits of a position since the fund opened it that are listed and not stated."""
        of_ticker, opened = [one for one in stated if one.ticker == ticker], opened_date(self.held[ticker].fills[0])
        listed = [one for one in self._listed if one.ticker == ticker and one.day > opened]
        return [one for one in listed if not any(_is_of(one, two) for two in of_ticker)]

    def _sum_traded(self, fill: Order, day: date) -> float:
        """Signed shares that everybody has traded of a security in the account on the day and since."""
        since = self.broker.orders_since(session_open(previous_session(day, 2)))
        return sum(
            order.signed_filled_quantity
            for order in since
            if (order.ticker == fill.ticker or (order.asset_id and order.asset_id == fill.asset_id))
            and exchange_day(order.filled_at or order.submitted_at) >= day
        )


def _is_of(movement: ShareMovement, split: Split) -> bool:
    return movement.ticker == split.ticker and abs(movement.day - split.execution_date) <= DATED_EARLY


def _find_usual_ratio(before: float, after: float) -> float | None:
    """New shares for one: n for 1, 1 for n, or halves of them; None where the counts are of none of these.

    First one that leaves just the whole shares that are there, else one that a fraction of a share fits.
    """
    if before * after <= 0:
        return None
    larger = Fraction(max(after / before, before / after))
    usual = [larger.limit_denominator(1), larger.limit_denominator(HALVES)]
    ratios = [float(one if abs(after) > abs(before) else 1 / one) for one in usual if one != 1]
    whole = (one for one in ratios if abs(resize_shares(before, one) - after) < ROUNDING)
    near = (one for one in ratios if abs(before * one - after) < SHARE)
    return next(chain(whole, near), None)
