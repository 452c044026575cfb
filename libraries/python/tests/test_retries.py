"""The retry policy: what is repeated, the pauses that are taken, and the error at the end; and `Retry-After`."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from internal.errors import UnavailableError, UpstreamError
from internal.http.retry_after import read_retry_after
from internal.retries import RetryPolicy, TransientError

POLICY = RetryPolicy(attempts=4, first_pause=0.5, longest_pause=3.0, longest_retry_after=20.0)


class Service:
    """Fails as planned, then answers with the number of the attempt."""

    def __init__(self, *failures: Exception) -> None:
        self._failures = iter(failures)
        self.attempts = 0

    def answer(self) -> int:
        """One attempt."""
        self.attempts += 1
        for failure in self._failures:
            raise failure
        return self.attempts


def transient(detail: str = "busy", retry_after: float | None = None) -> TransientError:
    """A failure that another attempt may cure."""
    return TransientError(UnavailableError(detail), retry_after)


def test_pauses_double() -> None:
    """0.5, 1 and 2 seconds, each with at most 0.5 of jitter, and none longer than 3."""
    pauses: list[float] = []
    assert POLICY.call(Service(transient(), transient(), transient()).answer, pauses.append) == 4
    assert [0.5 <= pauses[0] <= 1.0, 1.0 <= pauses[1] <= 1.5, 2.0 <= pauses[2] <= 2.5] == [True] * 3
    long: list[float] = []
    RetryPolicy(6, 1.0, 3.0).call(Service(*[transient()] * 5).answer, long.append)
    assert max(long) == 3.0


def test_the_other_side_may_ask_for_a_longer_pause() -> None:
    """Seven seconds are taken, an hour is capped at 20, and a shorter pause than the own is not."""
    pauses: list[float] = []
    failures = [transient(retry_after=seconds) for seconds in (7.0, 3600.0, 0.0)]
    POLICY.call(Service(*failures).answer, pauses.append)
    assert pauses[:2] == [7.0, 20.0]
    assert pauses[2] >= 2.0


def test_the_last_error_is_raised() -> None:
    """After the fourth attempt its own error, with the cause that it had; no pause after it."""
    cause = ConnectionError("reset")
    pauses: list[float] = []
    last = transient("the fourth")
    last.__cause__ = cause
    service = Service(*[transient()] * 3, last)
    with pytest.raises(UnavailableError, match="the fourth") as raised:
        POLICY.call(service.answer, pauses.append)
    assert (service.attempts, len(pauses)) == (4, 3)
    assert raised.value.__cause__ is cause


def test_other_errors_pass_at_once() -> None:
    """An answer that another attempt cannot cure is not asked for again."""
    service = Service(UpstreamError("refused"))
    with pytest.raises(UpstreamError, match="refused"):
        POLICY.call(service.answer)
    assert service.attempts == 1


def test_retry_after_forms() -> None:
    """Seconds, a date, nonsense and a moment that has passed."""
    in_thirty_seconds = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert 25.0 < (read_retry_after(in_thirty_seconds) or 0.0) <= 30.0
    headers = ("2.5", None, "soon", "nan", "3600", "-1")
    assert [read_retry_after(header) for header in headers] == [2.5, None, None, None, 3600.0, 0.0]
