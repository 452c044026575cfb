# pyright: reportPrivateUsage=false, reportUnknownMemberType=false
# alpaca-py is partly typed, and its public `run` starts an event loop of its own
"""Alpaca's stream of order updates: it says when a reconciliation has something to record.

https://docs.alpaca.markets/docs/websocket-streaming
"""

import asyncio
from collections.abc import Mapping
from typing import cast

from alpaca.trading.stream import TradingStream

from internal.http.authorities import trusted_authorities

UNIMPORTANT = frozenset({"new", "accepted", "pending_new", "pending_cancel", "pending_replace", "held", "calculated"})
"""Events after which the journal has nothing to record; any other one, an unknown word too, is recorded."""


CONNECTION = {"ping_interval": 10, "ping_timeout": 180, "max_queue": 1024}
"""alpaca-py's own parameters of the connection, which it drops where any is given."""


class TradeUpdates:
    """The updates of one account, as a signal: what happened to an order is asked of the broker itself.

    A connection that is lost is opened again by alpaca-py, after pauses of up to 30 seconds.
    """

    def __init__(self, key: str, secret: str, url: str) -> None:
        """Takes the key pair and the broker's address; connects when it is run."""
        address = url.replace("http", "ws", 1).rstrip("/") + "/stream"
        encryption = {"ssl": trusted_authorities()} if address.startswith("wss") else {}
        self._stream = TradingStream(
            key, secret, raw_data=True, url_override=address, websocket_params=CONNECTION | encryption
        )
        self._stream.subscribe_trade_updates(self._note)
        self._has_news = asyncio.Event()

    @property
    def is_connected(self) -> bool:
        """Whether updates arrive."""
        return self._stream._running  # noqa: SLF001 - alpaca-py does not tell it otherwise

    async def run(self) -> None:
        """Receive updates until the task is canceled."""
        try:
            await self._stream._run_forever()  # noqa: SLF001 - in the loop of the service
        finally:
            await self._stream.close()

    async def wait(self) -> None:
        """Return when something has happened to an order since the last call."""
        await self._has_news.wait()
        self._has_news.clear()

    async def _note(self, update: Mapping[str, object]) -> None:
        data = cast("Mapping[str, object]", update.get("data") or {})
        if data.get("event") not in UNIMPORTANT:
            self._has_news.set()
