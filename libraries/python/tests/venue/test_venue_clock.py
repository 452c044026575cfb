"""The exchange's clock against dates that everybody can look up."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from internal.dates import session_close, sessions
from internal.errors import ConflictError, InvalidRequestError
from internal.venue.clock import Auction, Phase, next_step, parse_moment, read_clock, steps_between

DAYS = sessions(date(2024, 11, 25), date(2024, 12, 6))
START = datetime(2024, 11, 25, tzinfo=UTC)
MOMENTS = st.integers(0, 10 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes))


def at(text: str) -> datetime:
    """A moment, UTC."""
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("moment", "session", "phase"),
    [
        ("2024-11-27T14:29:59+00:00", "2024-11-27", Phase.PRE_OPEN),
        ("2024-11-27T14:30:00+00:00", "2024-11-27", Phase.OPEN),
        ("2024-11-27T21:00:00+00:00", "2024-11-27", Phase.CLOSED),
        ("2024-11-28T15:00:00+00:00", "2024-11-27", Phase.CLOSED),  # Thanksgiving
        ("2024-11-29T17:59:00+00:00", "2024-11-29", Phase.OPEN),
        ("2024-11-29T18:00:00+00:00", "2024-11-29", Phase.CLOSED),  # the day after closes at 13:00 New York
        ("2024-12-01T03:00:00+00:00", "2024-11-29", Phase.CLOSED),  # still Saturday in New York
        ("2024-07-01T13:30:00+00:00", "2024-07-01", Phase.OPEN),  # daylight saving
    ],
)
def test_phase(moment: str, session: str, phase: Phase) -> None:
    """Holidays, early closes, weekends and daylight saving each fall into the right session and phase."""
    found = read_clock(at(moment))
    assert (date.fromisoformat(session), phase) == (found.session, found.phase)


def test_steps_in_order() -> None:
    """Between two moments lie each open and close, the last one included, the first excluded."""
    steps = steps_between(at("2024-11-27T14:30:00+00:00"), at("2024-11-29T18:00:00+00:00"), DAYS)
    assert [("close", 27), ("open", 29), ("close", 29)] == [(str(step.auction), step.session.day) for step in steps]


@given(MOMENTS, MOMENTS, MOMENTS)
def test_steps_add_up(first: datetime, second: datetime, third: datetime) -> None:
    """Going in two moves takes the same steps as going in one."""
    start, middle, end = sorted((first, second, third))
    assert steps_between(start, end, DAYS) == steps_between(start, middle, DAYS) + steps_between(middle, end, DAYS)


@given(MOMENTS, st.sampled_from(list(Auction)))
def test_next_step_is_the_first_of_its_kind(moment: datetime, auction: Auction) -> None:
    """The next open or close is the first such step after the moment."""
    later = [step for step in steps_between(moment, session_close(DAYS[-1]), DAYS) if step.auction is auction]
    assert later[0].timestamp == next_step(moment, auction, DAYS)


def test_the_market_ends() -> None:
    """After the last close there is nothing to move to, and the error says so."""
    end = session_close(DAYS[-1])
    with pytest.raises(ConflictError, match="market ends at the close of 2024-12-06"):
        steps_between(START, end + timedelta(seconds=1), DAYS)
    with pytest.raises(ConflictError, match="there is no next open"):
        next_step(end, Auction.OPEN, DAYS)


@pytest.mark.parametrize("text", ["tomorrow", "2024-13-01T00:00:00Z", "2024-12-02T10:00:00"])
def test_moments_that_are_none(text: str) -> None:
    """A moment that cannot be read, or has no time zone, is refused with what was wrong."""
    with pytest.raises(InvalidRequestError, match="timestamp"):
        parse_moment(text)
