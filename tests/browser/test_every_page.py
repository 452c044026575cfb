"""Every page is small, does not move, fits its window, is accessible and can be used from the keyboard and as text."""

from typing import TYPE_CHECKING

import pytest
from browser.fund_pages import RunningFund, every_page
from browser.visits import COUNT_CONTENT, MOST_LAYOUT_SHIFT, Scheme, Width, open_page
from playwright.sync_api import Browser, expect

if TYPE_CHECKING:
    from browser.conftest import Look, Report

pytestmark = pytest.mark.browser
CHARTS_WITHOUT_FIGURES = """() => [...document.querySelectorAll("main [data-chart]")]
  .filter((chart) => !chart.closest("section").querySelector("table, svg[role=img]")).map((chart) => chart.id)"""

every_width = pytest.mark.parametrize("width", Width)
every_scheme = pytest.mark.parametrize("scheme", Scheme)


@every_page
@every_width
class TestVisit:
    """One visit in a window of one width."""

    def test_page_is_small(self, path: str, width: Width, look: "Look", report: "Report") -> None:
        """The page and all that it loads are under 400 kB."""
        report(path, width, look(path, width).load)
        assert 0 < look(path, width).load.transferred < 400_000

    def test_nothing_moves(self, path: str, width: Width, look: "Look") -> None:
        """Loading and scrolling shift the layout by no more than a visitor overlooks."""
        assert look(path, width).load.layout_shift < MOST_LAYOUT_SHIFT

    def test_page_fits_its_window(self, path: str, width: Width, look: "Look") -> None:
        """Nobody scrolls sideways."""
        assert look(path, width).load.overflow <= 0

    def test_tab_reaches_every_control(self, path: str, width: Width, look: "Look") -> None:
        """In the order of the document, each with a visible focus."""
        assert () == look(path, width).focus_faults

    @every_scheme
    def test_axe_finds_nothing(self, path: str, width: Width, scheme: Scheme, look: "Look") -> None:
        """axe-core finds no violation."""
        assert () == look(path, width).violations[scheme]

    def test_console_is_empty(self, path: str, width: Width, look: "Look") -> None:
        """No script failed, the content security policy was not broken, and no other address was asked."""
        assert () == look(path, width).complaints


@every_page
def test_page_is_whole_without_scripts(path: str, look: "Look", chromium: Browser, fund: RunningFund) -> None:
    """Headings, tables and pictures are in the page that the server sends; a chart has its figures beside it."""
    with open_page(chromium, scripts=False) as page:
        page.goto(fund.address(path))
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert [] == page.evaluate(CHARTS_WITHOUT_FIGURES)
        contents = tuple(page.evaluate(COUNT_CONTENT))
    assert contents == look(path, Width.DESK).load.contents
