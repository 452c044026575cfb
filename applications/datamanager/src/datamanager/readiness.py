"""Whether the ports behind datamanager answer: the lake, the vendor.

Knows how to ask each cheaply: readiness is asked every few seconds and the vendor counts requests, so that its
answer is remembered for a while. Knows no HTTP.
"""

import asyncio
import time

from datamanager.ports import MarketData
from internal.errors import FundError
from internal.lake.store import Lake

GOOD_FOR_SECONDS = 300.0
BAD_FOR_SECONDS = 10.0


class VendorReadiness:
    """Asks the vendor for its clock; a good answer holds for five minutes, an error for ten seconds."""

    def __init__(self, market_data: MarketData) -> None:
        self._market_data = market_data
        self._asked_at = float("-inf")
        self._error: FundError | None = None
        self._one_at_a_time = asyncio.Lock()

    async def check(self) -> None:
        """Raise the FundError that the vendor's clock raised, or nothing."""
        async with self._one_at_a_time:
            good_for = BAD_FOR_SECONDS if self._error else GOOD_FOR_SECONDS
            if time.monotonic() - self._asked_at > good_for:
                self._error = await self._ask()
                self._asked_at = time.monotonic()
        if self._error:
            raise self._error

    async def _ask(self) -> FundError | None:
        try:
            await asyncio.to_thread(self._market_data.now)
        except FundError as error:
            return error
        return None


async def check_lake(lake: Lake) -> None:
    """Raise the FundError of a lake that cannot be opened, or nothing; an empty lake is ready."""
    await asyncio.to_thread(lake.version, "equity_bars")
