"""From `fund init` to the first paper order, with Polygon's market data, under the real names and over TLS."""

import time
from pathlib import Path

import pytest

from internal.modes import PAPER_HOST
from live.owner import init_words, key_options, open_owner, wait_for
from live.stage import NEEDS_ROOT, open_network

KEYS = {"ALPACA_API_KEY_ID": "PKOWNER", "ALPACA_API_SECRET": "an owner's secret", "POLYGON_API_KEY": "VENDORKEY"}
pytestmark = [pytest.mark.long, pytest.mark.timeout(900), NEEDS_ROOT]


def test_first_paper_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing has to be armed; the wall-clock seconds are printed."""
    network, home = tmp_path / "network", tmp_path / "fund"
    network.mkdir()
    with open_network(network, PAPER_HOST, KEYS) as broker, open_owner(home) as owner:
        started = time.monotonic()
        code, printed = owner.type(f"{init_words('paper', 'polygon')} {key_options(tmp_path, KEYS)}")
        assert code == 0, printed
        assert " PAPER  paper money: orders go to Alpaca's paper account" in owner.start()
        wait_for(broker.orders)
        seconds = time.monotonic() - started
        _, status = owner.type("status")
        owner.stop()

    assert " PAPER " in status
    with capsys.disabled():
        print(f"\nfrom `fund init` to the first paper order: {seconds:.0f} s")  # noqa: T201 - the figure
