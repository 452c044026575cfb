"""A session that could not be decided is decided by itself once nothing forbids it, as long as the next open is ahead.

Trading may be resumed at a process that is on standby, the broker's account may be switched on, a live fund be armed:
nothing sends an event then, and not every fund has a scheduler.
"""

import asyncio
from typing import NoReturn

from internal.cloud_events.responses import HANDLED
from internal.dates import last_closed_session
from internal.errors import FundError
from internal.lake.lease import Lease
from internal.telemetry import get_logger
from portfoliomanager.events import DailyCycle
from portfoliomanager.operations import FundOperations

PAUSE_SECONDS = 60.0  # between two looks


class WaitingSessions:
    """Looks for a session that waits for its decision.

    Args:
        cycle: Decides, and says which sessions were asked for.
        operations: Say what may be decided.
        lease: Only the process that may trade looks.
    """

    def __init__(self, cycle: DailyCycle, operations: FundOperations, lease: Lease) -> None:
        self._cycle, self._operations, self._lease = cycle, operations, lease
        self._was_halted = False

    async def run(self) -> NoReturn:
        """Look again and again; what fails is logged, for the next look is as good."""
        while True:
            await asyncio.sleep(PAUSE_SECONDS)
            try:
                if self._lease.held():
                    await self.look()
            except FundError as error:
                get_logger(__name__).warning("session_waits", detail=error.detail)

    async def look(self) -> None:
        """Decide the last session if it waits; a resume counts at any time of the day, whichever process it reached.

        What met the halt and then fails is tried at each look, until it is decided or refused for good.
        """
        day = last_closed_session(await asyncio.to_thread(self._operations.read_clock))
        await asyncio.to_thread(self._operations.forget_undecided_before, day)
        was_halted, self._was_halted = self._was_halted, await asyncio.to_thread(self._operations.is_halted)
        if self._was_halted:
            return
        if was_halted:
            await self._cycle.decide_held_session()
            return
        if day not in await self._cycle.list_asked_for({HANDLED}):
            return
        if await asyncio.to_thread(self._operations.may_decide, day):
            await self._cycle.rebalance_once(day)
