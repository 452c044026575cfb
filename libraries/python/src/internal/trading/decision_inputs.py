"""The situation of a day, collected from the ports, and what in the account is not the fund's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from internal.trading.enums import ForeignKind
from internal.trading.ports import Journal, TradingPorts
from internal.trading.position_attribution import attribute_positions, list_entries, opened_date
from internal.trading.rows import Account, Band, BrokerOrder, Entry, ForeignItem, Order, OwnPositions, Situation, Split
from internal.trading.strategy import DataNeeds


@dataclass(frozen=True, slots=True)
class GatheredSituation:
    """A situation, and what in the account is not the fund's."""

    situation: Situation
    foreign: tuple[ForeignItem, ...]


def gather_situation(
    ports: TradingPorts, needs: DataNeeds, account: Account, day: date, moment: datetime
) -> GatheredSituation:
    """Everything that the decision at the close of `day` needs.

    Raises ConflictError, which says what is missing and how to get it, without bars or predictions of that day.
    """
    inputs = ports.data.day_inputs(day, needs)
    held, open_orders = _broker_positions(ports), ports.broker.open_orders()
    fills = _held_fills(ports.journal, held)
    entries = {entry for orders in fills.values() for entry in list_entries(orders) if entry.date <= day}
    factors: Mapping[Entry, float] = ports.data.price_factors(entries, day) if entries else {}
    bands: Mapping[str, Band] = ports.portfolios.bands_before(day) if fills else {}
    own = _attribute(ports, held, fills, factors, bands, moment)
    names = {position.ticker for position in own.positions}
    situation = Situation(
        inputs=inputs,
        net_asset_value=account.net_asset_value,
        positions=own.positions,
        assets=ports.broker.assets(),
        blocked=frozenset(order.ticker for order in open_orders) | frozenset(own.foreign.keys() - names),
    )
    return GatheredSituation(situation, _foreign_items(own, open_orders, ports.journal))


def list_foreign(ports: TradingPorts, moment: datetime) -> tuple[ForeignItem, ...]:
    """Positions and open orders of the account that the journal does not explain."""
    held = _broker_positions(ports)
    own = _attribute(ports, held, _held_fills(ports.journal, held), {}, {}, moment)
    return _foreign_items(own, ports.broker.open_orders(), ports.journal)


def _broker_positions(ports: TradingPorts) -> dict[str, float]:
    return {position.ticker: position.quantity for position in ports.broker.positions()}


def _held_fills(journal: Journal, held: Mapping[str, float]) -> dict[str, Sequence[Order]]:
    """By ticker of the account, the fund's own fills; a ticker that the fund never opened has none."""
    return {ticker: fills for ticker in held if (fills := journal.fills(ticker))}


def _attribute(  # noqa: PLR0913, PLR0917 - what an attribution depends on, each a table of its own
    ports: TradingPorts,
    held: Mapping[str, float],
    fills: Mapping[str, Sequence[Order]],
    factors: Mapping[Entry, float],
    bands: Mapping[str, Band],
    moment: datetime,
) -> OwnPositions:
    """The attribution; the data service is asked for splits only when something of the fund's is held."""
    splits: Sequence[Split] = ()
    if fills:
        first = min(opened_date(orders[0]) for orders in fills.values())
        splits = ports.data.splits(first, max(first, moment.date()))
    return attribute_positions(held, fills, splits, factors, bands)


def _foreign_items(own: OwnPositions, orders: Iterable[BrokerOrder], journal: Journal) -> tuple[ForeignItem, ...]:
    positions = [ForeignItem(ForeignKind.POSITION, ticker, shares) for ticker, shares in own.foreign.items()]
    others = [
        ForeignItem(ForeignKind.ORDER, order.ticker, order.quantity, order.side, order.client_order_id)
        for order in orders
        if journal.order(order.client_order_id) is None
    ]
    return (*positions, *others)
