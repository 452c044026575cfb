"""Whether the ports behind datamanager answer: the lake, the vendor.

Knows how to ask each cheaply: readiness is asked every few seconds and the vendor counts requests, so that its
answer is remembered for a while. Knows no HTTP.
"""

import asyncio
import math
import time

from datamanager.ports import MarketData
from internal.errors import FundError
from internal.lake.store import Lake

GOOD_FOR_SECONDS = 300.0
BAD_FOR_SECONDS = 10.0


class VendorReadiness:
    """Whether the vendor answers: any answer of the last five minutes will do, else it is asked for its clock.

    An error is remembered for ten seconds. So a collection that uses up the vendor's allowance does not make the
    service look unready, and probes do not use it up either.
    """

    def __init__(self, market_data: MarketData) -> None:
        self._market_data = market_data
        self._failed_at = -math.inf
        self._error: FundError | None = None
        self._one_at_a_time = asyncio.Lock()

    async def check(self) -> None:
        """Raise the FundError that the vendor's clock raised, or nothing."""
        async with self._one_at_a_time:
            if self._market_data.answered_within(GOOD_FOR_SECONDS):
                return
            if time.monotonic() - self._failed_at > BAD_FOR_SECONDS:
                self._error = await self._ask()
            if self._error:
                raise self._error

    async def _ask(self) -> FundError | None:
        try:
            await asyncio.to_thread(self._market_data.now)
        except FundError as error:
            self._failed_at = time.monotonic()
            return error
        return None


async def check_lake(lake: Lake) -> None:
    """Raise the FundError of a lake that cannot be opened, or nothing; an empty lake is ready."""
    await asyncio.to_thread(lake.version, "equity_bars")
