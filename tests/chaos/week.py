"""A week as it may come: a vendor outage, a deposit, a hand trade, a holiday, an early close, a sleep of three days.

    PYTHONPATH=$PWD uv run --directory tests python -m chaos.week FOLDER

Real services and the scheduler on the exchange's clock; the daily report of each session is written to FOLDER as text.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final

import httpx
import psutil
from rich.console import Console

from chaos.draws import Move
from chaos.laps import AT_A_BROKER, BARS_DELAY, TICKERS, TRADED
from chaos.rounds import Player
from chaos.sight import Run, Sight, read_runs
from chaos.supervised_fund import Setup, SupervisedFund, open_supervised_fund
from fund.interrupts import INTERRUPTS
from fund.market_settings import MarketSettings
from fund.services import Service

OPENING: Final = date(2024, 11, 21)  # a Thursday, a week before Thanksgiving
OUTAGE, DEPOSIT, HAND_TRADE = date(2024, 11, 22), date(2024, 11, 25), date(2024, 11, 26)
BEFORE_HOLIDAY, EARLY_CLOSE = date(2024, 11, 27), date(2024, 11, 29)
SLEPT, WOKEN = (date(2024, 12, 2), date(2024, 12, 3)), date(2024, 12, 4)
REPORTED: Final = (OPENING, OUTAGE, DEPOSIT, HAND_TRADE, BEFORE_HOLIDAY, EARLY_CLOSE, WOKEN)
DEPOSITED = Decimal(50_000)
ASLEEP = (Service.DATAMANAGER, Service.PORTFOLIOMANAGER, Service.SCHEDULER)
VENDOR = "/v2/aggs/*"
BOTH = ("collection", "decision")


@dataclass(frozen=True)
class Day:
    """What was seen after a session.

    Attributes:
        report: The daily report's text.
        equity: What the exchange says that the account is worth, dollars.
        clock: The exchange's, when the report was there.
    """

    report: str
    equity: Decimal
    clock: str


@dataclass
class Week:
    """The week of one fund; `days` and the rest are what was seen."""

    fund: SupervisedFund
    days: dict[date, Day] = field(default_factory=dict[date, Day])
    outage_reason: str = ""
    sold: tuple[str, Decimal] = ("", Decimal(0))
    runs: Sequence[Run] = ()

    def __post_init__(self) -> None:
        """The sessions are moved as in a round."""
        self.player = Player(self.fund)

    def play(self) -> Sight:
        """All of it; what was seen at the end."""
        self.player.wait_done(BOTH)
        self._record(OPENING)
        self._lose_vendor()
        self.fund.clients.exchange.post("/control/cash-flows", {"amount": str(DEPOSITED)})
        self._pass_session(DEPOSIT)
        self._trade_by_hand()
        self._pass_session(BEFORE_HOLIDAY)
        self._pass_session(EARLY_CLOSE)
        self._sleep()
        self.runs = read_runs(self.fund.clients)
        return self.player.look()

    def outcome(self, kind: str, session: date) -> str:
        """What came of the scheduler's run of a session."""
        return next(run.outcome for run in self.runs if (run.kind, run.session) == (kind, session))

    def _open(self) -> None:
        self.fund.move(Move.OPEN)
        self.player.wait_done(("reconciliation",))

    def _close(self, day: date) -> None:
        self.fund.move(Move.CLOSE)
        self.player.wait_done(BOTH)
        self._record(day)

    def _pass_session(self, day: date) -> None:
        self._open()
        self._close(day)

    def _lose_vendor(self) -> None:
        """The vendor answers 500 after the close, until the scheduler has said why the session is not collected."""
        self._open()
        self.fund.clients.exchange.post("/control/faults", {"kind": "server_error", "path": VENDOR, "count": 10_000})
        self.fund.move(Move.CLOSE)
        self.fund.wait(lambda: [] if self._find_outage() else ["the outage is not seen yet"])
        self.outage_reason = self._find_outage()
        self.player.restore_vendor()
        self.player.wait_done(BOTH)
        self._record(OUTAGE)

    def _find_outage(self) -> str:
        runs = read_runs(self.fund.clients)
        return next((run.reason for run in runs if (run.kind, run.session) == ("collection", OUTAGE)), "")

    def _trade_by_hand(self) -> None:
        """The owner sells the largest long at the broker during the session."""
        self._open()
        longs = [one for one in self._broker("GET", "/v2/positions") if Decimal(str(one["qty"])) > 0]
        largest = max(longs, key=lambda one: Decimal(str(one["market_value"])))
        self.sold = (str(largest["symbol"]), Decimal(str(largest["qty"])))
        order = {"symbol": self.sold[0], "qty": str(self.sold[1]), "side": "sell"}
        self._broker("POST", "/v2/orders", {**order, "type": "market", "time_in_force": "day"})
        self._close(HAND_TRADE)

    def _sleep(self) -> None:
        """All but the exchange stand still over three sessions; after the last close they go on."""
        with ExitStack() as stack:
            for service in ASLEEP:
                process = psutil.Process(self.fund.supervisor.running[service].pid)
                process.suspend()
                stack.callback(process.resume)
            for _ in (*SLEPT, WOKEN):
                self.fund.clients.move_clock(Move.OPEN)
                self.fund.clients.move_clock(Move.CLOSE)
            self.fund.wait_for_bars()
        self.player.wait_done(BOTH)
        self._record(WOKEN)

    def _record(self, day: date) -> None:
        clients = self.fund.clients
        report = self.fund.attempt(lambda: clients.portfoliomanager.get("/reports/daily"))
        (account,) = self._broker("GET", "/v2/account")
        moment = self.fund.clients.exchange_state().timestamp
        self.days[day] = Day(report["text"], Decimal(str(account["equity"])), moment)

    def _broker(self, method: str, path: str, body: dict[str, str] | None = None) -> list[dict[str, object]]:
        """A request of the owner to the broker; one object is a list of one."""
        keys, url = self.fund.folder.credentials(), self.fund.clients.exchange.url
        headers = {"APCA-API-KEY-ID": keys.api_key_id, "APCA-API-SECRET-KEY": keys.api_secret}
        response = httpx.request(method, f"{url}{path}", json=body, headers=headers, timeout=30, trust_env=False)
        response.raise_for_status()
        answer: list[dict[str, object]] | dict[str, object] = response.json()
        return answer if isinstance(answer, list) else [answer]


def play_week(folder: Path) -> tuple[Week, Sight]:
    """A new fund in the folder, and its week."""
    market = MarketSettings(None, None, 3, TICKERS, start=OPENING.isoformat(), cash="1000000")
    with open_supervised_fund(folder, market, Setup(TRADED, AT_A_BROKER, BARS_DELAY)) as fund:
        week = Week(fund)
        return week, week.play()


def main() -> int:
    """Play the week and write its reports."""
    INTERRUPTS.install()
    parser = argparse.ArgumentParser(prog="chaos.week", description=__doc__)
    parser.add_argument("folder", type=Path, help="a folder for the fund and its reports")
    folder: Path = parser.parse_args().folder
    week, seen = play_week(folder / "fund")
    for day, seen_day in week.days.items():
        (folder / f"{day}.txt").write_text(f"{seen_day.report}\n")
    console = Console()
    console.print(f"trading is {seen.state}; {len(seen.decisions)} decisions, {len(seen.journal)} orders")
    console.print(f"{len(week.days)} reports are in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
