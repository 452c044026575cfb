"""The controls of the frame are used from the keyboard, and do what they say."""

import pytest
from browser.fund_pages import FRAMED, RunningFund
from browser.visits import Scheme, Width, find_violations, open_page, save_screenshot
from playwright.sync_api import Browser, Page, StorageState, expect

pytestmark = pytest.mark.browser

HAS_FOCUS = "(element) => element === document.activeElement"
BACKGROUND = "() => getComputedStyle(document.body).backgroundColor"


@pytest.mark.parametrize("path", FRAMED)
def test_dialogs_give_focus_back(path: str, chromium: Browser, fund: RunningFund) -> None:
    """Escape closes the trading state's dialog and the jump dialog, and the link that opened it has the focus again."""
    with open_page(chromium) as page:
        page.goto(fund.address(path))
        pill = page.locator("a.state")
        for dialog, key in (("#trading", "Enter"), ("#jump", "Control+k")):
            pill.focus()
            page.keyboard.press(key)
            expect(page.locator(dialog)).to_be_visible()
            page.keyboard.press("Escape")
            expect(page.locator(dialog)).to_be_hidden()
            assert pill.evaluate(HAS_FOCUS)


def test_control_k_jumps(chromium: Browser, fund: RunningFund) -> None:
    """Control K, a few letters of a page's name, Enter."""
    with open_page(chromium) as page:
        page.goto(fund.address("/"))
        page.keyboard.press("Control+k")
        page.keyboard.type("boo")
        page.keyboard.press("Enter")
        page.wait_for_url("**/book")


def test_scheme_survives_a_reload(chromium: Browser, fund: RunningFund) -> None:
    """The button goes from the system's scheme to light and dark, and the choice is kept."""
    with open_page(chromium) as page:
        page.goto(fund.address("/"))
        light = page.evaluate(BACKGROUND)
        button = page.get_by_role("button", name="Colour scheme")
        button.click()
        button.click()
        expect(button).to_have_accessible_name("Colour scheme: dark")
        dark = page.evaluate(BACKGROUND)
        page.reload()
        assert light != dark == page.evaluate(BACKGROUND)


def choose_another_state(page: Page) -> str:
    """Open the dialog, choose the strictest state not in force, and give a reason; the word that confirms it."""
    page.locator("a.state").click()
    dialog = page.get_by_role("dialog", name="Trading state")
    choice = dialog.locator("input[type=radio]:not([data-present])").last
    choice.check()
    dialog.get_by_label("Why").fill("a test")
    return str(choice.get_attribute("data-word"))


@pytest.mark.parametrize("width", Width)
@pytest.mark.parametrize("scheme", Scheme)
def test_word_confirms(width: Width, scheme: Scheme, chromium: Browser, fund: RunningFund, owner: StorageState) -> None:
    """After a sign-in the button of the dialog waits for the whole word; the open dialog is accessible."""
    with open_page(chromium, width=width, scheme=scheme, session=owner) as page:
        page.goto(fund.address("/"))
        asked = choose_another_state(page)
        word, button = page.get_by_role("dialog").get_by_label("Type"), page.get_by_role("button", name="Confirm")
        word.fill(asked[:-1])
        expect(button).to_be_disabled()
        word.fill(asked)
        expect(button).to_be_enabled()
        save_screenshot(page, "dialog", width, scheme)
        assert () == find_violations(page)
