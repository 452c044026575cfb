"""What every page shows around its content: navigation, mode, trading state, and as of when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from internal.modes import Mode
from internal.trading.trading_state import TradingState, TradingStateChange
from portfoliomanager.pages.trading_state import STATE_TITLES, StateChoice, offer_states
from portfoliomanager.pages.visitor import Visitor


class Page(StrEnum):
    """A page of the navigation; its value is the address."""

    FUND = "/"
    BOOK = "/book"
    DECISIONS = "/decisions"
    FORECASTS = "/forecasts"
    MODEL = "/model"
    DATA = "/data"
    RESEARCH = "/research"
    EVENTS = "/services"

    @property
    def label(self) -> str:
        """The page's name."""
        return self.name.capitalize()


NAVIGATION: tuple[Page, ...] = (
    Page.FUND,
    Page.BOOK,
    Page.DECISIONS,
    Page.FORECASTS,
    Page.MODEL,
    Page.DATA,
    Page.RESEARCH,
    Page.EVENTS,
)


@dataclass(frozen=True)
class Frame:
    """The frame of a page.

    Attributes:
        page: Where the page belongs in the navigation; None for none.
        mode: Simulated, paper or live.
        trading_state: The state in force; None where the journal cannot be read.
        moment: The market's clock; None where the broker does not answer.
        visitor: Who looks at the page.
        standby: Who trades instead of this process; empty while this process may trade.
    """

    page: Page | None
    mode: Mode
    trading_state: TradingStateChange | None
    moment: datetime | None
    visitor: Visitor
    standby: str = ""

    @property
    def navigation(self) -> tuple[Page, ...]:
        """The pages in order."""
        return NAVIGATION

    @property
    def state_word(self) -> str:
        """The trading state for people."""
        return STATE_TITLES[self.trading_state.state] if self.trading_state else "State unknown"

    @property
    def state_choices(self) -> Sequence[StateChoice]:
        """What the form of the trading state offers; an unknown state may be halted."""
        return offer_states(self.trading_state.state if self.trading_state else TradingState.ACTIVE, self.visitor)

    @property
    def is_restricted(self) -> bool:
        """Whether the state forbids some or all orders, which every page then says."""
        return self.trading_state is not None and self.trading_state.state is not TradingState.ACTIVE

    @property
    def places(self) -> list[dict[str, str]]:
        """Where the jump dialog leads to."""
        return [{"name": page.label, "about": "", "href": page.value, "kind": "Page"} for page in NAVIGATION]
