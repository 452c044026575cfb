"""The situation of a day, collected from the ports, and what in the account is not the fund's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from internal.dates import exchange_day, next_session
from internal.trading.actions_since import fetch_ratios_since
from internal.trading.broker_splits import BrokerSplits
from internal.trading.entries import EntryMemory
from internal.trading.enums import ForeignKind
from internal.trading.held_securities import HeldSecurity, find_held, list_held_splits
from internal.trading.name_filter import NameFilter, find_refusals
from internal.trading.ports import Broker, Journal, MarketData, Portfolios, TradingPorts
from internal.trading.position_attribution import (
    SHARE,
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
from internal.trading.strategy import DataNeeds

NO_SHORTING = "no short is opened: shorting is not enabled for the account"


@dataclass(frozen=True, slots=True)
class GatheredSituation:
    """A situation, what in the account is not the fund's, and the names that an action changed since the close."""

    situation: Situation
    foreign: tuple[ForeignItem, ...]
    changed: tuple[str, ...]


def gather_situation(  # noqa: PLR0913, PLR0917 - what a decision depends on
    ports: TradingPorts,
    needs: DataNeeds,
    names: NameFilter,
    account: Account,
    day: date,
    moment: datetime,
    memory: EntryMemory,
) -> GatheredSituation:
    """Everything that the decision at the close of `day` needs.

    A name that a corporate action has changed since is blocked: the broker counts new shares, the prices are old. So is
    one of a split that the broker has not carried out: it counts old shares, the prices are new.

    Raises ConflictError, which says what is missing and how to get it, without bars or predictions of that day.
    """
    inputs = ports.data.day_inputs(day, needs)
    at_broker, open_orders = ports.broker.positions(), ports.broker.open_orders()
    shares = {position.ticker: position.quantity for position in at_broker}
    held = find_held(ports.journal, at_broker)
    fills = {ticker: security.fills for ticker, security in held.items()}
    factors = _price_factors(ports.data, fills, day, memory)
    splits, waiting = _find_splits(ports, held, shares, moment, memory)
    bands = _find_bands(ports.portfolios, held, day)
    own = attribute_positions(shares, fills, splits, factors, bands, memory)
    owned = {position.ticker for position in own.positions}
    changed = waiting | fetch_ratios_since(ports.data, day, moment).keys()
    situation = Situation(
        inputs=inputs,
        net_asset_value=account.net_asset_value,
        positions=_count_old_shares(_describe_positions(own.positions, at_broker, held), _ratios_after(splits, day)),
        assets=_list_assets(ports.broker, account),
        blocked=frozenset(order.ticker for order in open_orders) | (own.foreign.keys() - owned) | changed,
        refused=find_refusals(inputs.tickers, inputs.details, _follow_names(names, ports.data, day)),
    )
    return GatheredSituation(situation, _foreign_items(own.foreign, open_orders, ports), tuple(sorted(changed)))


def _follow_names(names: NameFilter, data: MarketData, day: date) -> NameFilter:
    """The filter with the tickers of the day; nothing is asked where no list names a ticker."""
    listed = sorted(names.tickers)
    return names.follow(data.later_tickers(listed, day)) if listed else names


def _list_assets(broker: Broker, account: Account) -> Assets:
    """What may be traded; nothing may be shorted in an account that is not allowed to."""
    assets = broker.assets()
    if account.shorting_enabled:
        return assets
    return replace(assets, shortable=frozenset(), notes=(*assets.notes, NO_SHORTING))


def list_foreign(ports: TradingPorts, moment: datetime, memory: EntryMemory) -> tuple[ForeignItem, ...]:
    """Positions and open orders of the account that the journal does not explain."""
    at_broker = ports.broker.positions()
    shares = {position.ticker: position.quantity for position in at_broker}
    held = find_held(ports.journal, at_broker)
    fills = {ticker: security.fills for ticker, security in held.items()}
    splits = group_by_ticker(_find_splits(ports, held, shares, moment, memory)[0])
    foreign = find_foreign_shares(shares, find_own_shares(shares, fills, splits, memory))
    return _foreign_items(foreign, ports.broker.open_orders(), ports)


def _describe_positions(
    positions: Iterable[Position], at_broker: Iterable[BrokerPosition], held: Mapping[str, HeldSecurity]
) -> tuple[Position, ...]:
    """The positions with the broker's price of a share and the permanent id."""
    prices = {position.ticker: position.share_value for position in at_broker}
    return tuple(
        replace(one, broker_price=prices[one.ticker], security_id=held[one.ticker].security_id) for one in positions
    )


def _count_old_shares(positions: tuple[Position, ...], ratios: Mapping[str, float]) -> tuple[Position, ...]:
    """The positions in shares of the day of the decision, so that its prices value them rightly."""
    if not ratios:
        return positions
    return tuple(_count_old(position, ratios.get(position.ticker, 1.0)) for position in positions)


def _count_old(position: Position, ratio: float) -> Position:
    price = None if position.broker_price is None else position.broker_price * ratio
    return replace(position, quantity=position.quantity / ratio, broker_price=price)


def _find_bands(portfolios: Portfolios, held: Mapping[str, HeldSecurity], day: date) -> Mapping[str, Band]:
    """By ticker that a held security has now, the band that was stored last; older portfolios have it by ticker."""
    if not held:
        return {}
    stored = portfolios.bands_before(day)
    found = {ticker: stored.get(one.security_id, stored.get(ticker)) for ticker, one in held.items()}
    return {ticker: band for ticker, band in found.items() if band is not None}


def _price_factors(
    data: MarketData, fills: Mapping[str, tuple[Order, ...]], day: date, memory: EntryMemory
) -> Mapping[Entry, float]:
    """Factors of the entries that are not averaged yet; of all of a ticker after an event that changes prices."""
    entries = {entry for orders in fills.values() for entry in memory.list_unknown(orders) if entry.date <= day}
    factors: Mapping[Entry, float] = data.price_factors(entries, day) if entries else {}
    changed = {entry for orders in fills.values() for entry in memory.list_changed(orders, factors)}
    left = {entry for entry in changed - entries if entry.date <= day}
    return {**factors, **data.price_factors(left, day)} if left else factors


def _find_splits(
    ports: TradingPorts,
    held: Mapping[str, HeldSecurity],
    shares: Mapping[str, float],
    moment: datetime,
    memory: EntryMemory,
) -> tuple[list[Split], frozenset[str]]:
    """The splits of held securities that the account shows, and the tickers of stated ones that it does not show yet.

    Those that nobody has stated yet are among the first.
    """
    stated = _splits_since(ports.data, held, moment)
    at_broker = BrokerSplits(ports.broker, held, exchange_day(moment))
    splits = at_broker.keep_carried_out(stated, memory.carried_out)
    fills = {ticker: security.fills for ticker, security in held.items()}
    owned = find_own_shares(shares, fills, group_by_ticker(splits), memory)
    for ticker, own in owned.items():
        if abs(shares[ticker] - own) > SHARE / 2:
            splits += at_broker.find_unstated(ticker, shares[ticker], own, stated)
    return splits, frozenset(split.ticker for split in stated if split not in splits)


def _ratios_after(splits: Iterable[Split], day: date) -> dict[str, float]:
    """By ticker, new shares for one share of the day."""
    ratios: dict[str, float] = {}
    for split in splits:
        if split.execution_date > day:
            ratios[split.ticker] = ratios.get(split.ticker, 1.0) * split.shares
    return ratios


def _splits_since(data: MarketData, held: Mapping[str, HeldSecurity], moment: datetime) -> Sequence[Split]:
    """Splits since the first fill; the data service is asked only when something of the fund's is held."""
    if not held:
        return ()
    first = next_session(min(security.fills[0].date for security in held.values()))
    return list_held_splits(held, data.corporate_actions(first, max(first, exchange_day(moment))))


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
