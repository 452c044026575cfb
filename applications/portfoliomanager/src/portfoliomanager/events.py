"""The CloudEvents of portfoliomanager: bars synced starts predictions, if the strategy reads any, and the rebalance."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import date
from pathlib import Path

from cloudevents.core.v1.event import CloudEvent
from pydantic import SecretStr

from internal.cloud_events import EventBus, make_event
from internal.cloud_events.event import event_date
from internal.cloud_events.responses import HANDLED, PENDING
from internal.dates import last_closed_session
from internal.errors import FundError
from internal.event_types import EventType
from internal.telemetry import get_logger
from internal.trading.ports import SuspendedAccountError
from internal.trading.rebalancing import Outcome
from internal.trading.strategy import StrategyError
from portfoliomanager.forecasting import Predicted
from portfoliomanager.operations import FundOperations

SOURCE = "/portfoliomanager"
logger = get_logger(__name__)


class DailyCycle:
    """Handles the events of the daily cycle and publishes its own, on the event bus that it owns.

    The work runs on a thread; its event is durable before the step answers, whoever started it.

    Args:
        operations: The work of each step.
        state_directory: The folder of the bus's file.
        subscribers: The URLs that events are sent to.
        token: The bearer token sent with them.
    """

    def __init__(
        self, operations: FundOperations, state_directory: Path, subscribers: Sequence[str], token: SecretStr | None
    ) -> None:
        self._operations = operations
        self.bus = EventBus(
            state_directory,
            SOURCE,
            subscribers,
            {
                EventType.BARS_SYNCED: self.handle_bars_synced,
                EventType.PREDICTIONS_MADE: self.handle_predictions_made,
                EventType.SESSION_OPENED: self.handle_session_opened,
            },
            token=token,
        )

    async def predict(self, day: date | None) -> Predicted:
        """Forecast a session, then publish that its predictions are stored."""
        predicted = await asyncio.to_thread(self._operations.predict, day)
        data = {"rows": predicted.forecast.frame.height, "model_version": predicted.model_version}
        await self.bus.publish(make_event(EventType.PREDICTIONS_MADE, SOURCE, predicted.day, data))
        return predicted

    async def rebalance(self, day: date | None) -> Outcome:
        """Build and send a session's portfolio, then publish it."""
        outcome = await asyncio.to_thread(self._operations.rebalance, day)
        data = {"portfolio_id": outcome.run.portfolio_id, "state": outcome.run.state}
        await self.bus.publish(make_event(EventType.PORTFOLIO_REBALANCED, SOURCE, outcome.run.date, data))
        return outcome

    async def handle_bars_synced(self, event: CloudEvent) -> None:
        """The bars of a session are stored: forecast it, or rebalance at once if the strategy reads no forecasts."""
        if not await self._is_timely(event):
            return
        if self._operations.needs_forecasts:
            await self.predict(event_date(event))
        else:
            await self.rebalance_once(event_date(event))

    async def handle_predictions_made(self, event: CloudEvent) -> None:
        """The predictions of a session are stored: rebalance."""
        if await self._is_timely(event):
            await self.rebalance_once(event_date(event))

    async def handle_session_opened(self, _event: CloudEvent) -> None:
        """A session has opened, and orders were filled: reconcile."""
        await asyncio.to_thread(self._operations.reconcile)

    async def decide_held_session(self) -> None:
        """After a halt: go on with an interrupted run, then decide the last session if its event met the halt.

        The scheduler asks for it too, where there is one: a session is decided once. What fails is logged. An event
        that its handler has not ended counts too: it may have met the halt a moment ago.
        """
        await asyncio.to_thread(self._operations.go_on)
        try:
            day = last_closed_session(await asyncio.to_thread(self._operations.read_clock))
            is_asked_for = day in await self.list_asked_for({HANDLED, PENDING})
            if is_asked_for and await asyncio.to_thread(self._operations.is_waiting, day):
                await self.rebalance_once(day)
        except FundError as error:
            logger.warning("session_not_decided", detail=error.detail)

    async def list_asked_for(self, states: Collection[str]) -> list[date]:
        """The sessions whose deciding event was received and is in one of the states, the newest event first."""
        deciding = EventType.PREDICTIONS_MADE if self._operations.needs_forecasts else EventType.BARS_SYNCED
        received = (await self.bus.recent()).inbox
        found = (
            one.id.removeprefix(f"{deciding}:") for one in received if one.type == deciding and one.state in states
        )
        return [date.fromisoformat(day) for day in found]

    async def rebalance_once(self, day: date) -> None:
        """Rebalance; what would fail again is logged: a suspended account ends by itself, a strategy's error does not.

        A session in whose decision the strategy failed is left alone: a person alone has it decided again.
        """
        if await asyncio.to_thread(self._operations.has_strategy_failed, day):
            logger.warning("strategy_failed_before", date=str(day))
            return
        try:
            await self.rebalance(day)
        except SuspendedAccountError as error:
            logger.warning("rebalance_suspended", date=str(day), detail=error.detail)
        except StrategyError as error:
            logger.error("strategy_failed", date=str(day), detail=error.detail)  # noqa: TRY400 - its detail has the traceback

    async def _is_timely(self, event: CloudEvent) -> bool:
        """Whether the event is about the last closed session: an older one would be decided on stale prices."""
        day, latest = event_date(event), last_closed_session(await asyncio.to_thread(self._operations.read_clock))
        if day < latest:
            logger.warning("event_came_too_late", type=event.get_type(), date=str(day), latest=str(latest))
        return day >= latest
