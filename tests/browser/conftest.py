"""Chromium, the running fund, and one visit of each page in each width."""

from collections.abc import Callable, Iterator
from functools import cache

import httpx
import pytest
from browser.fund_pages import RunningFund
from browser.visits import Load, Visit, Width, launch_chromium, open_page, visit
from playwright.sync_api import Browser, StorageState

MEASURED = "page"
type Look = Callable[[str, Width], Visit]
type Report = Callable[[str, Width, Load], None]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Chromium without a screen."""
    with launch_chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def fund() -> RunningFund:
    """The fund that runs beside the tests."""
    running = RunningFund.from_environment()
    try:
        httpx.get(f"{running.url}/health", timeout=10, trust_env=False).raise_for_status()
    except httpx.HTTPError as error:
        pytest.fail(f"no fund at {running.url} ({error}): start one with ./fund up, then run these tests beside it")
    return running


@pytest.fixture(scope="session")
def look(chromium: Browser, fund: RunningFund) -> Look:
    """Visit a page, once for all tests that ask about the same visit."""

    @cache
    def visit_once(path: str, width: Width) -> Visit:
        return visit(chromium, fund, path, width)

    return visit_once


@pytest.fixture(scope="session")
def owner(chromium: Browser, fund: RunningFund) -> StorageState:
    """The session of a person who has signed in with the owner's token, in a browser."""
    with open_page(chromium) as page:
        page.goto(f"{fund.address('/sign-in')}?next=/book")
        page.get_by_label("Token").fill(fund.token)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/book")
        return page.context.storage_state()


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Report:
    """Put what was measured on a page into the table that is printed at the end."""

    def report_load(path: str, width: Width, load: Load) -> None:
        figures = f"{load.first_paint:8.0f} {load.transferred / 1000:8.0f} {load.layout_shift:8.4f}"
        record_property(MEASURED, f"{path:<36} {width:>5} {figures}")

    return report_load


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table."""
    reports: list[pytest.TestReport] = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    lines = {str(value) for one in reports for name, value in one.user_properties if name == MEASURED}
    if lines:
        terminalreporter.section("pages by width: first paint in ms, kB, layout shift")
        terminalreporter.write("\n".join([*sorted(lines), ""]))
