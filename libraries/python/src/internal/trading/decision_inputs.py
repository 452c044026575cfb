"""The situation of a day, collected from the ports, and what in the account is not the fund's."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from internal.trading.actions_since import fetch_ratios_since
from internal.trading.assets import Assets
from internal.trading.broker_reports import Account, BrokerPosition
from internal.trading.entries import EntryMemory
from internal.trading.foreign_items import ForeignItem
from internal.trading.hand_trades import find_hand_trades, refuse_hand_trades
from internal.trading.held_securities import HeldSecurity
from internal.trading.journal_differences import sum_missing_dollars
from internal.trading.limits import RiskLimits
from internal.trading.name_filter import NameFilter, find_refusals
from internal.trading.orders import Order
from internal.trading.own_holdings import find_splits, foreign_items
from internal.trading.ports import Broker, MarketData, Portfolios, TradingPorts
from internal.trading.position_attribution import attribute_positions, group_by_ticker
from internal.trading.positions import Band, Entry, Position
from internal.trading.situation import Situation
from internal.trading.splits import Split
from internal.trading.strategy import DataNeeds

NO_SHORTING = "no short is opened: shorting is not enabled for the account"


@dataclass(frozen=True, slots=True)
class GatheredSituation:
    """A situation, and what of the account it leaves out.

    Attributes:
        situation: What is decided from.
        foreign: What in the account is not the fund's.
        changed: Names that an action changed since the close.
        by_hand: Names of the fund that a person has traded, with the last day.
    """

    situation: Situation
    foreign: tuple[ForeignItem, ...]
    changed: tuple[str, ...]
    by_hand: Mapping[str, date]


def gather_situation(  # noqa: PLR0913, PLR0917 - what a decision depends on
    ports: TradingPorts,
    needs: DataNeeds,
    limits: RiskLimits,
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
    held = memory.held.find(ports.journal, at_broker)
    factors = _price_factors(ports.data, held.fills, day, memory)
    found = find_splits(ports, held, shares, moment, memory)
    splits = found.splits
    bands = _find_bands(ports.portfolios, held, day)
    own = attribute_positions(shares, held.fills, splits, factors, bands, memory)
    by_hand = find_hand_trades(ports.broker, ports.journal, day, limits.hand_trade_sessions)
    refused = find_refusals(inputs.tickers, inputs.details, _follow_names(limits.names, ports.data, day))
    owned = {position.ticker for position in own.positions}
    changed = found.unsettled | fetch_ratios_since(ports.data, day, moment).keys()
    situation = Situation(
        inputs=inputs,
        net_asset_value=account.net_asset_value,
        positions=_count_old_shares(_describe_positions(own.positions, at_broker, held), _ratios_after(splits, day)),
        assets=_list_assets(ports.broker, account),
        blocked=frozenset(order.ticker for order in open_orders) | (own.foreign.keys() - owned) | changed,
        refused=refuse_hand_trades(refused, by_hand, limits.hand_trade_sessions),
        missing_dollars=sum_missing_dollars(ports, at_broker, held, group_by_ticker(splits), memory),
    )
    return GatheredSituation(situation, foreign_items(own.foreign, open_orders, ports), tuple(sorted(changed)), by_hand)


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


def _describe_positions(
    positions: Iterable[Position], at_broker: Iterable[BrokerPosition], held: Mapping[str, HeldSecurity]
) -> tuple[Position, ...]:
    """The positions with the broker's price of a share and the permanent id."""
    prices = {position.ticker: position.share_value for position in at_broker}
    return tuple(
        Position(
            one.ticker,
            one.quantity,
            one.opened_date,
            one.entry_price,
            one.band,
            broker_price=prices[one.ticker],
            security_id=held[one.ticker].security_id,
        )
        for one in positions
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


def _ratios_after(splits: Iterable[Split], day: date) -> dict[str, float]:
    """By ticker, new shares for one share of the day."""
    ratios: dict[str, float] = {}
    for split in splits:
        if split.execution_date > day:
            ratios[split.ticker] = ratios.get(split.ticker, 1.0) * split.shares
    return ratios
