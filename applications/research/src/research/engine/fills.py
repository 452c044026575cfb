"""The fills of a backtest, each with the close that it was decided at and the auction that it filled in."""

from collections.abc import Iterator

from internal.dates import session_open
from internal.simulation.fund import SimulatedFund
from internal.trading.enums import OrderSide
from internal.venue.history import Fill, HistoryRow
from internal.venue.market.protocol import Market
from internal.venue.repository import HistoryQuery
from research.result import FillRow


def list_fills(fund: SimulatedFund, market: Market) -> Iterator[FillRow]:
    """Every fill in the order they happened."""
    for row in fund.repository.find_history(HistoryQuery()):
        if isinstance(row.entry, Fill):
            yield _fill_row(row, row.entry, fund, market)


def _fill_row(row: HistoryRow, fill: Fill, fund: SimulatedFund, market: Market) -> FillRow:
    sent, bar = fund.repository.order(fill.order_id), market.bar(fill.ticker, row.session)
    order = None if sent is None else fund.journal.order(sent.client_order_id)
    if order is None or bar is None:
        raise LookupError(f"the fill of {fill.quantity} {fill.ticker} on {row.session} has no order or no bar")
    return FillRow(
        decided=order.date,
        filled=row.session,
        ticker=fill.ticker,
        side=OrderSide(fill.side),
        leg=order.leg,
        quantity=float(fill.quantity),
        reference_close=order.reference_price,
        auction_price=bar.open if row.moment == session_open(row.session) else bar.close,
        price=float(fill.price),
        session_volume=bar.volume,
    )
