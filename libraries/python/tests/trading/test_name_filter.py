"""Filters by type and by lists: each refusal is named in the decision, and the next name takes its place."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from loaded_strategies import ten_by_ten

from internal.action_kinds import ActionKind
from internal.errors import ConfigurationError
from internal.trading.day_inputs import Details
from internal.trading.decision import decide
from internal.trading.enums import Action
from internal.trading.limits import RiskLimits
from internal.trading.name_filter import NameFilter, NameList, find_refusals, parse_name_list, parse_types
from internal.trading.rebalancing import Rebalancer
from internal.trading.situation import Situation
from internal.trading.targets import Targets
from internal.venue.corporate_actions import CorporateAction
from libraries.python.tests.strategies.small_situations import make_situation
from libraries.python.tests.trading.actions_kit import EFFECTIVE, Scripted, held_at_broker, open_fund, play_session

TICKERS = ("ADR", "ETF1", "OIL", "PLAIN", "UNKNOWN")
DETAILS = Details(("Technology", None, "Energy", "Technology", None), (None,) * 5, ("ADRC", "ETF", "CS", "CS", None))


def refused(names: NameFilter) -> dict[str, str]:
    """The reasons by ticker."""
    return dict(find_refusals(TICKERS, DETAILS, names).reasons)


def test_common_stock_by_default() -> None:
    """Depositary receipts and funds are refused, a type that is not known is not; receipts by option."""
    reason = "its type {} is not among the traded types CS"
    assert refused(NameFilter()) == {"ADR": reason.format("ADRC"), "ETF1": reason.format("ETF")}
    assert refused(NameFilter(frozenset({"CS", "ADRC"}))).keys() == {"ETF1"}
    assert find_refusals(TICKERS, None, NameFilter()).names == frozenset()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PLAIN", {"PLAIN": "it is on the do-not-trade list"}),
        ("plain", {"PLAIN": "it is on the do-not-trade list"}),
        ("sector:ENERGY", {"OIL": "its sector Energy is on the do-not-trade list"}),
        ("type:CS, UNKNOWN", dict.fromkeys(("OIL", "PLAIN"), "its type CS is on the do-not-trade list")),
    ],
)
def test_do_not_trade(text: str, expected: dict[str, str]) -> None:
    """By ticker, sector and type."""
    every = frozenset({"CS", "ADRC", "ETF"})
    found = refused(NameFilter(every, do_not_trade=parse_name_list(text)))
    assert expected.items() <= found.items()
    assert found.keys() - expected.keys() <= {"UNKNOWN"}


def test_tickers_in_small_letters() -> None:
    """Polygon writes the preferred share A of BAC as BACpA: the list finds it however it is written."""
    assert (
        parse_name_list("BACpA").find("BACpA", None, None) == parse_name_list("bacpa").find("BACpA", None, None) == "it"
    )


def test_only_trade() -> None:
    """Everything else is refused, what is not known of included."""
    names = NameFilter(only_trade=parse_name_list("sector:energy,PLAIN"))
    assert {"ADR", "ETF1", "UNKNOWN"} == refused(names).keys()
    assert refused(names)["UNKNOWN"] == "it is not on the only-trade list"


@pytest.mark.parametrize("text", ["sector:", "industry:Coal", ":", "type: "])
def test_wrong_entries(text: str) -> None:
    """The entry is named, and what can be written."""
    with pytest.raises(ConfigurationError, match="write TICKER, sector:NAME or type:CODE"):
        parse_name_list(text)


def test_types_that_do_not_exist() -> None:
    """A misspelled type is named, with every type that there is: otherwise nothing, or too much, would be traded."""
    sentence = r"no such type: XYZ; there are CS, PFD, .*ADRC.*, UNKNOWN"
    with pytest.raises(ConfigurationError, match=sentence):
        parse_types("CS,xyz")
    with pytest.raises(ConfigurationError, match=sentence):
        parse_name_list("type:XYZ")
    with pytest.raises(ConfigurationError, match="it is empty"):
        parse_types(" , ")


def test_a_refused_name_is_replaced_and_may_be_closed() -> None:
    """TenByTen takes the next best name; a held refused name does not grow, and can be closed."""
    prices = {f"T{number:02}": 50.0 for number in range(20)}
    medians = np.linspace(0.02, -0.02, 20)
    bands = np.stack([medians - 0.1, medians, medians + 0.1], axis=1)
    names = NameFilter(do_not_trade=NameList(frozenset({"T00", "T05"})))
    situation = with_filter(make_situation(prices, bands=bands, held={"T05": 10.0}), names)
    opened = [row.ticker for row in decide(situation, ten_by_ten(names_per_side=3), RiskLimits()).rows]
    assert "T00" not in opened
    assert {"T01", "T02"} <= set(opened)

    class Wanting:
        """Wants more of a refused name, and another refused one."""

        record, needs = ten_by_ten().record, ten_by_ten().needs

        def is_due(self, day: date) -> bool:
            """Always."""
            del day
            return True

        def next_due(self, day: date) -> None:
            """Never asked."""

        def decide(self, situation: Situation) -> Targets:
            """A tenth and a fifth of the capital."""
            del situation
            return Targets.of({"T00": 0.1, "T05": 0.2}, "wanted")

    decision = decide(situation, Wanting(), RiskLimits())
    assert [(row.ticker, row.action, row.quantity) for row in decision.rows] == [("T05", Action.HOLD, 10.0)]
    assert "T00 is not opened: it is on the do-not-trade list" in decision.notes
    assert "T05 is not added to: it is on the do-not-trade list" in decision.notes


def with_filter(situation: Situation, names: NameFilter) -> Situation:
    """The situation under the filter."""
    return replace(situation, refused=find_refusals(situation.tickers, situation.details, names))


@pytest.mark.parametrize(
    ("names", "opened"),
    [
        (NameFilter(do_not_trade=parse_name_list("old")), ["BUYR"]),
        (NameFilter(only_trade=parse_name_list("OLD")), ["NEW"]),
    ],
)
def test_lists_follow_a_new_ticker(names: NameFilter, opened: list[str]) -> None:
    """OLD trades as NEW since yesterday: a list that names OLD means NEW, and no security that never was OLD."""
    rename = CorporateAction(ActionKind.NAME_CHANGE, "OLD", EFFECTIVE, new_ticker="NEW")
    fund = open_fund([rename], ("NEW", "OLD", "BUYR"))
    wanted = {"NEW": 0.02, "BUYR": 0.02}
    trader = Rebalancer(fund.ports, Scripted({EFFECTIVE: wanted}), RiskLimits(names=names, current_bars=0.5))
    for _ in range(4):
        play_session(fund, trader)
    assert list(held_at_broker(fund)) == opened
