"""The tables and summary lines of a portfolio, its orders and its performance."""

import polars as pl
from rich.table import Table

from fund.answers import CurrentPortfolio, Performance
from internal.trading.enums import OrderState


def positions_table(portfolio: CurrentPortfolio) -> Table:
    """The positions, the largest first."""
    table = Table("ticker", "side", title=f"Positions at {portfolio.as_of}, in dollars", title_justify="left")
    for column in ("quantity", "entry price", "price", "market value", "gain"):
        table.add_column(column, justify="right")
    for row in sorted(portfolio.positions, key=lambda position: -abs(position.market_value)):
        table.add_row(
            *(row.ticker, row.side, f"{row.quantity:,.0f}", f"{row.entry_price:,.2f}"),
            *(f"{row.price:,.2f}", f"{row.market_value:,.0f}", f"{row.unrealized_gain:+,.0f}"),
        )
    return table


def orders_table(orders: pl.DataFrame) -> Table:
    """The orders by session: how many in each state that there is, and the dollars filled."""
    states = _states_of(orders)
    table = Table("session", title="Orders by session", title_justify="left")
    for column in ("orders", *(state.words for state in states), "dollars filled"):
        table.add_column(column, justify="right")
    by_session = orders.group_by("date").agg(
        pl.len(),
        *((pl.col("state") == state).sum().alias(state) for state in states),
        dollars=(pl.col("filled_quantity") * pl.col("filled_average_price")).sum(),
    )
    for row in by_session.sort("date").iter_rows():
        table.add_row(*(str(value) for value in row[:-1]), f"{row[-1]:,.0f}")
    return table


def summarize_orders(orders: pl.DataFrame) -> str:
    """The number of orders, and of those in each state that there is."""
    counts = dict(orders.get_column("state").value_counts().iter_rows())
    by_state = ", ".join(f"{counts[state]} {state.words}" for state in _states_of(orders))
    return f"{orders.height} orders: {by_state}" if by_state else "no orders"


def _states_of(orders: pl.DataFrame) -> list[OrderState]:
    """The states that the orders have: filled, then what may still fill, then what has ended otherwise."""
    ordered = sorted(OrderState, key=lambda state: (state is not OrderState.FILLED, state.is_final))
    return [state for state in ordered if state in orders.get_column("state")]


def summarize_performance(portfolio: CurrentPortfolio, performance: Performance) -> list[str]:
    """The names of the last decision, totals as the broker reports them, in dollars, and what trading has cost."""
    cost = performance.realized_cost
    shown = f"slippage {cost.slippage:,.2f}, fees {cost.fees:,.2f}, borrow {cost.borrow:,.2f}"
    names = [] if portfolio.funnel is None else [f"names of the last decision: {portfolio.funnel.sentence}"]
    return [
        *names,
        f"net asset value {portfolio.net_asset_value:,.2f} dollars, cash {portfolio.cash:,.2f} dollars",
        f"return {performance.total_return:+.3%}, maximum drawdown {performance.maximum_drawdown:.3%}",
        f"gross exposure {portfolio.gross_exposure:.3f}, net exposure {portfolio.net_exposure:+.3f} of net asset value",
        f"cost in dollars (below 0, a gain): {shown}",
        "what the value is made of, dividends included: ./fund books show",
    ]
