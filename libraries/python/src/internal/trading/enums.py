"""The words that rules depend on: sides, actions, verdicts and states. A reason is for people; a rule reads an enum."""

from enum import StrEnum


class Side(StrEnum):
    """The side of a position."""

    LONG = "long"
    SHORT = "short"

    @property
    def opposite(self) -> "Side":
        """The other side."""
        return Side.SHORT if self is Side.LONG else Side.LONG


class OrderSide(StrEnum):
    """The side of an order."""

    BUY = "buy"
    SELL = "sell"


class Leg(StrEnum):
    """Whether an order opens a position from flat, adds to one, or closes one in whole or in part.

    The leg is a part of the order's id, so that the broker's orders alone say where a holding starts.
    """

    OPEN = "open"
    ADD = "add"
    CLOSE = "close"

    @property
    def opens(self) -> bool:
        """Whether the order makes a position larger: it needs buying power."""
        return self is not Leg.CLOSE


class Action(StrEnum):
    """What a portfolio does with a name."""

    OPEN = "open"
    HOLD = "hold"
    CLOSE = "close"


class Verdict(StrEnum):
    """What a decision makes of a name: frozen is never touched, kept may be cut to balance the sides."""

    FROZEN = "frozen"
    KEEP = "keep"
    CLOSE = "close"
    OPEN = "open"


class Adjustment(StrEnum):
    """How an order came to differ from the decision: a fact of its run, made once and kept across restarts."""

    NONE = "none"
    CUT = "cut"  # an opening order that was made smaller, or dropped, because the other side fell short
    REPLACED = "replaced"  # an opening order that was sent already and is canceled; a smaller one (CUT) follows it
    TRIM = "trim"  # a partial close of a held position that was added because the other side fell short


class TimeInForce(StrEnum):
    """How long an order stays at the broker."""

    DAY = "day"
    AT_OPEN = "opg"
    AT_CLOSE = "cls"


class OrderState(StrEnum):
    """What became of an order. `unresolved` may be at the broker; `dropped` was never sent and never will be."""

    PLANNED = "planned"
    SUBMITTED = "submitted"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"
    UNRESOLVED = "unresolved"
    DROPPED = "dropped"

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to the order any more."""
        return self in _FINAL

    @property
    def is_sendable(self) -> bool:
        """Whether the order may still have to be sent: it never was, or it is not known whether it was."""
        return self in _SENDABLE


_FINAL = frozenset({OrderState.FILLED, OrderState.CANCELED, OrderState.REJECTED, OrderState.DROPPED})
_SENDABLE = frozenset({OrderState.PLANNED, OrderState.UNRESOLVED})


class RunState(StrEnum):
    """How far a rebalance is: `waiting` holds back openings that need the money of closes that have not filled yet."""

    PLANNED = "planned"
    WAITING = "waiting"
    SUBMITTED = "submitted"
    FILLED = "filled"
    RECONCILED = "reconciled"


class ForeignKind(StrEnum):
    """What in the account is not the fund's."""

    POSITION = "position"
    ORDER = "order"
