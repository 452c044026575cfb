"""How soon the first content of every page is painted; of use only on a machine that does nothing else."""

import pytest
from browser.fund_pages import RunningFund, every_page
from browser.visits import load_page, open_page
from playwright.sync_api import Browser

pytestmark = pytest.mark.quiet
LOADS = 5
MILLISECONDS = 1000


@every_page
def test_first_paint(path: str, chromium: Browser, fund: RunningFund) -> None:
    """A page paints within a second (median of its loads); a first load, for which a model may be read, is left out."""
    paints = list[float]()
    for _ in range(1 + LOADS):
        with open_page(chromium) as page:
            paints.append(load_page(page, fund.address(path)).first_paint)
    assert sorted(paints[1:])[LOADS // 2] < MILLISECONDS
