"""The trading state: whether the fund may send any orders, or only closes, and who said so.

A change holds until a person changes it again; a limit of the fund may only tighten (`state_changes`).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

THE_FUND = "the fund"  # who changed the state where no person did
NO_REASON = "no reason was given"
LOSSES_ACCEPTED = "Earlier losses no longer count: the limits on losses and drawdown start again from here."


class TradingState(StrEnum):
    """What the fund may send."""

    ACTIVE = "active"
    REDUCE_ONLY = "reduce_only"
    HALTED = "halted"

    @property
    def strictness(self) -> int:
        """0 for active; a larger number forbids more."""
        return _STRICTNESS[self]

    @property
    def words(self) -> str:
        """Its name for people."""
        return self.value.replace("_", " ")

    @property
    def meaning(self) -> str:
        """What the state means, in one sentence for people."""
        return _MEANINGS[self]


_STRICTNESS = {TradingState.ACTIVE: 0, TradingState.REDUCE_ONLY: 1, TradingState.HALTED: 2}
_MEANINGS = {
    TradingState.ACTIVE: "the fund decides and sends orders",
    TradingState.REDUCE_ONLY: "only orders that make positions smaller are sent, until a person resumes trading",
    TradingState.HALTED: "nothing is sent, exits included, until a person resumes trading",
}


class StateCause(StrEnum):
    """What brought a state about."""

    OWNER = "owner"  # a person asked for it
    LIMIT = "limit"  # a limit of the fund was reached
    BROKER = "broker"  # the broker and the journal disagree, or the broker restricts the account
    RESTORE = "restore"  # the fund was restored from a backup and is not reconciled yet
    FLATTEN = "flatten"  # everything of the fund's is being closed, and stays closed


@dataclass(frozen=True, slots=True)
class TradingStateChange:
    """A trading state since it was set.

    Attributes:
        state: The state.
        changed_at: The moment by the clock of whoever changed it, UTC; the order of changes is that of their numbers.
        changed_by: A person's name, or THE_FUND.
        cause: What brought it about.
        reason: One sentence for people; no rule reads it.
        number: 1 for the first change, and one more than the change that it was made after; 0 for UNCHANGED.
        losses_accepted_until: The market's clock at the last value of the account before a person loosened the state
            last: losses up to the value after it no longer count. None before that.
    """

    state: TradingState
    changed_at: datetime
    changed_by: str
    cause: StateCause
    reason: str
    number: int
    losses_accepted_until: datetime | None = None

    @property
    def flattens(self) -> bool:
        """Whether everything that is the fund's is to be closed."""
        return self.state is TradingState.HALTED and self.cause is StateCause.FLATTEN

    def describe(self) -> str:
        """The state with who, when and why, in one sentence."""
        if not self.number:
            return f"{self.state.words}: never changed"
        since = f"{self.changed_at:%Y-%m-%d %H:%M} UTC"
        return f"{self.state.words} since {since}, by {self.changed_by} ({self.cause}): {self.reason}"


UNCHANGED = TradingStateChange(
    TradingState.ACTIVE, datetime(2000, 1, 1, tzinfo=UTC), THE_FUND, StateCause.OWNER, "never changed", 0
)


def newer_change(one: TradingStateChange, other: TradingStateChange) -> TradingStateChange:
    """The change that is in force; of two that were made at once, after the same one, the stricter."""
    return max(one, other, key=lambda change: (change.number, change.state.strictness, change.flattens))
