"""`/stream`: Alpaca's websocket of order updates, in binary frames of JSON, or of MessagePack where it is asked for.

https://docs.alpaca.markets/docs/websocket-streaming
"""

import asyncio
import hmac
import json
from collections.abc import Mapping
from typing import cast

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from exchange.configuration import Configuration
from exchange.message_pack import pack, unpack
from exchange.responses.alpaca_stream import StreamMessage
from exchange.services import Exchange
from exchange.stream_hub import TRADE_UPDATES, Outbox, StreamHub

MESSAGE_PACK = "application/msgpack"
TOO_SLOW = 1008  # policy violation, RFC 6455

router = APIRouter()


@router.websocket("/stream")
@router.websocket("/stream/")  # as the former client alpaca-trade-api writes it
async def stream_updates(socket: WebSocket) -> None:
    """Serves one client until it leaves."""
    await socket.accept()
    configuration, exchange = socket.app.state.configuration, socket.app.state.exchange
    assert isinstance(configuration, Configuration)  # noqa: S101 - tells the type checker what the server wired
    assert isinstance(exchange, Exchange)  # noqa: S101 - as above
    await StreamSession(socket, configuration, exchange.updates).run()


class StreamSession:
    """One client's connection: what it may hear, and the messages that wait for it."""

    def __init__(self, socket: WebSocket, configuration: Configuration, hub: StreamHub) -> None:
        self._socket, self._configuration, self._hub = socket, configuration, hub
        self._packed = socket.headers.get("content-type", "") == MESSAGE_PACK
        self._outbox, self._authorized = Outbox(), False

    async def run(self) -> None:
        """Reads and writes until either ends; whatever becomes of the client, nothing of it stays."""
        tasks = {asyncio.create_task(self._read()), asyncio.create_task(self._write())}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._hub.leave(self._outbox)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self) -> None:
        try:
            while True:
                message = await self._socket.receive()
                if message["type"] == "websocket.disconnect":
                    return
                self._answer(read_message(message.get("bytes") or message.get("text") or b""))
        except WebSocketDisconnect:
            return

    async def _write(self) -> None:
        while (message := await self._outbox.take()) is not None:
            content = message.content()
            await self._socket.send_bytes(pack(content) if self._packed else json.dumps(content).encode())
        await self._socket.close(TOO_SLOW)

    def _answer(self, request: Mapping[str, object]) -> None:
        action, data = request.get("action"), request.get("data")
        details = cast("Mapping[str, object]", data) if isinstance(data, dict) else request
        if action in {"authenticate", "auth"}:
            self._authorized = self._is_key_pair(details)
            self._say_authorization("authenticate")
        elif action == "listen" and not self._authorized:
            self._say_authorization("listen")
        elif action == "listen":
            self._listen(details.get("streams"))
        else:
            self._say("error", error=f"invalid action: {action}")

    def _say_authorization(self, action: str) -> None:
        self._say("authorization", status="authorized" if self._authorized else "unauthorized", action=action)

    def _listen(self, streams: object) -> None:
        """The list replaces the one before; what is not served is left out of the answer."""
        wanted = [TRADE_UPDATES] if isinstance(streams, list) and TRADE_UPDATES in streams else []
        if wanted:
            self._hub.listen(self._outbox)
        else:
            self._hub.leave(self._outbox)
        self._say("listening", streams=wanted)

    def _say(self, stream: str, **data: str | list[str]) -> None:
        self._outbox.put(StreamMessage(stream=stream, data=data))

    def _is_key_pair(self, details: Mapping[str, object]) -> bool:
        expected = (self._configuration.exchange_api_key_id, self._configuration.exchange_api_secret)
        given = (details.get("key_id", details.get("key")), details.get("secret_key", details.get("secret")))
        pairs = zip(given, expected, strict=True)
        right = [hmac.compare_digest(str(one).encode(), secret.get_secret_value().encode()) for one, secret in pairs]
        return all(right)


def read_message(content: str | bytes) -> Mapping[str, object]:
    """A client's message, written as JSON or MessagePack; empty where it is neither, or no object."""
    try:
        read: object = json.loads(content)
    except ValueError:
        read = unpack(content) if isinstance(content, bytes) else None
    return cast("Mapping[str, object]", read) if isinstance(read, dict) else {}
