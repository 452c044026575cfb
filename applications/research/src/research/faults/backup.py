"""A backup of a simulated fund: journal and portfolios as they were, put back while the broker has gone on."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Self

from internal.simulation.fund import SimulatedFund
from internal.trading.state_changes import change_state
from internal.trading.trading_state import StateCause, TradingState


@dataclass(frozen=True)
class Backup:
    """What `fund backup` keeps of a fund; the broker's side is not in it."""

    journal: dict[str, object]
    portfolios: dict[str, object]

    @classmethod
    def take(cls, fund: SimulatedFund) -> Self:
        """The fund's own memory as it is now."""
        return cls(deepcopy(vars(fund.journal)), deepcopy(vars(fund.portfolios)))

    def restore(self, fund: SimulatedFund) -> None:
        """Put it back, with trading halted until a person resumes, as `fund restore` does."""
        vars(fund.journal).update(deepcopy(self.journal))
        vars(fund.portfolios).update(deepcopy(self.portfolios))
        moment = fund.core.state.moment
        change_state(fund.journal, TradingState.HALTED, "the owner", StateCause.RESTORE, "restored", moment)
