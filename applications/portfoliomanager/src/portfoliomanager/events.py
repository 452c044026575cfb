"""The daily cycle: bars synced, predictions made, portfolio rebalanced; each step by event or by hand, with its event.

Knows which step follows which and what an event that comes too late is worth. Knows no HTTP.
"""

import asyncio
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from cloudevents.core.v1.event import CloudEvent

from internal.cloud_events import EventBus, make_event
from internal.cloud_events.event import event_date
from internal.cloud_events.inbox import Handler
from internal.dates import last_closed_session
from internal.event_types import EventType
from internal.telemetry import get_logger
from portfoliomanager.forecasting import Predicted
from portfoliomanager.ports import SuspendedAccountError
from portfoliomanager.rebalance import Outcome
from portfoliomanager.reconciliation import Reconciliation

SOURCE = "/portfoliomanager"

type Reconciled = tuple[Reconciliation, list[dict[str, Any]]]


class DailyCycle:
    """The steps as coroutines: the work runs on a thread, its event is durable before the step answers."""

    def __init__(
        self,
        moment: Callable[[], datetime],
        predict: Callable[[date | None], Predicted],
        rebalance: Callable[[date | None], Outcome],
        reconcile: Callable[[], Reconciled],
    ) -> None:
        """Takes the market's clock and the work of each step; all of them block."""
        self._moment, self._predict, self._rebalance, self._reconcile = moment, predict, rebalance, reconcile

    async def predict(self, bus: EventBus, day: date | None) -> Predicted:
        """Forecast a session and say so."""
        predicted = await asyncio.to_thread(self._predict, day)
        data = {"rows": predicted.forecast.frame.height, "model_version": predicted.model_version}
        await bus.publish(make_event(EventType.PREDICTIONS_MADE, SOURCE, predicted.day, data))
        return predicted

    async def rebalance(self, bus: EventBus, day: date | None) -> Outcome:
        """Build and send a session's portfolio and say so."""
        outcome = await asyncio.to_thread(self._rebalance, day)
        data = {"portfolio_id": outcome.record.portfolio_id, "state": outcome.record.state}
        await bus.publish(make_event(EventType.PORTFOLIO_REBALANCED, SOURCE, outcome.record.date, data))
        return outcome

    async def reconcile(self) -> Reconciled:
        """Ask the broker about every unfinished order; what happened, and what is not ours."""
        return await asyncio.to_thread(self._reconcile)

    def handlers(self, bus: Callable[[], EventBus]) -> dict[str, Handler]:
        """What the service does on each event; `bus` is asked for when an event comes, for it holds the handlers."""

        async def bars_synced(event: CloudEvent) -> None:
            if await self._is_timely(event):
                await self.predict(bus(), event_date(event))

        async def predictions_made(event: CloudEvent) -> None:
            if not await self._is_timely(event):
                return
            try:
                await self.rebalance(bus(), event_date(event))
            except SuspendedAccountError as error:
                get_logger(__name__).warning("rebalance_suspended", date=str(event_date(event)), detail=error.detail)

        async def session_opened(_event: CloudEvent) -> None:
            await self.reconcile()

        return {
            EventType.BARS_SYNCED: bars_synced,
            EventType.PREDICTIONS_MADE: predictions_made,
            EventType.SESSION_OPENED: session_opened,
        }

    async def _is_timely(self, event: CloudEvent) -> bool:
        """Whether the event is about the last closed session: an older one would be decided on stale prices."""
        day, latest = event_date(event), last_closed_session(await asyncio.to_thread(self._moment))
        if day < latest:
            get_logger(__name__).warning(
                "event_came_too_late", type=event.get_type(), date=str(day), latest=str(latest)
            )
        return day >= latest
