"""An exchange that is played as a live account."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from applications.portfoliomanager.tests.portfoliomanager_kit import KEY, SECRET, TOKEN, World
from applications.portfoliomanager.tests.service_kit import problem
from internal.modes import Mode
from libraries.python.tests.loopback import serving
from portfoliomanager.server import create_application


def fund_command(home: Path, url: str, *arguments: str, typed: str = "") -> tuple[int, str]:
    """A command of the fund in a folder whose portfoliomanager listens at the address; exit code and output."""
    home.mkdir(exist_ok=True)
    names = ("api_key_id", "api_secret", "market_data_key", "fund_api_token")
    (home / "credentials.json").write_text(json.dumps(dict.fromkeys(names, TOKEN)))
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "fund", *arguments],
        env=os.environ | {"FUND_HOME": str(home), "PORTFOLIOMANAGER_PORT": url.rpartition(":")[2]},
        input=typed,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_live_account_has_to_be_armed(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exchange that is played as a live account: nothing is sent before its number was typed, then a dry run."""
    world.store_predictions(world.session())
    for name, value in world.variables("live").items():
        monkeypatch.setenv(name, value)
    keys = {"APCA-API-KEY-ID": KEY, "APCA-API-SECRET-KEY": SECRET}
    number = world.exchange.json("GET", "/v2/account", headers=keys)["account_number"]
    before, headers = len(world.orders()), {"Authorization": f"Bearer {TOKEN}"}
    with serving(create_application(mode=Mode.LIVE)) as url:
        refused = httpx.post(f"{url}/portfolios", json={}, headers=headers, timeout=60)
        assert problem(refused)["type"] == "urn:pocketsizefund:problem:not-armed"
        shown = httpx.get(f"{url}/arming", timeout=60).json()
        assert (shown["mode"], shown["armed"], shown["limits"]["gross_exposure"]) == ("live", False, 2.0)
        kind = shown["evidence_name"]
        code, printed = fund_command(tmp_path, url, "arm", "--live", typed=f"{number}\n")
        assert code == 1
        assert f"--without-evidence {kind}" in printed
        arm = ("arm", "--live", "--without-evidence", kind)
        wrong = {"account_number": "another", "digest": shown["digest"], "armed_by": "ada", "without_evidence": kind}
        refused = httpx.post(f"{url}/arming", json=wrong, headers=headers, timeout=60)
        assert "account number is not that" in problem(refused)["detail"]
        code, printed = fund_command(tmp_path, url, *arm, "--for", "3", typed=f"{number}\n")
        assert code == 0, printed
        assert f"without evidence for {kind}" in printed
        assert "LIVE: armed until" in printed
        assert f"without evidence for {kind}" in httpx.get(url, timeout=60).text
        dry = httpx.post(f"{url}/portfolios", json={}, headers=headers, timeout=60).json()
        assert (dry["state"], {order["state"] for order in dry["orders"]}) == ("reconciled", {"dropped"})
        code, printed = fund_command(tmp_path, url, "disarm")
        assert code == 0, printed
        assert httpx.get(f"{url}/arming", timeout=60).json()["armed"] is False
    assert len(world.orders()) == before
