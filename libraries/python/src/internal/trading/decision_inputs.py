"""The situation of a day, collected from the ports, and what in the account is not the fund's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from internal.dates import next_session
from internal.trading.entries import EntryMemory
from internal.trading.enums import ForeignKind
from internal.trading.ports import Broker, Journal, MarketData, TradingPorts
from internal.trading.position_attribution import (
    attribute_positions,
    find_foreign_shares,
    find_own_shares,
    group_by_ticker,
)
from internal.trading.replacements import find_original
from internal.trading.rows import (
    Account,
    Assets,
    Band,
    BrokerOrder,
    BrokerPosition,
    Entry,
    ForeignItem,
    Order,
    Position,
    Situation,
    Split,
)
from internal.trading.splits_since import fetch_splits_since
from internal.trading.strategy import DataNeeds

NO_SHORTING = "no short is opened: shorting is not enabled for the account"


@dataclass(frozen=True, slots=True)
class GatheredSituation:
    """A situation, what in the account is not the fund's, and the names that split since the close of its day."""

    situation: Situation
    foreign: tuple[ForeignItem, ...]
    split: tuple[str, ...]


def gather_situation(  # noqa: PLR0913, PLR0917 - what a decision depends on
    ports: TradingPorts, needs: DataNeeds, account: Account, day: date, moment: datetime, memory: EntryMemory
) -> GatheredSituation:
    """Everything that the decision at the close of `day` needs.

    A name that has split since is blocked: the broker counts new shares, and the prices are those of old ones.

    Raises ConflictError, which says what is missing and how to get it, without bars or predictions of that day.
    """
    inputs = ports.data.day_inputs(day, needs)
    at_broker, open_orders = ports.broker.positions(), ports.broker.open_orders()
    held = {position.ticker: position.quantity for position in at_broker}
    fills = _held_fills(ports.journal, held)
    factors = _price_factors(ports.data, fills, day, memory)
    bands: Mapping[str, Band] = ports.portfolios.bands_before(day) if fills else {}
    own = attribute_positions(held, fills, _splits_since(ports.data, fills, moment), factors, bands, memory)
    names = {position.ticker for position in own.positions}
    split = fetch_splits_since(ports.data, day, moment)
    situation = Situation(
        inputs=inputs,
        net_asset_value=account.net_asset_value,
        positions=_count_old_shares(_value_positions(own.positions, at_broker), split),
        assets=_list_assets(ports.broker, account),
        blocked=frozenset(order.ticker for order in open_orders) | (own.foreign.keys() - names) | split.keys(),
    )
    return GatheredSituation(situation, _foreign_items(own.foreign, open_orders, ports), tuple(sorted(split)))


def _list_assets(broker: Broker, account: Account) -> Assets:
    """What may be traded; nothing may be shorted in an account that is not allowed to."""
    assets = broker.assets()
    if account.shorting_enabled:
        return assets
    return replace(assets, shortable=frozenset(), notes=(*assets.notes, NO_SHORTING))


def list_foreign(ports: TradingPorts, moment: datetime, memory: EntryMemory) -> tuple[ForeignItem, ...]:
    """Positions and open orders of the account that the journal does not explain."""
    held = _broker_positions(ports)
    fills = _held_fills(ports.journal, held)
    splits = group_by_ticker(_splits_since(ports.data, fills, moment))
    foreign = find_foreign_shares(held, find_own_shares(held, fills, splits, memory))
    return _foreign_items(foreign, ports.broker.open_orders(), ports)


def _value_positions(positions: Iterable[Position], at_broker: Iterable[BrokerPosition]) -> tuple[Position, ...]:
    """The positions with the broker's price of a share."""
    prices = {position.ticker: position.share_value for position in at_broker}
    return tuple(replace(position, broker_price=prices[position.ticker]) for position in positions)


def _count_old_shares(positions: tuple[Position, ...], split: Mapping[str, float]) -> tuple[Position, ...]:
    """The positions in shares of the day of the decision, so that its prices value them rightly."""
    if not split:
        return positions
    return tuple(_count_old(position, split.get(position.ticker, 1.0)) for position in positions)


def _count_old(position: Position, ratio: float) -> Position:
    price = None if position.broker_price is None else position.broker_price * ratio
    return replace(position, quantity=position.quantity / ratio, broker_price=price)


def _broker_positions(ports: TradingPorts) -> dict[str, float]:
    return {position.ticker: position.quantity for position in ports.broker.positions()}


def _held_fills(journal: Journal, held: Mapping[str, float]) -> dict[str, tuple[Order, ...]]:
    """By ticker of the account, the fund's own fills; a ticker that the fund never opened has none."""
    return {ticker: tuple(fills) for ticker in held if (fills := journal.fills(ticker))}


def _price_factors(
    data: MarketData, fills: Mapping[str, tuple[Order, ...]], day: date, memory: EntryMemory
) -> Mapping[Entry, float]:
    """Factors of the entries that are not averaged yet; of all of a ticker after an event that changes prices."""
    entries = {entry for orders in fills.values() for entry in memory.list_unknown(orders) if entry.date <= day}
    factors: Mapping[Entry, float] = data.price_factors(entries, day) if entries else {}
    changed = {entry for orders in fills.values() for entry in memory.list_changed(orders, factors)}
    left = {entry for entry in changed - entries if entry.date <= day}
    return {**factors, **data.price_factors(left, day)} if left else factors


def _splits_since(data: MarketData, fills: Mapping[str, Sequence[Order]], moment: datetime) -> Sequence[Split]:
    """Splits since the first fill; the data service is asked only when something of the fund's is held."""
    if not fills:
        return ()
    first = next_session(min(orders[0].date for orders in fills.values()))
    return data.splits(first, max(first, moment.date()))


def _foreign_items(
    foreign: Mapping[str, float], orders: Iterable[BrokerOrder], ports: TradingPorts
) -> tuple[ForeignItem, ...]:
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
