"""A ticker's page: outcomes, coverage and prices by hand, orders of a renamed security, sources down, and unknown."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from html import unescape

import polars as pl
import pytest

from internal.dates import session_close, session_open, sessions
from internal.http.roles import Role
from internal.modes import Mode
from internal.proportions import wilson_interval
from internal.schemas import equity_details, predictions
from internal.trading.enums import Leg, OrderSide, OrderState
from internal.trading.orders import Order
from internal.trading.positions import Entry
from internal.trading.trading_state import UNCHANGED
from portfoliomanager.fill_days import list_fill_days
from portfoliomanager.pages.corporate_actions import ActionLine
from portfoliomanager.pages.frame import Frame, Page
from portfoliomanager.pages.past_forecasts import Coverage, measure_coverage, read_forecasts
from portfoliomanager.pages.rendering import render_page
from portfoliomanager.pages.sources import Found
from portfoliomanager.pages.ticker import Quotes, TickerOrder, TickerView, is_of, read_details
from portfoliomanager.pages.visitor import Visitor

DAYS = sessions(date(2025, 1, 13), date(2025, 1, 31))
READER = Visitor(Role.READER, may_send_forms=False, has_session=False, csrf_token="")
FRAME = Frame(Page.FORECASTS, Mode.SIMULATED, UNCHANGED, session_close(DAYS[3]), READER)
CLOSES = dict(zip(DAYS[:4], (100.0, 104.0, 90.0, 99.0), strict=True))


def forecast(place: int, model: str = "3d0e86979046f636") -> list[dict[str, object]]:
    """A stored forecast: 5 per cent to both sides after one session, 8 after two."""
    shared: dict[str, object] = {
        "date": DAYS[place],
        "ticker": "A<B",
        "model_version": model,
        "bars_version": 40,
        "quantile_50": 0.01,
    }
    return [
        shared | {"horizon": ahead, "target_date": DAYS[place + ahead], "quantile_10": -reach, "quantile_90": reach}
        for ahead, reach in ((1, 0.05), (2, 0.08))
    ]


STORED = [*forecast(0), *forecast(1), *forecast(3, "another-model")]
FORECASTS = read_forecasts(pl.DataFrame(STORED, schema=predictions.COLUMNS), CLOSES)
DETAILS = pl.DataFrame(
    [
        dict.fromkeys(equity_details.ANSWER_COLUMNS)
        | {"ticker": "A<B", "name": "Alpha & Sons", "sector": "HEALTH CARE", "security_type": "CS", "security_id": "s1"}
    ],
    schema=equity_details.ANSWER_COLUMNS,
)


def order(ticker: str, security_id: str | None, price: float | None = 50.0) -> Order:
    """A purchase decided at 40 dollars, filled at the next open."""
    return Order(
        *("p", DAYS[0], f"id-{ticker}", ticker, OrderSide.BUY, Leg.OPEN, 10.0, 40.0, "rank 1 of 9"),
        updated_at=session_open(DAYS[1]),
        state=OrderState.FILLED if price else OrderState.CANCELED,
        filled_quantity=10.0 if price else 0.0,
        filled_average_price=price,
        security_id=security_id,
    )


def view(factors: Mapping[Entry, float] | None = None) -> TickerView:
    """The page of these answers."""
    return TickerView(
        "A<B",
        Found("Datamanager", read_details(DETAILS, "A<B")),
        Found("Datamanager", Quotes(CLOSES, FORECASTS)),
        Found("The journal", [TickerOrder.of(order("OLD", "s1"), factors or {})]),
        Found("The broker", None),
        Found("Datamanager", [ActionLine(DAYS[2], "A<B", "Forward split", "2 for 1")]),
    )


def test_outcomes() -> None:
    """Returns from each origin by hand; a target to come has no outcome, and no close means no forecast."""
    first, second, third = FORECASTS
    assert [one.outcome for one in first.targets] == pytest.approx([0.04, -0.1])
    assert [one.is_inside for one in first.targets] == [True, False]
    assert [one.outcome for one in second.targets] == pytest.approx([90 / 104 - 1, 99 / 104 - 1])
    assert [one.is_inside for one in second.targets] == [False, True]
    assert [one.is_inside for one in third.targets] == [None, None]
    assert (third.known, third.model_version, third.price(0.08)) == (0, "another-model", pytest.approx(106.92))
    assert read_forecasts(pl.DataFrame(forecast(4), schema=predictions.COLUMNS), CLOSES) == ()


def test_coverage() -> None:
    """One of two inside at either horizon; at two sessions ahead the two overlap and count as one."""
    assert measure_coverage(FORECASTS) == (Coverage(1, 1, 2), Coverage(2, 1, 2))
    intervals = [one.interval for one in measure_coverage(FORECASTS)]
    assert intervals == [wilson_interval(0.5, 2), wilson_interval(0.5, 1)]
    assert view().inside == (2, 4)


def test_orders() -> None:
    """The security counts, not its name; a fill is shown in the terms of the last close, or not at all."""
    assert is_of(order("OLD", "s1"), "A<B", "s1")
    assert not is_of(order("A<B", "s2"), "A<B", "s1")  # another security that had the name before
    assert is_of(order("A<B", None), "A<B", "s1")
    assert not is_of(order("OLD", None), "A<B", "s1")
    filled = Entry("OLD", DAYS[1])
    assert list_fill_days([order("OLD", "s1"), order("OLD", "s1", None)]) == [filled]
    split = TickerOrder.of(order("OLD", "s1"), {filled: 0.5})
    assert (split.shown_price, split.slippage) == (25.0, pytest.approx(0.25))
    assert TickerOrder.of(order("OLD", "s1"), {}).shown_price is None


def test_page() -> None:
    """The forecast now, the stored ones with their models, trades, actions and details; text is escaped."""
    shown = view({Entry("OLD", DAYS[1]): 0.5})
    html = render_page("ticker.html", FRAME, shown)
    page = unescape(re.sub(r"\s+", " ", html))
    for text in ("Alpha & Sons", "Health Care. Common Stock.", "model <code>another-", "106.92", "2 of 4", "2 for 1"):
        assert text in page, text
    for text in (f'href="/decisions/{DAYS[0]}"', "Rank 1 of 9.", "Buy 10 OLD", "+2,500 bp"):
        assert text in page, text
    assert 'href="/predictions/A%3CB/explanation?date=' in html
    assert "<h1>A<B" not in html
    found = re.search(r'id="history-data">(.*?)</script>', html)
    assert found
    data = json.loads(found[1])
    assert data["orders"] == [{"day": DAYS[1].isoformat(), "side": "buy", "quantity": 10.0, "price": 25.0}]
    assert data["fans"][0]["inside"] == [True, False]
    assert data["closes"][-1] == [DAYS[3].isoformat(), 99.0]


def test_sources_down() -> None:
    """Each panel says which source does not answer; nothing is called unknown then, nor while a source has it."""
    down = replace(view(), quotes=Found("Datamanager", None, "refused"), orders=Found("The journal", None, "locked"))
    page = render_page("ticker.html", FRAME, down)
    assert page.count("Datamanager does not answer.</strong> Refused.") >= 3
    assert "The journal does not answer.</strong> Locked." in page
    assert "history-data" not in page
    nothing = TickerView(
        "ZZZ", Found("D", None), Found("D", Quotes({}, ())), Found("J", []), Found("B", None), Found("D", [])
    )
    assert nothing.is_unknown
    assert "of ZZZ." in render_page("unknown_ticker.html", FRAME, nothing)
    assert not replace(nothing, details=Found("D", None, "refused")).is_unknown
    assert not replace(nothing, orders=view().orders).is_unknown
    young = render_page("ticker.html", FRAME, replace(nothing, orders=view().orders))
    assert "It has no bar in the last 126 sessions." in young


def test_fill_after_midnight_utc() -> None:
    """A fill's day is New York's."""
    late = datetime.combine(DAYS[1], session_close(DAYS[1]).timetz()) + timedelta(hours=5)  # 02:00 UTC of the next day
    assert TickerOrder.of(replace(order("OLD", "s1"), updated_at=late), {}).day == DAYS[1]
