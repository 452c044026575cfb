"""What of the account is the fund's own and what is somebody else's, from the broker's positions and the journal."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from internal.dates import exchange_day, next_session
from internal.trading.broker_reports import BrokerOrder, BrokerPosition
from internal.trading.broker_splits import BrokerSplits
from internal.trading.entries import EntryMemory, HeldSplits, KnownSplits
from internal.trading.enums import ForeignKind
from internal.trading.foreign_items import ForeignItem
from internal.trading.held_securities import HeldSecurities, HeldSecurity
from internal.trading.orders import Order
from internal.trading.ports import Broker, Journal, MarketData, TradingPorts
from internal.trading.position_attribution import SHARE, find_foreign_shares, find_own_shares, group_by_ticker
from internal.trading.replacements import find_original
from internal.trading.splits import Split


@dataclass(frozen=True, slots=True)
class OwnHoldings:
    """The account's positions, divided.

    Attributes:
        positions: The broker's, by ticker.
        held: The fund's securities among them, by ticker.
        shares: The fund's own signed shares, by ticker; never more than the broker has.
        foreign: The signed shares that are somebody else's, by ticker.
        unclear: Tickers of which some of those may be the fund's: the broker lists splits that nobody has stated, and
            that the change of shares does not explain. Of one that made a position fewer shares none is known to be the
            fund's.
    """

    positions: Mapping[str, BrokerPosition]
    held: Mapping[str, HeldSecurity]
    shares: Mapping[str, float]
    foreign: Mapping[str, float]
    unclear: frozenset[str] = frozenset()


def find_own_holdings(
    ports: TradingPorts, moment: datetime, memory: EntryMemory, newest: Sequence[Order] = ()
) -> OwnHoldings:
    """The account's positions now, divided as every decision divides them.

    newest: Orders as the broker has them now, of which the journal may lack fills.
    """
    at_broker = ports.broker.positions()
    quantities = {position.ticker: position.quantity for position in at_broker}
    held = memory.held.find(ports.journal, at_broker).with_fills(newest)
    found = find_splits(ports, held, quantities, moment, memory)
    counted = find_own_shares(quantities, held.fills, group_by_ticker(found.splits), memory)
    own = {ticker: shares for ticker, shares in counted.items() if ticker not in found.uncounted}
    positions = {position.ticker: position for position in at_broker}
    return OwnHoldings(positions, held, own, find_foreign_shares(quantities, own), found.unclear)


def find_splits(
    ports: TradingPorts,
    held: HeldSecurities,
    shares: Mapping[str, float],
    moment: datetime,
    memory: EntryMemory,
) -> HeldSplits:
    """The splits of held securities that the account shows, those that nobody has stated yet among them.

    A step of the fund asks several times about the same holdings: the answer is remembered within it.
    """
    asked = ports.data, held, shares, moment, memory.waiting
    known = memory.splits
    if known is None or known.asked != asked:
        known = memory.splits = KnownSplits(asked, _ask_for_splits(ports, held, shares, moment, memory))
    return known.found


def _ask_for_splits(
    ports: TradingPorts,
    held: HeldSecurities,
    shares: Mapping[str, float],
    moment: datetime,
    memory: EntryMemory,
) -> HeldSplits:
    """Ask the data service, and the broker where the account has other shares than the journal says.

    The broker is asked too about a name that somebody traded by hand, and about one that had a split that nobody has
    stated, though the shares agree: a trade may have made up for the split.
    """
    stated = list_splits_since(ports.data, held, moment)
    at_broker = BrokerSplits(ports.broker, held, exchange_day(moment))
    splits = at_broker.keep_carried_out(stated, memory.carried_out)
    waiting = frozenset(split.ticker for split in set(stated).difference(splits))
    splits_of, left = group_by_ticker(splits), dict[str, float]()
    unstated, unclear, uncounted = set[str](), set[str](), set[str]()
    for ticker, fills in held.fills.items():  # the fund's part of what is held hides a split that made it fewer shares
        known = tuple(splits_of.get(ticker, ()))
        left[ticker] = own = memory.sum_shares(fills, known)
        if abs(shares[ticker] - own) <= SHARE / 2 and not memory.may_hide_split(ticker):
            continue
        if found := at_broker.find_unstated(ticker, shares[ticker], own, stated):
            splits += found
            left[ticker] = memory.sum_shares(fills, (*known, *found))
            unstated.add(ticker)
        elif at_broker.is_unclear(ticker, stated):
            unclear.add(ticker)
            if at_broker.lists_loss(ticker, own, stated):
                uncounted.add(ticker)
    memory.unstated = unstated | unclear
    return HeldSplits(tuple(splits), left, waiting, frozenset(unclear), frozenset(uncounted))


def list_splits_since(data: MarketData, held: HeldSecurities, moment: datetime) -> Sequence[Split]:
    """Stated splits since the first fill; the data service is asked only when something of the fund's is held."""
    if held.first_decision is None:
        return ()
    first = next_session(held.first_decision)
    return held.list_splits(data.corporate_actions(first, max(first, exchange_day(moment))))


def list_foreign(ports: TradingPorts, moment: datetime, memory: EntryMemory) -> tuple[ForeignItem, ...]:
    """Positions and open orders of the account that the journal does not explain."""
    foreign = find_own_holdings(ports, moment, memory).foreign
    return foreign_items(foreign, ports.broker.open_orders(), ports)


def foreign_items(
    foreign: Mapping[str, float], orders: Iterable[BrokerOrder], ports: TradingPorts
) -> tuple[ForeignItem, ...]:
    """The foreign shares, and those of the open orders that the fund did not send."""
    positions = [ForeignItem(ForeignKind.POSITION, ticker, shares) for ticker, shares in foreign.items()]
    others = [
        ForeignItem(ForeignKind.ORDER, order.ticker, order.quantity, order.side, order.client_order_id)
        for order in orders
        if not _is_own(order, ports.journal, ports.broker)
    ]
    return (*positions, *others)


def _is_own(order: BrokerOrder, journal: Journal, broker: Broker) -> bool:
    """Whether the fund sent the order, or one that somebody replaced by it at the broker."""
    if journal.order(order.client_order_id) is not None:
        return True
    if order.replaces is None:
        return False
    return journal.order(find_original(order, broker).client_order_id) is not None
