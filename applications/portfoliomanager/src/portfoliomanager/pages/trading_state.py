"""The form that changes the trading state: its choices, and the word that confirms each."""

from collections.abc import Sequence
from dataclasses import dataclass

from internal.trading.trading_state import LOSSES_ACCEPTED, TradingState
from portfoliomanager.pages.visitor import Visitor

CONFIRMING_WORDS = {
    TradingState.ACTIVE: "RESUME",
    TradingState.REDUCE_ONLY: "REDUCE",
    TradingState.HALTED: "HALT",
}
STATE_TITLES = {
    TradingState.ACTIVE: "Active",
    TradingState.REDUCE_ONLY: "Reduce-only",
    TradingState.HALTED: "Halted",
}


@dataclass(frozen=True)
class StateChoice:
    """One state that the form offers."""

    state: TradingState
    is_present: bool
    may_set: bool
    accepts_losses: bool

    @property
    def consequence(self) -> str:
        """What the state means, and what becomes of the limits of losses where it is looser than the present one."""
        if not self.accepts_losses:
            return f"{self.state.meaning[:1].upper()}{self.state.meaning[1:]}."
        return f"{self.state.meaning[:1].upper()}{self.state.meaning[1:]}. {LOSSES_ACCEPTED}"

    @property
    def title(self) -> str:
        """The state for people."""
        return STATE_TITLES[self.state]

    @property
    def word(self) -> str:
        """What a person types to confirm the change to it."""
        return CONFIRMING_WORDS[self.state]


def offer_states(present: TradingState, visitor: Visitor) -> Sequence[StateChoice]:
    """Every state, the present one marked."""
    return tuple(
        StateChoice(state, state is present, visitor.may_set(state, present), state.strictness < present.strictness)
        for state in TradingState
    )


@dataclass(frozen=True)
class StateFormView:
    """The page of the form, for who has no JavaScript or made a mistake in it."""

    problem: str = ""
    reason: str = ""
