"""The frame of every page, and the sources that a page asks: mode, trading state, standby, and what does not answer."""

import asyncio
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime

import polars as pl
import pytest
from polars.exceptions import PanicException

from internal.errors import UnavailableError
from internal.http.problem_body import Problem
from internal.http.roles import Role
from internal.modes import Mode
from internal.trading.trading_state import UNCHANGED, StateCause, TradingState, TradingStateChange
from portfoliomanager.explanation_response import EXAMPLE, ExplanationResponse
from portfoliomanager.forecast_explanation import StoredForecast
from portfoliomanager.pages.explanation import ExplanationView, Weights
from portfoliomanager.pages.frame import NAVIGATION, Frame, Page
from portfoliomanager.pages.rendering import page_environment, render_page
from portfoliomanager.pages.sources import Found, ask
from portfoliomanager.pages.visitor import Visitor
from portfoliomanager.remembered import Remembered

CLOSE = datetime(2025, 1, 24, 21, 0, tzinfo=UTC)
HALTED = TradingStateChange(TradingState.HALTED, CLOSE, "<b>Ada</b>", StateCause.OWNER, "bars look wrong", 3)
ANSWER = ExplanationResponse.model_validate(EXAMPLE)
OWNER = Visitor(Role.OWNER, may_send_forms=True, has_session=False, csrf_token="c5rf")  # noqa: S106 - of no session
WEIGHTS = Weights.of(ANSWER)
FORECAST = StoredForecast(
    ANSWER.ticker, ANSWER.date, ANSWER.model_version, pl.DataFrame([step.model_dump() for step in ANSWER.forecast])
)
EXPLANATION = ExplanationView.of(FORECAST, WEIGHTS)


def render(frame: Frame) -> str:
    """A page in that frame."""
    return render_page("explanation.html", frame, EXPLANATION)


@pytest.mark.parametrize("mode", list(Mode))
def test_mode(mode: Mode) -> None:
    """Every page says what is at stake, by a word and by a class of its own."""
    page = render(Frame(Page.BOOK, mode, UNCHANGED, CLOSE, OWNER))
    assert f'<span class="mode {mode}" title="{mode.explanation.replace("'", "&#39;")}">{mode.banner}</span>' in page
    assert ("The market is simulated" in page) is (mode is Mode.SIMULATED)
    assert "As of 24 Jan, 16:00 ET." in page


def test_navigation() -> None:
    """The page that is shown is marked, and no other."""
    page = render(Frame(Page.BOOK, Mode.PAPER, UNCHANGED, CLOSE, OWNER))
    assert re.findall(r'<a href="(\S+)" aria-current="page">(\w+)</a>', page) == [("/book", "Book")]
    assert re.findall(r'<li><a href="(\S+)"', page) == [one.value for one in NAVIGATION]


def test_problem_page() -> None:
    """A problem has the menu, and its commands as code; other text is escaped."""
    problem = Problem(
        type="about:blank", title="Not found", status=404, detail="run `models train` <b> first", instance="/x"
    )
    page = page_environment().get_template("problem.html").render(problem=problem, navigation=NAVIGATION)
    assert re.findall(r'<li><a href="(\S+)"', page) == [one.value for one in NAVIGATION]
    assert "Run <code>models train</code> &lt;b&gt; first." in page


def test_restricted_trading_is_on_every_page() -> None:
    """Who halted trading, when and why; text of people is escaped. Active trading has no bar."""
    page = render(Frame(None, Mode.LIVE, HALTED, CLOSE, OWNER))
    assert '<p class="state-bar halted" role="status"><strong>Halted</strong> since 24 Jan, 16:00 ET' in page
    assert "by &lt;b&gt;Ada&lt;/b&gt; (owner): bars look wrong" in page
    assert "state-bar" not in render(Frame(None, Mode.LIVE, UNCHANGED, CLOSE, OWNER))


def test_unknown_and_standby() -> None:
    """What is not known is said, and who trades instead of this process."""
    page = render(Frame(None, Mode.LIVE, None, None, OWNER, "standby: host-2 holds the lease"))
    assert "State unknown" in page
    assert "The broker does not answer" in page
    assert "Standby: host-2 holds the lease." in page


def test_nothing_inline() -> None:
    """No style, no handler, no script but data, no other address: the policy forbids them."""
    page = render(Frame(Page.FUND, Mode.SIMULATED, HALTED, CLOSE, OWNER))
    assert not re.search(r"<style|\sstyle=|\son\w+=|https?:|<script>", page)


def test_explanation() -> None:
    """Forecast, weights by size and attention are there as figures."""
    assert [step.day for step in EXPLANATION.steps] == [step.target_date for step in ANSWER.forecast]
    assert WEIGHTS.attention[-1].day == ANSWER.attention[-1].target_date
    page = render(Frame(Page.FORECASTS, Mode.SIMULATED, UNCHANGED, CLOSE, OWNER))
    for text in (
        "Why AAPL",
        "Recent volatility",
        "whether the exchange is closed on the next weekday",
        "55.0\u2009%",
        "\u22121.80",
        "2025-01-02",
    ):
        assert text in page, text


def test_explanation_that_is_computed_later() -> None:
    """The forecast is shown at once; the weights are asked for by the page, and by a link where no script runs."""
    frame = Frame(Page.FORECASTS, Mode.SIMULATED, UNCHANGED, CLOSE, OWNER)
    page = render_page("explanation.html", frame, ExplanationView.of(FORECAST, None))
    assert "the other half is <em>adaptive volatility</em>, a regression on past volatility (HAR)" in page
    address = "/predictions/AAPL/explanation?date=2024-12-31&amp;weights=true"
    assert f'hx-get="{address}"' in page
    assert f'<noscript><p class="empty"><a class="link" href="{address}">' in page
    assert "\u22121.80" in page
    assert "Recent volatility" not in page


def fail(error: Exception | PanicException) -> Callable[[], str]:
    """A source that fails."""

    def question() -> str:
        raise error

    return question


@pytest.mark.parametrize(
    ("question", "value", "problem"),
    [
        (lambda: "42", "42", ""),
        (fail(UnavailableError("the broker cannot be reached")), None, "the broker cannot be reached"),
        (fail(ZeroDivisionError("internals")), None, "the question failed; see the log"),
        (fail(PanicException("internals")), None, "the question failed; see the log"),
    ],
)
def test_sources(question: Callable[[], str], value: str | None, problem: str) -> None:
    """An answer, a problem in one sentence, or a crash without its internals; nothing is raised."""
    assert asyncio.run(ask("The broker", question)) == Found("The broker", value, problem)


def test_remembered_answers() -> None:
    """Asked once while it is remembered, again after it; what failed is not remembered."""
    answers: list[int] = [1, 2]
    kept, forgotten = Remembered(answers.pop, 60.0), Remembered(answers.pop, 0.0)
    assert [kept.read(), kept.read(), forgotten.read()] == [2, 2, 1]
    with pytest.raises(IndexError):
        forgotten.read()
    answers.append(3)
    assert forgotten.read() == 3


def test_a_source_that_hangs() -> None:
    """The page does not wait longer than its limit."""
    over = threading.Event()
    found = asyncio.run(ask("The broker", over.wait, 0.01))
    over.set()
    assert found == Found("The broker", None, "no answer within 0.01 seconds")
