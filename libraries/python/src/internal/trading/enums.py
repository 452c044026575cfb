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


class NameOutcome(StrEnum):
    """What a decision made of a name: the first thing that kept it from being opened, else what became of it."""

    NOT_PRICED = "not_priced"
    NOT_IN_UNIVERSE = "not_in_universe"
    NO_VOLATILITY = "no_volatility"
    NOT_TRADABLE = "not_tradable"
    REFUSED = "refused"
    BLOCKED = "blocked"
    NO_FORECAST = "no_forecast"
    NOT_CHOSEN = "not_chosen"
    NOT_SHORTABLE = "not_shortable"
    TOO_SMALL = "too_small"
    CUT = "cut"
    REDUCED = "reduced"
    KEPT = "kept"
    CLOSED = "closed"
    OPENED = "opened"

    @property
    def is_chosen(self) -> bool:
        """Whether the name is in the book after the decision."""
        return self in _CHOSEN

    @property
    def words(self) -> str:
        """What happened, for people."""
        return _OUTCOME_WORDS[self]


_CHOSEN = frozenset({NameOutcome.OPENED, NameOutcome.KEPT})
_OUTCOME_WORDS = {
    NameOutcome.NOT_PRICED: "no price today",
    NameOutcome.NOT_IN_UNIVERSE: "too cheap, too thinly traded, or too few bars",
    NameOutcome.NO_VOLATILITY: "too few bars for a volatility",
    NameOutcome.NOT_TRADABLE: "the broker does not trade it",
    NameOutcome.REFUSED: "not among the names that may be opened",
    NameOutcome.BLOCKED: "an order of it is open, somebody else holds it, or a corporate action has changed it since",
    NameOutcome.NO_FORECAST: "no forecast",
    NameOutcome.NOT_CHOSEN: "the strategy preferred others",
    NameOutcome.NOT_SHORTABLE: "it cannot be sold short",
    NameOutcome.TOO_SMALL: "its weight buys less than one share",
    NameOutcome.CUT: "cut by a risk limit",
    NameOutcome.REDUCED: "positions may only become smaller",
    NameOutcome.OPENED: "opened",
    NameOutcome.KEPT: "kept",
    NameOutcome.CLOSED: "closed",
}


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

    @property
    def words(self) -> str:
        """The state, for people; the same words on every page and in every command."""
        return self.value.replace("_", " ")

    @property
    def meaning(self) -> str:
        """What the state says of an order, for people."""
        return _ORDER_MEANINGS[self]


_FINAL = frozenset({OrderState.FILLED, OrderState.CANCELED, OrderState.REJECTED, OrderState.DROPPED})
_SENDABLE = frozenset({OrderState.PLANNED, OrderState.UNRESOLVED})
_ORDER_MEANINGS = {
    OrderState.PLANNED: "in the journal, not sent yet",
    OrderState.SUBMITTED: "accepted by the broker, which fills it when the next session opens",
    OrderState.PARTIALLY_FILLED: "the broker has filled a part of it so far",
    OrderState.FILLED: "the broker has filled all of it",
    OrderState.CANCELED: "ended at the broker before all of it was filled",
    OrderState.REJECTED: "refused by the broker",
    OrderState.UNRESOLVED: "the broker's answer was lost: it is asked whether it has the order",
    OrderState.DROPPED: "never sent, and never will be",
}


class RunState(StrEnum):
    """How far a rebalance is: `waiting` holds back openings that need the money of closes that have not filled yet."""

    PLANNED = "planned"
    WAITING = "waiting"
    SUBMITTED = "submitted"
    FILLED = "filled"
    RECONCILED = "reconciled"

    @property
    def words(self) -> str:
        """How far its orders are, for people, in the words of their states."""
        return _RUN_WORDS.get(self, self.value)


_RUN_WORDS = {
    RunState.PLANNED: "not all submitted",
    RunState.WAITING: "openings wait for the fills of closes",
}


class ForeignKind(StrEnum):
    """What in the account is not the fund's."""

    POSITION = "position"
    ORDER = "order"
