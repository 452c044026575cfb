"""Documented exceptions: differences from the recordings that are wanted, each with its reason."""

from dataclasses import dataclass

EVERY_CASE = "*"


@dataclass(frozen=True)
class DocumentedDifference:
    """A field of a table that may differ from the recording.

    Args:
        case: The case's name, or `*` for all of them.
        table: The table's name.
        field: The field's name; `*` for every field and for missing and additional rows.
        reason: Why the difference is wanted.
    """

    case: str
    table: str
    field: str
    reason: str

    def covers(self, case: str, table: str, field: str) -> bool:
        """Whether a difference in this field is documented here."""
        return self.case in {EVERY_CASE, case} and self.table == table and self.field in {"*", field}


NEW_FORECASTS = (
    "the ensemble is calibrated on the same number of windows of each session, and HAR-type fits are sums over "
    "sessions whose rows end with a known trade: forecasts moved a little, orders, fills and books did not"
)
NEW_COLUMN = "a column that the recorded code did not have: what a rule needs is stored, not read from a reason"
NEW_FIELD = "a field of the broker's answer that the recorded exchange left out"
DOCUMENTED: tuple[DocumentedDifference, ...] = (
    DocumentedDifference(EVERY_CASE, "portfolios", "frozen", NEW_COLUMN),
    DocumentedDifference(EVERY_CASE, "portfolios", "held", NEW_COLUMN),
    DocumentedDifference(EVERY_CASE, "journal_orders", "adjustment", NEW_COLUMN),
    DocumentedDifference(EVERY_CASE, "portfolios", "security_id", NEW_COLUMN),
    DocumentedDifference(EVERY_CASE, "journal_orders", "security_id", NEW_COLUMN),
    DocumentedDifference(EVERY_CASE, "journal_orders", "asset_id", NEW_COLUMN),
    DocumentedDifference(EVERY_CASE, "performance_points", "return", NEW_COLUMN),
    DocumentedDifference(EVERY_CASE, "account_snapshots", "pool", NEW_COLUMN),
    DocumentedDifference(EVERY_CASE, "rebalances", "parameters", NEW_COLUMN),
    DocumentedDifference(EVERY_CASE, "rebalances", "strategy_digest", NEW_COLUMN),
    DocumentedDifference(EVERY_CASE, "rebalances", "known_at", NEW_COLUMN),
    DocumentedDifference(EVERY_CASE, "exchange_activities", "activity_sub_type", NEW_FIELD),
    DocumentedDifference(EVERY_CASE, "exchange_activities", "created_at", NEW_FIELD),
    DocumentedDifference(EVERY_CASE, "exchange_activities", "currency", NEW_FIELD),
    DocumentedDifference(EVERY_CASE, "portfolios", "quantile_10", NEW_FORECASTS),
    DocumentedDifference(EVERY_CASE, "portfolios", "quantile_50", NEW_FORECASTS),
    DocumentedDifference(EVERY_CASE, "portfolios", "quantile_90", NEW_FORECASTS),
    DocumentedDifference(
        "killed",
        "account_snapshots",
        "portfolio_id",
        "The recovery after a restart runs beside `fund up`, which moves the clock: it writes the snapshot of the last "
        "close again, with the portfolio that was decided there, or it comes too late for that.",
    ),
)
