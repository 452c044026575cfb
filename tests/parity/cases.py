"""The cases: what `fund up` is asked to do, and where the portfoliomanager is killed."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SESSIONS = 15
ORDERS = "/v2/orders"
ORDER_BY_CLIENT_ID = "/v2/orders:by_client_order_id"
ASSETS = "/v2/assets"
HANG_SECONDS = 15.0  # longer than it takes to notice the fault and to kill; the exchange waits for it when it ends


@dataclass(frozen=True)
class Kill:
    """Kill the portfoliomanager (`kill -9`) while one of its requests to the exchange hangs, then start it again.

    Args:
        after_sessions: How many sessions are closed when the fault is injected; 0 for the opening portfolio.
        method: The method of the request.
        path: The path of the request.
        processed: Whether the exchange carries the request out before it hangs.
        lost_answers: How many orders before that request are carried out and lose their answer.
    """

    after_sessions: int
    method: str
    path: str
    processed: bool
    lost_answers: int = 0


@dataclass(frozen=True)
class Case:
    """One run of the whole fund.

    Args:
        name: The case's name.
        arguments: The market options of `fund up`.
        sessions: The number of sessions to trade.
        kills: Where the portfoliomanager is killed, in order; at most one between two sessions.
    """

    name: str
    arguments: tuple[str, ...]
    sessions: int = SESSIONS
    kills: tuple[Kill, ...] = ()


def _simulated(seed: int) -> tuple[str, ...]:
    return ("--seed", str(seed), "--tickers", "60")


def _real() -> tuple[str, ...]:
    folder = Path(os.environ.get("PARITY_DATA", ROOT.parent / "shared" / "data"))
    bars, details = folder / "us_equity_bars_2015_2018.parquet", folder / "us_equity_details.parquet"
    return ("--bars", str(bars), "--details", str(details))


KILLS = (
    Kill(after_sessions=0, method="POST", path=ORDERS, processed=False, lost_answers=7),
    Kill(after_sessions=3, method="GET", path=ORDER_BY_CLIENT_ID, processed=False, lost_answers=1),
    Kill(after_sessions=7, method="POST", path=ORDERS, processed=True),
    Kill(after_sessions=8, method="GET", path=ASSETS, processed=False),
    Kill(after_sessions=11, method="POST", path=ORDERS, processed=True, lost_answers=3),
)
CASES: Mapping[str, Case] = {
    case.name: case
    for case in (
        Case("seed-1", _simulated(1)),
        Case("seed-2", _simulated(2)),
        Case("seed-3", _simulated(3)),
        Case("real", _real()),
        Case("killed", _simulated(1), kills=KILLS),  # the market of seed-1: it must end with the same orders
    )
}
