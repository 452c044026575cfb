"""One run of the state machine of `internal.trading.rebalancing`: the decision of a session and how far it is."""

from dataclasses import dataclass
from datetime import date, datetime

from internal.trading.enums import RunState


@dataclass(frozen=True, slots=True)
class RebalanceRun:
    """One run of the state machine of `internal.trading.rebalancing`.

    `policy` is the strategy's name, `parameters` its parameters as JSON, `strategy_digest` the SHA-256 of its file;
    the last two are empty in runs that are older than these columns. `lease_number` is the fencing number of the holder
    that last changed it; None in runs older than the lease. The decision read bars at `bars_version` and anything else
    as it was known at `known_at`; None in runs older than this column.
    """

    portfolio_id: str
    date: date
    state: RunState
    policy: str
    model_version: str
    bars_version: int
    notes: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    lease_number: int | None = None
    parameters: str = ""
    strategy_digest: str = ""
    known_at: datetime | None = None
