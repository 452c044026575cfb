"""The situation of a day, collected from the ports, and what in the account is not the fund's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from internal.trading.enums import ForeignKind
from internal.trading.ports import Journal, TradingPorts
from internal.trading.position_attribution import attribute_positions, opened_date
from internal.trading.rows import Account, Band, BrokerOrder, ForeignItem, Order, OwnPositions, Situation, Split
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
    openings = _held_openings(ports.journal, held)
    opened = {ticker: opened_date(order) for ticker, order in openings.items() if opened_date(order) <= day}
    factors: Mapping[str, float] = ports.data.price_factors(opened, day) if opened else {}
    bands: Mapping[str, Band] = ports.portfolios.bands_before(day) if openings else {}
    own = _attribute(ports, held, openings, factors, bands, moment)
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
    own = _attribute(ports, held, _held_openings(ports.journal, held), {}, {}, moment)
    return _foreign_items(own, ports.broker.open_orders(), ports.journal)


def _broker_positions(ports: TradingPorts) -> dict[str, float]:
    return {position.ticker: position.quantity for position in ports.broker.positions()}


def _held_openings(journal: Journal, held: Mapping[str, float]) -> dict[str, Order]:
    openings = journal.openings()
    return {ticker: openings[ticker] for ticker in held if ticker in openings}


def _attribute(  # noqa: PLR0913, PLR0917 - what an attribution depends on, each a table of its own
    ports: TradingPorts,
    held: Mapping[str, float],
    openings: Mapping[str, Order],
    factors: Mapping[str, float],
    bands: Mapping[str, Band],
    moment: datetime,
) -> OwnPositions:
    """The attribution; the data service is asked for splits only when something of the fund's is held."""
    closings = {ticker: ports.journal.closings(ticker) for ticker in openings}
    splits: Sequence[Split] = ()
    if openings:
        first = min(opened_date(order) for order in openings.values())
        splits = ports.data.splits(first, max(first, moment.date()))
    return attribute_positions(held, openings, closings, splits, factors, bands)


def _foreign_items(own: OwnPositions, orders: Iterable[BrokerOrder], journal: Journal) -> tuple[ForeignItem, ...]:
    positions = [ForeignItem(ForeignKind.POSITION, ticker, shares) for ticker, shares in own.foreign.items()]
    others = [
        ForeignItem(ForeignKind.ORDER, order.ticker, order.quantity, order.side, order.client_order_id)
        for order in orders
        if journal.order(order.client_order_id) is None
    ]
    return (*positions, *others)
