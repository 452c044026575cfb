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


REAL_CLOCK = "the moment at which bars were known, by the machine's clock: another in each run"
RECONCILED_AT_START = "a restart between two sessions reconciles a run without orders at once, not at the next open"
DOCUMENTED: tuple[DocumentedDifference, ...] = (
    DocumentedDifference(EVERY_CASE, "rebalances", "known_at", REAL_CLOCK),
    DocumentedDifference("killed", "rebalances", "updated_at", RECONCILED_AT_START),
    DocumentedDifference(
        "killed",
        "account_snapshots",
        "portfolio_id",
        "The recovery after a restart runs beside `fund up`, which moves the clock: it writes the snapshot of the last "
        "close again, with the portfolio that was decided there, or it comes too late for that.",
    ),
)
"""Of the services."""

WITHOUT_BROKER = "the engine trades by ticker on arrays: it has no broker's ids"
OF_ENGINE: tuple[DocumentedDifference, ...] = (
    DocumentedDifference(EVERY_CASE, "portfolios", "security_id", WITHOUT_BROKER),
    DocumentedDifference(EVERY_CASE, "journal_orders", "security_id", WITHOUT_BROKER),
    DocumentedDifference(EVERY_CASE, "journal_orders", "asset_id", WITHOUT_BROKER),
    DocumentedDifference(EVERY_CASE, "rebalances", "known_at", REAL_CLOCK),
)
