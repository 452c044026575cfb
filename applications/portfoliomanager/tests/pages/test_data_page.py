"""The Data page: the calendar by hand, actions in words, and what needs a person."""

import re
from datetime import date

import polars as pl
import pytest

from internal.action_kinds import ActionKind
from internal.http.datamanager_responses import (
    AbsentSession,
    ActionCounts,
    DataCheck,
    QuarantinedReason,
    SessionCounts,
)
from internal.http.roles import Role
from internal.modes import Mode
from internal.schemas import corporate_actions
from internal.trading.funnel import Funnel
from internal.trading.trading_state import UNCHANGED
from portfoliomanager.pages.corporate_actions import list_actions
from portfoliomanager.pages.data import DataPage, DataView, DecidedNames
from portfoliomanager.pages.frame import Frame, Page
from portfoliomanager.pages.rendering import render_page
from portfoliomanager.pages.visitor import Visitor

READER = Visitor(Role.READER, may_send_forms=False, has_session=False, csrf_token="")
FRAME = Frame(Page.DATA, Mode.SIMULATED, UNCHANGED, None, READER)
FIRST, END = date(2024, 12, 23), date(2025, 1, 10)  # Christmas, New Year's Day and the mourning of 9 January are closed
MISSING, LATE, REPAIRED = date(2025, 1, 7), date(2025, 1, 8), date(2024, 12, 26)
CHECK = DataCheck(
    start=FIRST,
    end=END,
    sessions=SessionCounts(
        first=FIRST,
        expected=12,
        present=11,
        late=[LATE],
        repaired=[REPAIRED],
        missing=[AbsentSession(date=MISSING, reason="the vendor had <no> bars", attempts=3)],
    ),
    quarantine=[
        QuarantinedReason(
            reason="stale_run", rows=4, examples=["AAA 2025-01-06"], remedy="look at `it`", needs_a_decision=True
        )
    ],
    released=2,
    actions=ActionCounts(in_force=1, corrected=0, withdrawn=0),
    disagreements={"close": 3},
    to_do=["one session is missing"],
)
KEPT = pl.DataFrame({"date": [FIRST, END], "rows": [56, 1055], "quarantined": [0, 1]})


def titles(view: DataView) -> dict[str, str]:
    """What each day of the calendar says when it is pointed at."""
    pictures = "".join(month.picture for year in view.years for month in year.months)
    return dict(title.split(": ", 1) for title in re.findall(r"<title>([^<]*)</title>", pictures))


def test_calendar() -> None:
    """Each working day from the first session to the last is there once, with what became of it."""
    view = DataView.of(CHECK, KEPT, 60)
    found = titles(view)
    assert len(found) == 15  # 23 December to 10 January, without weekends
    assert [day for day, title in found.items() if "closed" in title] == ["1 Jan 2025", "9 Jan 2025", "25 Dec 2024"]
    assert found["7 Jan 2025"] == "missing, the vendor had &lt;no&gt; bars"
    assert found["8 Jan 2025"].endswith("collected late")
    assert found["26 Dec 2024"].endswith("missing at first")
    assert found["10 Jan 2025"] == "1,055 bars, 1 held back"
    assert [year.number for year in view.years] == [2025, 2024]
    assert (view.bars, view.last) == (1111, END)
    assert view.lead == "1 of 12 sessions from 23 December 2024 to 10 January 2025 is missing"


def test_page() -> None:
    """Everything is on the page as text, escaped; what cannot be read is said, and the page is whole."""
    names = DecidedNames(END, Funnel(1060, 1055, 80, 70, 65, 20))
    page = render_page("data.html", FRAME, DataPage(DataView.of(CHECK, KEPT, 1070), names, [], "", ""))
    chain = "1,060 listed, 1,055 priced, 80 eligible, 70 forecast, 65 shortable; 20 in the book"
    for text in (chain, "with a bar of the last session, of 1,070 ever collected", "Look at <code>it</code>"):
        assert text in page, text
    for text in ("What needs a person", "the vendor had &lt;no&gt; bars", "Stale run", "2 released by hand", "Close"):
        assert text in page, text
    down = render_page("data.html", FRAME, DataPage(None, None, None, "no answer within 3 seconds", ""))
    assert "Datamanager does not answer.</strong> No answer within 3 seconds" in down
    nothing = CHECK.model_copy(
        update={"sessions": SessionCounts(first=None, expected=0, present=0, late=[], repaired=[], missing=[])}
    )
    empty = render_page(
        "data.html", FRAME, DataPage(DataView.of(nothing, KEPT.clear(), 0), None, None, "", "it is busy")
    )
    assert "Nothing was collected yet." in empty
    assert "It is busy." in empty


@pytest.mark.parametrize(
    ("kind", "terms", "expected"),
    [
        (ActionKind.FORWARD_SPLIT, {"old_shares": 1.0, "new_shares": 20.0}, "20 for 1"),
        (ActionKind.CASH_DIVIDEND, {"cash_amount": 0.255}, "$0.2550 a share"),
        (ActionKind.SPIN_OFF, {"old_shares": 4.0, "new_shares": 1.0, "new_ticker": "NEW"}, "1 NEW for 4"),
        (ActionKind.NAME_CHANGE, {"new_ticker": "META"}, "now META"),
        (
            ActionKind.STOCK_AND_CASH_MERGER,
            {"old_shares": 2.0, "new_shares": 1.0, "new_ticker": "BUY", "cash_amount": 3.0},
            "1 BUY for 2, $3.00 a share",
        ),
        (ActionKind.WORTHLESS_REMOVAL, {}, ""),
    ],
)
def test_terms(kind: ActionKind, terms: dict[str, object], expected: str) -> None:
    """Shares and cash of each kind of action in words."""
    row = dict.fromkeys(corporate_actions.CORPORATE_ACTIONS_COLUMNS) | {
        "kind": str(kind),
        "ticker": "AAA",
        "effective_date": END,
    }
    [line] = list_actions(pl.DataFrame([row | terms], schema=corporate_actions.CORPORATE_ACTIONS_COLUMNS))
    assert (line.terms, line.ticker, line.day) == (expected, "AAA", END)
