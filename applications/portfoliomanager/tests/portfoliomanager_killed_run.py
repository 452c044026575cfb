"""One process that wires the real rebalance and dies at the n-th write or send: run by test_portfoliomanager_killed.

Arguments: exchange URL, datamanager URL, folder of the journal, n (0: never), `before` or `after` the n-th. Prints how
many writes and sends there were.
"""

import os
import sys
from typing import Any

from pydantic import SecretStr

from internal.lake.store import Lake
from portfoliomanager.adapters.alpaca_broker import AlpacaBroker
from portfoliomanager.adapters.datamanager_client import DatamanagerClient
from portfoliomanager.adapters.lake_journal import LakeJournal
from portfoliomanager.policy import Policy
from portfoliomanager.rebalance import Rebalancer

STEPS = {"submit", "save_orders", "save_rebalance", "save_snapshot", "save_portfolio"}
POLICY = Policy(names_per_side=2, same_day_lock=False)


class Deadly:
    """Passes every call on; the process is gone before or after the n-th step, as after `kill -9`."""

    count = 0

    def __init__(self, inner: Any, deadly_step: int, moment: str) -> None:  # noqa: ANN401 - any of the three ports
        """Takes the real port."""
        self._inner, self._deadly_step, self._moment = inner, deadly_step, moment

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the real port's method
        """The real method, counted when it is a step."""
        method = getattr(self._inner, name)
        if name not in STEPS:
            return method

        def step(*arguments: Any) -> Any:  # noqa: ANN401 - the real method's own
            Deadly.count += 1
            dies = Deadly.count == self._deadly_step
            if dies and self._moment == "before":
                os._exit(9)
            answer = method(*arguments)
            if dies:
                os._exit(9)
            return answer

        return step


def main() -> None:
    """Recover, then rebalance the last closed session."""
    exchange, datamanager, folder, deadly_step, moment = sys.argv[1:]
    key, secret = os.environ["ALPACA_API_KEY_ID"], os.environ["ALPACA_API_SECRET"]
    with DatamanagerClient(datamanager, SecretStr(os.environ["FUND_API_TOKEN"])) as store:
        parts = (AlpacaBroker(key, secret, exchange), store, LakeJournal(Lake(folder)))
        broker, data, journal = (Deadly(part, int(deadly_step), moment) for part in parts)
        rebalancer = Rebalancer(broker, data, journal, POLICY)
        rebalancer.recover()
        rebalancer.run(None)
    sys.stdout.write(f"{Deadly.count}\n")


if __name__ == "__main__":
    main()
