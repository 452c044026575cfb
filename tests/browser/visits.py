"""Opens a page in Chromium as a new visitor and notes what the budgets of the pages are about."""

import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from browser.fund_pages import RunningFund, name_of
from playwright.sync_api import Browser, Page, StorageState, sync_playwright

SCREENSHOTS = Path(__file__).parents[2] / ".screenshots"
HEIGHT = 900
MOST_LAYOUT_SHIFT = 0.02
"""What loading and scrolling may shift the layout by: a fifth of what web.dev/articles/cls calls good."""
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",  # it is 64 MB in a container
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NOTE_LAYOUT_SHIFTS = """
  window.layoutShift = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
    if (!entry.hadRecentInput) window.layoutShift += entry.value;
  })).observe({type: "layout-shift", buffered: true});
"""
FIRST_PAINT = """() => new Promise((done) => new PerformanceObserver((list) => {
  const found = list.getEntriesByName("first-contentful-paint");
  if (found.length) done(found[0].startTime);
}).observe({type: "paint", buffered: true}))"""
SCROLL = """async () => {
  await document.fonts.ready;
  const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  for (let top = 0; top < document.documentElement.scrollHeight; top += innerHeight / 2) {
    scrollTo(0, top);
    await frame();
  }
  scrollTo(0, 0);
  await frame();
}"""
BYTES = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .reduce((sum, entry) => sum + entry.transferSize, 0)"""
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
VIOLATIONS = """() => axe.run({resultTypes: ["violations"]}).then(({violations}) => violations.flatMap(
  ({id, help, nodes}) => nodes.map(({target, html, any}) =>
    [id, help, target, html.slice(0, 160), any.map((one) => one.message)].join(": "))))"""
# what is in the page that the server sends; what charts draw is extra
COUNT_CONTENT = """() => ["h1", "h2", "tr", "svg"].map((kind) =>
  [...document.querySelectorAll(`main ${kind}`)].filter((one) => !one.closest("[data-chart]")).length)"""
# the controls in the order of the document; of radio buttons with one name the Tab key reaches one
NOTE_FOCUS = """() => {
  const closed = (element) => element.closest("details:not([open])") && !element.matches("summary");
  const groups = new Set();
  window.controls = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
    .filter((element) => !element.disabled && element.type !== "hidden")
    .filter((element) => element.checkVisibility() && !closed(element))
    .filter((element) => element.type !== "radio" || (!groups.has(element.name) && groups.add(element.name)));
  window.reached = [];
  document.addEventListener("focusin", ({target}) => {
    const style = getComputedStyle(target);
    window.reached.push([target, style.outlineStyle !== "none" || style.boxShadow !== "none"]);
  });
  return window.controls.length;
}"""
FOCUS_FAULTS = """() => {
  const show = (element) => element.outerHTML.slice(0, 160);
  const {controls, reached} = window;
  const missed = controls.filter((control) => !reached.some(([element]) => element === control
    || (control.type === "radio" && element.name === control.name)));
  const invisible = reached.filter(([element, visible]) => !visible && controls.includes(element));
  const places = reached.map(([element]) => controls.indexOf(element)).filter((place) => place >= 0);
  const early = places.slice(0, controls.length).filter((place, number) => number > 0 && place < places[number - 1]);
  return [...missed.map((control) => `not reached: ${show(control)}`),
    ...invisible.map(([element]) => `focus not visible: ${show(element)}`),
    ...early.map((place) => `out of order: ${show(controls[place])}`)];
}"""


class Width(IntEnum):
    """The widths of a telephone and of a desk, in CSS pixels."""

    PHONE = 390
    DESK = 1440


class Scheme(StrEnum):
    """The colour schemes of a system."""

    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True)
class Load:
    """What was measured while a page was loaded with an empty cache and scrolled to its end.

    Attributes:
        first_paint: Milliseconds until the first content was painted.
        transferred: Bytes of the page and of all that it loads, as compressed, with headers.
        layout_shift: The sum over loading and scrolling.
        overflow: By how many pixels the page is wider than the window.
        contents: How many headings, rows and pictures the page has.
    """

    first_paint: float
    transferred: int
    layout_shift: float
    overflow: int
    contents: tuple[int, ...]


@dataclass(frozen=True)
class Visit:
    """What a visitor meets on a page in a window of one width.

    Attributes:
        load: What was measured while it was loaded.
        violations: What axe-core found in each scheme.
        focus_faults: Controls that the Tab key does not reach, or out of order, or without a visible focus.
        complaints: What the browser's console said, and requests that failed or went to another address.
    """

    load: Load
    violations: Mapping[Scheme, tuple[str, ...]]
    focus_faults: tuple[str, ...]
    complaints: tuple[str, ...]


@contextmanager
def launch_chromium() -> Generator[Browser]:
    """Chromium without a screen, as its package installs it."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert found, "install Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@contextmanager
def open_page(
    browser: Browser,
    *,
    width: Width = Width.DESK,
    scheme: Scheme = Scheme.LIGHT,
    scripts: bool = True,
    session: StorageState | None = None,
) -> Generator[Page]:
    """An empty window of a new visitor, or of one who has signed in."""
    with browser.new_context(
        viewport={"width": width, "height": HEIGHT},
        color_scheme=scheme.value,
        reduced_motion="reduce",
        java_script_enabled=scripts,
        storage_state=session,
    ) as context:
        context.set_default_timeout(60_000)
        context.add_init_script(NOTE_LAYOUT_SHIFTS)
        yield context.new_page()


def visit(browser: Browser, fund: RunningFund, path: str, width: Width, name: str = "") -> Visit:
    """Load a page, walk through its controls, and look at it in both schemes; pictures are kept."""
    with open_page(browser, width=width) as page:
        complaints = note_complaints(page, fund.url)
        load = load_page(page, fund.address(path))
        focus_faults = walk_through_controls(page)
        violations = {scheme: look_at(page, name or name_of(path), width, scheme) for scheme in Scheme}
        return Visit(load, violations, focus_faults, tuple(complaints))


def note_complaints(page: Page, own_url: str) -> list[str]:
    """Collect what the browser complains about from now on; the list grows."""
    noted: list[str] = []
    page.on("console", lambda said: noted.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: noted.append(str(error)))
    page.on("requestfailed", lambda request: noted.append(f"{request.url} failed: {request.failure}"))
    page.on("request", lambda asked: None if asked.url.startswith(own_url) else noted.append(f"asks {asked.url}"))
    return noted


def load_page(page: Page, address: str) -> Load:
    """Open an address in an empty window, scroll to the end and back, and measure."""
    page.goto(address)
    first_paint = page.evaluate(FIRST_PAINT)
    page.evaluate(SCROLL)
    shift: Any = page.evaluate("() => window.layoutShift")
    contents = tuple(page.evaluate(COUNT_CONTENT))
    return Load(first_paint, page.evaluate(BYTES), shift, page.evaluate(OVERFLOW), contents)


def walk_through_controls(page: Page) -> tuple[str, ...]:
    """Press the Tab key once for each control; what is wrong with the way that the focus took."""
    for _ in range(page.evaluate(NOTE_FOCUS)):
        page.keyboard.press("Tab")
    return tuple(page.evaluate(FOCUS_FAULTS))


def look_at(page: Page, name: str, width: Width, scheme: Scheme) -> tuple[str, ...]:
    """Keep a picture of the page in a scheme; what axe-core finds in it."""
    page.emulate_media(color_scheme=scheme.value)
    save_screenshot(page, name, width, scheme)
    return find_violations(page)


def find_violations(page: Page) -> tuple[str, ...]:
    """What axe-core finds on the page as it is; the script comes over the debugger, past the page's policy."""
    page.evaluate(f"() => {{ if (!window.axe) {{ {AXE_SCRIPT} }} }}")
    return tuple(page.evaluate(VIOLATIONS))


def save_screenshot(page: Page, name: str, width: Width, scheme: Scheme) -> None:
    """Keep a picture of the whole page."""
    page.screenshot(path=SCREENSHOTS / f"{name}-{width}-{scheme}.png", full_page=True)
