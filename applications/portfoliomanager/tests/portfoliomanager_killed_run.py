"""Processes that wire the real rebalance and die at the n-th write or send: run by test_portfoliomanager_killed.

Each line of standard input is one run; each line of standard output its exit code and number of writes and sends.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

from pydantic import SecretStr

from internal.http.datamanager_client import DatamanagerClient
from internal.lake.lease import Lease
from internal.lake.objects import Objects
from internal.lake.store import Lake
from internal.strategies.loading import load_strategy
from internal.trading.limits import RiskLimits
from internal.trading.ports import Broker, Journal, Portfolios, TradingPorts
from internal.trading.rebalancing import Rebalancer
from portfoliomanager.adapters.alpaca_broker import AlpacaBroker
from portfoliomanager.adapters.lake_decisions import LakeDecisions
from portfoliomanager.adapters.lake_journal import LakeJournal
from portfoliomanager.adapters.market_data import DatamanagerMarketData
from portfoliomanager.adapters.stored_portfolios import StoredPortfolios

STEPS = {"submit", "save_orders", "save_runs", "save_snapshot", "save"}
STRATEGY = load_strategy(os.environ["STRATEGY"], {"names_per_side": "2", "same_day_lock": "false"})


class Deadly:
    """Passes every call on; the process is gone before or after the n-th step, as after `kill -9`."""

    count = 0

    def __init__(self, inner: object, deadly_step: int, moment: str) -> None:
        """Takes the real port."""
        self._inner, self._deadly_step, self._moment = inner, deadly_step, moment

    def __getattr__(self, name: str) -> Callable[..., object]:
        """The real method, counted when it is a step."""
        method = cast("Callable[..., object]", getattr(self._inner, name))
        if name not in STEPS:
            return method

        def step(*arguments: object) -> object:
            Deadly.count += 1
            dies = Deadly.count == self._deadly_step
            if dies and self._moment == "before":
                os._exit(9)
            answer = method(*arguments)
            if dies:
                os._exit(9)
            return answer

        return step


def rebalance(exchange: str, datamanager: str, folder: str, deadly_step: int, moment: str) -> int:
    """Recover, then rebalance the last closed session; how many steps it took."""
    key, secret = os.environ["ALPACA_API_KEY_ID"], os.environ["ALPACA_API_SECRET"]
    lease = Lease(Objects(folder), "trader", Path(folder, "state"), seconds=30)
    with lease, DatamanagerClient(datamanager, SecretStr(os.environ["FUND_API_TOKEN"])) as store:
        lake = Lake(folder)
        parts = (AlpacaBroker(key, secret, exchange), StoredPortfolios(store), LakeJournal(lake), LakeDecisions(lake))
        broker, portfolios, journal, records = (Deadly(part, deadly_step, moment) for part in parts)
        ports = TradingPorts(
            cast("Broker", broker),
            DatamanagerMarketData(store),
            cast("Portfolios", portfolios),
            cast("Journal", journal),
            lease,
            time.sleep,
            records=cast("LakeDecisions", records),
        )
        rebalancer = Rebalancer(ports, STRATEGY, RiskLimits())
        rebalancer.recover()
        rebalancer.run(None)
    return Deadly.count


def in_a_process_of_its_own(order: str) -> dict[str, int]:
    """Fork, so that the imports are paid for once; the parent never computes anything."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        exchange, datamanager, folder, deadly_step, moment = order.split()
        steps = rebalance(exchange, datamanager, folder, int(deadly_step), moment)
        os.write(writing, str(steps).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        steps_told = pipe.read()
    _, status = os.waitpid(child, 0)
    return {"exit_code": os.waitstatus_to_exitcode(status), "steps": int(steps_told or 0)}


def main() -> None:
    """One run a line of standard input: exchange URL, datamanager URL, folder, deadly step, moment."""
    for order in sys.stdin:
        sys.stdout.write(json.dumps(in_a_process_of_its_own(order)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
