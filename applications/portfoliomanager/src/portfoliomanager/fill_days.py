"""The sessions in which orders were filled, and the opening prices of these."""

from collections.abc import Mapping, Sequence
from datetime import date

from internal.dates import exchange_day
from internal.trading.orders import Order
from internal.trading.positions import Entry
from portfoliomanager.ports import ForecastStore


def fill_day(order: Order) -> date:
    """The New York day of the last change of an order: of its fill, once it is filled."""
    return exchange_day(order.updated_at)


def list_fill_days(orders: Sequence[Order]) -> list[Entry]:
    """The day and name of each order's fill."""
    return [Entry(order.ticker, fill_day(order)) for order in orders if order.filled_average_price is not None]


def read_opens(data: ForecastStore, orders: Sequence[Order]) -> Mapping[Entry, float]:
    """The opens of the sessions that filled the orders, dollars as traded, as far as the data service has them."""
    entries = list_fill_days(orders)
    if not entries:
        return {}
    days, tickers, columns = [one.date for one in entries], {one.ticker for one in entries}, ("ticker", "date", "open")
    bars, _ = data.bars(min(days), max(days), adjusted_as_of=None, columns=columns, tickers=sorted(tickers))
    return {Entry(ticker, day): price for ticker, day, price in bars.iter_rows()}
