"""Links and forms work without JavaScript."""

import pytest
from browser.fund_pages import FRAMED, RunningFund
from browser.visits import Scheme, Width, open_page
from playwright.sync_api import Browser, StorageState, expect

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("path", FRAMED)
def test_links_lead_everywhere(path: str, chromium: Browser, fund: RunningFund) -> None:
    """The navigation and the trading state are links."""
    with open_page(chromium, scripts=False) as page:
        page.goto(fund.address(path))
        page.get_by_role("link", name="trading state; change it").click()
        expect(page.get_by_role("heading", level=1, name="Trading state")).to_be_visible()
        page.get_by_role("navigation", name="Pages").get_by_role("link", name="Book").click()
        expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_trading_state_form_is_whole(chromium: Browser, fund: RunningFund, owner: StorageState) -> None:
    """Choices, reason, word and button are there; the server checks the word."""
    with open_page(chromium, width=Width.PHONE, scheme=Scheme.DARK, scripts=False, session=owner) as page:
        page.goto(fund.address("/trading-state/change"))
        form = page.get_by_role("main").locator("form")
        form.get_by_label("Halted").check()
        form.get_by_label("Why").fill("a test")
        form.get_by_label("Type").fill("HAL")
        form.get_by_role("button", name="Confirm").click()
        expect(page.get_by_text("type HALT to confirm: nothing was changed", exact=False)).to_be_visible()
