"""A constant request load on some addresses, and the outcome of every single request.

Requests start at fixed moments, whether or not earlier ones were answered: a stall shows as many slow requests, not
as few.
"""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle
from types import TracebackType
from typing import Self

import httpx

from internal.http.bearer import bearer_headers

RATE = 50.0  # requests a second
TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True)
class Answer:
    """One request: when it began (monotonic seconds), how long it took, and what was wrong with it, if anything."""

    began: float
    seconds: float
    url: str
    fault: str


@dataclass(frozen=True)
class Report:
    """What came of a load, oldest request first."""

    answers: Sequence[Answer]

    @property
    def failed(self) -> int:
        """Requests without a 200."""
        return sum(bool(answer.fault) for answer in self.answers)

    @property
    def faults(self) -> dict[str, int]:
        """How often each fault occurred."""
        return dict(Counter(answer.fault for answer in self.answers if answer.fault))

    def slowest(self, share: float) -> float:
        """Seconds within which that share of the answered requests came back."""
        times = sorted(answer.seconds for answer in self.answers if not answer.fault)
        return times[min(int(len(times) * share), len(times) - 1)] if times else float("nan")

    @property
    def outage(self) -> float:
        """Seconds from the first failed request to the first good one after the last failed one; 0 without failures."""
        bad = [answer.began for answer in self.answers if answer.fault]
        if not bad:
            return 0.0
        good = [answer.began for answer in self.answers if not answer.fault and answer.began > bad[-1]]
        return (good[0] if good else self.answers[-1].began) - bad[0]

    def __str__(self) -> str:
        note = f", {self.faults}, out for {self.outage:.1f} s" if self.failed else ""
        return (
            f"{self.failed} of {len(self.answers)} requests failed{note}; median {1000 * self.slowest(0.5):.0f} ms, "
            f"99 % within {1000 * self.slowest(0.99):.0f} ms"
        )


@dataclass
class Load:
    """A load that runs in a thread of its own inside a `with`; `report` is whole after it.

    Args:
        urls: Asked in turn, each with GET.
        token: What is sent along; without one only what is open answers.
        rate: Requests a second over all of them.
    """

    urls: Sequence[str]
    token: str = ""
    rate: float = RATE
    _answers: list[Answer] = field(default_factory=list)
    _ending: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        assert self._thread is not None
        self._thread.join(3 * TIMEOUT_SECONDS)

    @property
    def report(self) -> Report:
        """Every request so far that has come to its end."""
        return Report(sorted(self._answers, key=lambda answer: answer.began))

    async def _run(self) -> None:
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=50)
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, limits=limits, trust_env=False) as client:
            started, asked = time.monotonic(), 0
            async with asyncio.TaskGroup() as group:
                for url in cycle(self.urls):
                    if self._ending.is_set():
                        return
                    group.create_task(self._ask(client, url))
                    asked += 1
                    await asyncio.sleep(max(0.0, started + asked / self.rate - time.monotonic()))

    async def _ask(self, client: httpx.AsyncClient, url: str) -> None:
        began = time.monotonic()
        try:
            answer = await client.get(url, headers={"Accept": "application/json"} | bearer_headers(self.token))
            fault = "" if answer.is_success else f"status {answer.status_code}"
        except httpx.HTTPError as error:
            fault = type(error).__name__
        self._answers.append(Answer(began, time.monotonic() - began, url, fault))
