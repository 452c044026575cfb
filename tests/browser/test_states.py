"""A page of an empty, young, waiting or partly unreachable fund says so, and is whole, small and accessible."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import cache

import httpx
import pytest
from browser.fund_pages import NAVIGATED, RunningFund, name_of
from browser.states import State, open_funds
from browser.visits import (
    MOST_LAYOUT_SHIFT,
    Scheme,
    Width,
    find_violations,
    load_page,
    note_complaints,
    open_page,
    save_screenshot,
)
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

NO_DATAMANAGER, NO_BROKER = "Datamanager does not answer", "The broker does not answer"
WORDS: Mapping[State, Mapping[str, str]] = {
    State.EMPTY: {
        "/": "Needs the closes of two sessions",
        "/book": "The fund holds nothing",
        "/decisions": "Nothing was decided yet",
        "/forecasts": "There are no predictions",
        "/model": "The registry is empty",
        "/data": "Nothing was collected yet",
        "/research": "No backtest yet",
        "/services": "No event yet",
    },
    State.YOUNG: {
        "/": "1 session; annual figures need 40",
        "/book": "20 positions",
        "/decisions": "2 sessions were decided",
        "/decisions/{day}": "Left out",
        "/forecasts": "Page 1 of 7",
        "/forecasts/{ticker}": "What was forecast, and what happened",
    },
    State.STANDBY: dict.fromkeys(("/", "/data"), "Standby:"),
    State.DATAMANAGER_DOWN: dict.fromkeys(("/", "/book", "/forecasts", "/data", "/services"), NO_DATAMANAGER),
    State.BROKER_DOWN: {
        **dict.fromkeys(("/", "/book", "/forecasts"), NO_BROKER),
        "/model": "the time of the market is unknown",
    },
}
"""What each page says in a state; where a state changes every page alike, two of them."""
UNTRUE = {State.DATAMANAGER_DOWN: NO_BROKER, State.BROKER_DOWN: NO_DATAMANAGER}
"""What no page may say in a state."""


@pytest.fixture(scope="module")
def funds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[State, RunningFund]]:
    """A fund in each state."""
    with open_funds(tmp_path_factory.mktemp("funds")) as opened:
        yield opened


@pytest.fixture(scope="module")
def windows(chromium: Browser) -> Iterator[Callable[[State], Page]]:
    """A visitor of each state, who comes by telephone in the dark scheme."""
    with ExitStack() as stack:

        @cache
        def open_window(_: State) -> Page:
            return stack.enter_context(open_page(chromium, width=Width.PHONE, scheme=Scheme.DARK))

        yield open_window


@pytest.mark.parametrize(("state", "path"), [(state, path) for state, words in WORDS.items() for path in words])
def test_page(state: State, path: str, funds: Mapping[State, RunningFund], windows: Callable[[State], Page]) -> None:
    """The page says what is missing, nothing moves or overflows, axe-core and the console are content."""
    fund, page = funds[state], windows(state)
    complaints = note_complaints(page, fund.url)
    load = load_page(page, fund.address(path))
    said = page.locator("body").inner_text()
    save_screenshot(page, f"{state}-{name_of(path)}", Width.PHONE, Scheme.DARK)
    assert WORDS[state][path] in said
    assert UNTRUE.get(state, "no page says this") not in said
    assert (load.layout_shift < MOST_LAYOUT_SHIFT, load.overflow <= 0) == (True, True)
    assert () == find_violations(page)
    assert [] == complaints


def test_a_service_that_is_down_is_not_asked_again(funds: Mapping[State, RunningFund]) -> None:
    """The Fund page then says at once that it has no benchmark, and nothing moves when an answer fails to come."""
    fund = funds[State.DATAMANAGER_DOWN]
    text = httpx.get(fund.url, headers={"Authorization": f"Bearer {fund.token}", "Accept": "text/html"}).text
    assert "The equal-weighted holding is not shown: Datamanager at" in text
    assert "?benchmark=true" not in text


def test_every_page_has_words_for_an_empty_fund() -> None:
    """A page of the navigation that is not named above is a page whose empty state nobody has looked at."""
    assert set(NAVIGATED) == set(WORDS[State.EMPTY])
