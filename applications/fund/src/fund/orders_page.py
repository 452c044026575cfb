"""The newest orders of the journal, and what others hold and have ordered in the account."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fund.trader import connect_to_trader
from internal.http.client import read_frame
from internal.trading.enums import OrderState

SHOWN = ("date", "ticker", "side", "quantity", "state", "filled_quantity", "filled_average_price", "reason")


def report_orders(count: int, *, as_json: bool) -> None:
    """Print the newest orders of the running fund, and what is not the fund's in its account."""
    service = connect_to_trader()
    newest = choose_newest(read_frame(service.read("/orders")), count)
    foreign: list[dict[str, Any]] = service.get("/foreign")["foreign"]
    if as_json:
        rows = [{**row, "date": row["date"].isoformat()} for row in newest.iter_rows(named=True)]
        typer.echo(json.dumps({"orders": rows, "foreign": foreign}, indent=2))
        return
    show_orders(newest, foreign, Console(highlight=False))


def choose_newest(frame: pl.DataFrame, count: int) -> pl.DataFrame:
    """The newest orders, newest first, with the columns that are shown."""
    ordered = frame.sort("date", "updated_at", "client_order_id", descending=[True, True, False])
    return ordered.head(count).select(SHOWN)


def show_orders(newest: pl.DataFrame, foreign: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Print the orders, then reasons, states and what is not the fund's; whole in a terminal of 80 columns."""
    if newest.is_empty():
        console.print("No orders yet.")
    else:
        console.print(_orders_table(newest))
    reasons = newest.filter(pl.col("reason") != "").group_by("date", "reason", maintain_order=True)
    for row in reasons.agg(pl.col("ticker").unique(maintain_order=True)).iter_rows(named=True):
        console.print(escape(f"{row['date']} {', '.join(row['ticker'])}: {row['reason']}"))
    for state in OrderState:
        if state is not OrderState.FILLED and state in newest.get_column("state"):
            console.print(escape(f"{state.words}: {state.meaning}"))
    for item in foreign:
        side = f"{item['side']} " if item.get("side") else ""
        console.print(escape(f"not the fund's: {item['kind']}, {side}{item['quantity']:g} {item['ticker']}"))


def _orders_table(newest: pl.DataFrame) -> Table:
    table = Table("session", "ticker", "side", box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("shares", justify="right")
    table.add_column("state")
    for column in ("filled", "price"):
        table.add_column(column, justify="right")
    for row in newest.iter_rows(named=True):
        price = row["filled_average_price"]
        table.add_row(
            *(str(row["date"]), escape(row["ticker"]), row["side"], f"{row['quantity']:,g}"),
            *(OrderState(row["state"]).words, f"{row['filled_quantity']:,g}", "" if price is None else f"{price:,.2f}"),
        )
    return table
