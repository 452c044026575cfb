"""The market's clock: the broker's word, shared by everybody who asks within a second."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from internal.errors import UnavailableError
from internal.modes import Mode
from portfoliomanager.market_clock import MarketClock

OPENED = datetime(2024, 3, 18, 13, 30, tzinfo=UTC)


def test_broker_is_asked_once_a_second() -> None:
    """Two questions within a second get one answer; a second later the broker is asked again."""
    elapsed, asked = [100.0], iter(range(10))
    clock = MarketClock(lambda: OPENED + timedelta(seconds=next(asked)), Mode.PAPER, lambda: elapsed[0])

    first = clock.read()
    elapsed[0] += 0.9
    assert clock.read() == first
    elapsed[0] += 0.2

    assert clock.read().moment == OPENED + timedelta(seconds=1)
    assert first.mode is Mode.PAPER


def test_silent_broker_is_said_and_asked_again() -> None:
    """An old moment is never answered in place of one that the broker does not give."""

    def answers() -> Iterator[datetime]:
        yield OPENED
        raise UnavailableError("the broker does not answer")

    elapsed, answer = [0.0], answers()
    clock = MarketClock(lambda: next(answer), Mode.LIVE, lambda: elapsed[0])
    clock.read()
    elapsed[0] += 3_600.0

    with pytest.raises(UnavailableError, match="does not answer"):
        clock.read()
