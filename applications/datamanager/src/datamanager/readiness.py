"""Readiness checks: whether the vendor and the lake answer.

Readiness is asked every few seconds and the vendor limits requests, so the vendor's answers are cached.
"""

import asyncio
import math
import time

from datamanager.ports import MarketData
from internal.errors import FundError
from internal.lake.store import Lake

ANSWER_LIFETIME_SECONDS = 300.0
ERROR_LIFETIME_SECONDS = 10.0


class VendorReadiness:
    """Whether the vendor answers: any answer of the last five minutes counts, else it is asked for its clock.

    An error is cached for ten seconds. An ingestion that uses up the rate limit therefore does not make the service
    unready, and readiness checks do not use it up either.
    """

    def __init__(self, market_data: MarketData) -> None:
        self._market_data = market_data
        self._failed_at = -math.inf
        self._error: FundError | None = None
        self._one_at_a_time = asyncio.Lock()

    async def check(self) -> None:
        """Raise the vendor's FundError when it does not answer."""
        async with self._one_at_a_time:
            if self._market_data.has_answered_within(ANSWER_LIFETIME_SECONDS):
                return
            if time.monotonic() - self._failed_at > ERROR_LIFETIME_SECONDS:
                self._error = await self._ask_vendor()
            if self._error:
                raise self._error

    async def _ask_vendor(self) -> FundError | None:
        try:
            await asyncio.to_thread(self._market_data.now)
        except FundError as error:
            self._failed_at = time.monotonic()
            return error
        return None


async def check_lake(lake: Lake) -> None:
    """Raise the FundError of a lake that cannot be opened; an empty lake is ready."""
    await asyncio.to_thread(lake.version, "equity_bars")
