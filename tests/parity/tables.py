"""The tables of a recording: the key of their rows, and the fields that may differ without failing the comparison."""

from collections.abc import Mapping
from dataclasses import dataclass

type Scalar = str | int | float | bool | None
type Row = dict[str, Scalar]


@dataclass(frozen=True)
class Table:
    """One table of a recording.

    Args:
        name: Its name.
        key: The fields that identify a row.
        noted: Fields whose differences are reported as notes: prose that may be reworded.
        diagnostic: Whether every difference in this table is a note.
    """

    name: str
    key: tuple[str, ...]
    noted: frozenset[str] = frozenset()
    diagnostic: bool = False


ALL = (
    Table("exchange_orders", ("client_order_id",)),
    Table("exchange_activities", ("activity_type", "moment", "symbol", "occurrence"), frozenset({"description"})),
    Table("exchange_account", ("balance_asof",)),
    Table("exchange_positions", ("symbol",)),
    Table("portfolios", ("portfolio_id", "ticker"), frozenset({"reason"})),
    Table("journal_orders", ("client_order_id",), frozenset({"reason"})),
    Table("rebalances", ("portfolio_id",), frozenset({"notes"})),
    Table("account_snapshots", ("timestamp",)),
    Table("performance_points", ("timestamp",)),
    Table("performance_totals", ("total",)),
    Table("current_totals", ("portfolio_id",)),
    Table("current_positions", ("ticker",)),
    Table("splits", ("ticker", "execution_date")),
    Table("dividends", ("ticker", "ex_dividend_date")),
    Table("equity_bars_digests", ("month",)),
    Table("predictions_digests", ("date",), diagnostic=True),
    Table("predictions", ("date", "ticker", "horizon"), diagnostic=True),
)
BY_NAME: Mapping[str, Table] = {table.name: table for table in ALL}
