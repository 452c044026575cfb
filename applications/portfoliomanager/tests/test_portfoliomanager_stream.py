"""The broker's stream over TLS: it trusts the authorities that the requests to the broker trust, and no others."""

import asyncio
import logging
import ssl
from logging.handlers import QueueHandler
from pathlib import Path

import certifi
import pytest
from live.certificates import make_certificates
from websockets.asyncio.server import ServerConnection, serve

from internal.http.authorities import trusted_authorities
from portfoliomanager.adapters.trade_updates import TradeUpdates


@pytest.mark.parametrize("machine_trusts", [False, True])
def test_authorities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, machine_trusts: bool) -> None:
    """An authority of certifi's bundle is trusted; one of the machine's own store is not, and no keys are sent."""
    made, other = make_certificates(["localhost"]), make_certificates(["localhost"])
    bundle, store, server = tmp_path / "bundle.pem", tmp_path / "store.pem", tmp_path / "server.pem"
    bundle.write_bytes((other if machine_trusts else made).authority)
    store.write_bytes((made if machine_trusts else other).authority)
    server.write_bytes(made.key + made.certificate)
    monkeypatch.setattr(certifi, "where", lambda: str(bundle))
    monkeypatch.setenv("SSL_CERT_FILE", str(store))
    trusted_authorities.cache_clear()
    try:
        seen = asyncio.run(connect_to(server))
    finally:
        trusted_authorities.cache_clear()

    assert ("CERTIFICATE_VERIFY_FAILED" if machine_trusts else "authenticate") in seen


async def connect_to(certificate: Path) -> str:
    """What a server with the certificate receives first, or the error of the stream that has refused it."""
    context, seen = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), asyncio.Queue[object]()
    context.load_cert_chain(certificate)
    errors, log = QueueHandler(seen), logging.getLogger("alpaca.trading.stream")
    errors.setLevel(logging.ERROR)
    log.addHandler(errors)

    async def receive(connection: ServerConnection) -> None:
        await seen.put(await connection.recv())

    async with serve(receive, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        running = asyncio.create_task(TradeUpdates("AKX", "secret", f"https://localhost:{port}").run())
        first = await seen.get()
        running.cancel()
    log.removeHandler(errors)
    return first.getMessage() if isinstance(first, logging.LogRecord) else str(first)
