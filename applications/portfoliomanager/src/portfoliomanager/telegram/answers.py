"""Carries out a command that the owner has sent by Telegram, and says what became of it."""

from collections.abc import Callable
from datetime import datetime, timedelta

from polars.exceptions import PanicException
from pydantic import ValidationError

from internal.errors import FundError
from internal.modes import Mode
from internal.telemetry import get_logger
from internal.trading.trading_state import TradingState, TradingStateChange
from portfoliomanager.ports import FundJournal
from portfoliomanager.requests import StateRequest
from portfoliomanager.telegram.messages import ChatMessage, Command, CommandRequest
from portfoliomanager.trading_state_responses import TradingStateResponse

GOOD_FOR = timedelta(minutes=5)
STATES = {Command.HALT: TradingState.HALTED, Command.REDUCE: TradingState.REDUCE_ONLY}

logger = get_logger(__name__)

type TightenState = Callable[[TradingState, str, str], TradingStateChange]


class TelegramAnswers:
    """What each command does; every method blocks until it is done.

    Args:
        journal: The trading state, orders, runs and values of the fund.
        mode: Simulated, paper or live: every answer says it.
        tighten_state: Stores a trading state unless a stricter one is in force by then.
    """

    def __init__(self, journal: FundJournal, mode: Mode, tighten_state: TightenState) -> None:
        self._journal, self._mode, self._tighten_state = journal, mode, tighten_state

    def answer(self, request: CommandRequest, message: ChatMessage, now: datetime) -> str:
        """Carry the command out unless it is old, and answer. A command that fails changes nothing, and says so.

        One that crashes is answered too: raised, the error would have the same command carried out again.
        """
        if now - message.sent_at > GOOD_FOR:
            return (
                f"{self._mode.banner}: `{request.command}` was sent at {message.sent_at:%Y-%m-%d %H:%M} UTC, more than "
                f"{GOOD_FOR.seconds // 60} minutes before it arrived. Nothing was changed; send it again if you still "
                "want it."
            )
        try:
            return "\n".join(self._carry_out(request, message))
        except FundError as error:
            return f"{self._mode.banner}: `{request.command}` was NOT carried out: {error.detail}"
        except (Exception, PanicException) as error:
            logger.exception("telegram_command_crashed", command=request.command)
            return (
                f"{self._mode.banner}: `{request.command}` crashed ({type(error).__name__}) and may not have been "
                "carried out: send `status` to see what holds, and look into portfoliomanager's log."
            )

    def _carry_out(self, request: CommandRequest, message: ChatMessage) -> list[str]:
        self._journal.refresh()
        wanted = STATES.get(request.command)
        if wanted is None:
            return [*self._describe_state(), *self._describe_fund()]
        current = self._journal.trading_state().state
        if wanted.strictness < current.strictness:
            allowing = f"`./fund {request.command}` at the machine does."
            return [*self._describe_state(), f"Telegram never allows more than before; {allowing}"]
        try:
            asked = StateRequest(state=wanted, changed_by=f"Telegram user {message.sender}", reason=request.reason)
        except ValidationError:
            return [f"{self._mode.banner}: nothing was changed, for the reason has more than 500 characters."]
        if wanted is not current:
            self._tighten_state(asked.state, asked.changed_by, asked.reason)
        return [*self._describe_state(), "`./fund resume` at the machine trades again."]

    def _describe_state(self) -> list[str]:
        change, unfinished = self._journal.trading_state(), self._journal.unfinished()
        counts = TradingStateResponse.at(change, self._mode, unfinished)
        lines = [f"{self._mode.banner}: trading is {change.state.words}: {change.state.meaning}."]
        if change.number:
            lines.append(f"Since {change.changed_at:%Y-%m-%d %H:%M} UTC, by {change.changed_by}: {change.reason}")
        lines.append(
            f"{counts.orders_at_broker} orders are at the broker, {counts.planned_orders} are planned and not sent."
        )
        return lines

    def _describe_fund(self) -> list[str]:
        lines, runs, last = list[str](), self._journal.runs(), self._journal.last_snapshot()
        if last is not None:
            value = f"Net asset value {last.net_asset_value:,.2f} dollars, cash {last.cash:,.2f}"
            lines.append(f"{value}, at {last.timestamp:%Y-%m-%d %H:%M} UTC.")
        lines.append(f"Last decision: session {runs[-1].date}, {runs[-1].state}." if runs else "No decision yet.")
        return lines
