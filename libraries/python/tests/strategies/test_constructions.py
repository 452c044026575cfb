"""The constructions by rank: answers worked out by hand."""

import numpy as np
import pytest

from internal.strategies.constructions.inverse_volatility import construct_inverse_volatility
from internal.strategies.constructions.long_only import construct_long_only
from internal.strategies.constructions.quantiles import construct_quantiles
from internal.strategies.constructions.rules import PortfolioRules
from internal.strategies.constructions.sector_neutral import construct_sector_neutral
from internal.strategies.constructions.weighting import bounded_weights
from internal.trading.situation import Situation
from libraries.python.tests.strategies.small_situations import dollars, make_scores, make_situation, shares

NAMES = "ABCDEFGHIJ"
PRICES = dict.fromkeys(NAMES, 10.0)
SCORES = {name: 10.0 - place for place, name in enumerate(NAMES)}  # A is the best, J the worst
RULES = PortfolioRules(names_per_side=2)


def reasons(situation: Situation, rules: PortfolioRules = RULES) -> dict[str, str]:
    """By ticker, the reason that the quantiles give."""
    targets = construct_quantiles(situation, make_scores(situation, SCORES), rules)
    return {row.ticker: row.reason for row in targets.rows}


def test_quantiles_by_hand() -> None:
    """10,000 dollars, half a side, two names a side: 2,500 dollars are 250 shares at 10."""
    situation = make_situation(PRICES)
    targets = construct_quantiles(situation, make_scores(situation, SCORES), RULES)
    assert {"A": 250.0, "B": 250.0, "I": -250.0, "J": -250.0} == shares(targets, situation)
    assert reasons(situation) == {
        "A": "rank 1 of 10", "B": "rank 2 of 10", "I": "rank 9 of 10", "J": "rank 10 of 10",
    }  # fmt: skip
    assert targets.notes == ()


def test_whole_shares_leave_the_sides_equal() -> None:
    """A and B at 7 and 90 get 357 and 27 shares, 4,929; I and J at 10 give up 7 of their 500, 4,930 remain."""
    situation = make_situation({**PRICES, "A": 7.0, "B": 90.0})
    targets = construct_quantiles(situation, make_scores(situation, SCORES), RULES)
    found = shares(targets, situation)
    assert (found["A"], found["B"]) == (357.0, 27.0)
    assert found["I"] + found["J"] == -493.0


def test_a_held_name_stays_inside_its_exit_band() -> None:
    """With two places and a band of 1.5 a long of rank 3 is kept instead of opening rank 2; one of rank 4 is closed."""
    kept = make_situation(PRICES, held={"C": 250.0})
    assert {"A": 250.0, "C": 250.0, "I": -250.0, "J": -250.0} == shares(
        construct_quantiles(kept, make_scores(kept, SCORES), RULES), kept
    )
    closed = make_situation(PRICES, held={"D": 250.0})
    assert reasons(closed)["D"] == "its rank is outside the exit band"
    assert shares(construct_quantiles(closed, make_scores(closed, SCORES), RULES), closed)["D"] == 0.0


@pytest.mark.parametrize(("held", "after"), [(240.0, 240.0), (200.5, 200.5), (100.0, 250.0), (400.0, 250.0)])
def test_small_differences_are_not_traded(held: float, after: float) -> None:
    """Within a quarter of 250 shares nothing is traded but what the sides need; else it is sized again."""
    situation = make_situation(PRICES, held={"A": held, "B": 250.0, "I": -held // 1, "J": -250.0})
    found = shares(construct_quantiles(situation, make_scores(situation, SCORES), RULES), situation)
    assert found["A"] == after
    assert found["B"] == 250.0


def test_uneven_sides_are_evened_out_by_the_furthest_names() -> None:
    """A is 40 shares above its 250, J 30 below: A gives 40 and J gets 30 until both sides are worth the same."""
    situation = make_situation(PRICES, held={"A": 290.0, "B": 250.0, "I": -250.0, "J": -220.0})
    targets = construct_quantiles(situation, make_scores(situation, SCORES), RULES)
    assert {"A": 250.0, "B": 250.0, "I": -250.0, "J": -250.0} == shares(targets, situation)
    assert dollars(targets, situation) == (5000.0, 5000.0)


def test_a_name_that_changes_sides_is_closed_first() -> None:
    """The best name is held short: it is closed, and the long side takes the next two."""
    situation = make_situation(PRICES, held={"A": -250.0})
    found = shares(construct_quantiles(situation, make_scores(situation, SCORES), RULES), situation)
    assert {"A": 0.0, "B": 250.0, "C": 250.0, "I": -250.0, "J": -250.0} == found


def test_frozen_positions_count() -> None:
    """A frozen long of 1,000 dollars takes one of two places; the free name gets its part, and the shorts as much."""
    situation = make_situation(PRICES, held={"E": 100.0}, blocked=frozenset({"E"}))
    targets = construct_quantiles(situation, make_scores(situation, SCORES), RULES)
    assert {"A": 250.0, "E": 100.0, "I": -175.0, "J": -175.0} == shares(targets, situation)
    assert [row.locked for row in targets.rows if row.ticker == "E"] == [True]


def test_a_position_without_a_score_is_closed() -> None:
    """Null leaves a name out: a held one is closed, with the reason."""
    situation = make_situation(PRICES, held={"A": 250.0})
    scores = make_scores(situation, {name: score for name, score in SCORES.items() if name != "A"})
    row = next(one for one in construct_quantiles(situation, scores, RULES).rows if one.ticker == "A")
    assert (row.weight, row.reason) == (0.0, "no score today")


def test_few_names_make_a_small_portfolio() -> None:
    """Two places a side and two candidates: one long and one short of 2,500 dollars, and a note a side."""
    situation = make_situation({"A": 10.0, "B": 10.0})
    targets = construct_quantiles(situation, make_scores(situation, SCORES), RULES)
    assert {"A": 250.0, "B": -250.0} == shares(targets, situation)
    assert ("1 of 2 long names: not enough candidates", "1 of 2 short names: not enough candidates") == targets.notes


def test_names_that_cannot_be_shorted_are_passed_over() -> None:
    """J cannot be borrowed: the shorts are I and H."""
    situation = make_situation(PRICES, unshortable=frozenset({"J"}))
    found = shares(construct_quantiles(situation, make_scores(situation, SCORES), RULES), situation)
    assert {"A", "B", "H", "I"} == set(found)


def test_inverse_volatility_by_hand() -> None:
    """Volatilities of 1 % and 2 %: weights of 2 to 1 within a side of 5,000 dollars, 333 and 166 shares."""
    situation = make_situation(PRICES, volatility={"A": 0.01, "B": 0.02, "I": 0.02, "J": 0.01})
    targets = construct_inverse_volatility(situation, make_scores(situation, SCORES), RULES)
    assert {"A": 333.0, "B": 166.0, "I": -166.0, "J": -333.0} == shares(targets, situation)


def test_bounded_weights_by_hand() -> None:
    """Mean 1; 10 against 1 and 1 is cut to twice the mean before scaling, an unknown one is equal."""
    assert bounded_weights(np.array([3.0, 1.0]), 2.0) == pytest.approx([1.5, 0.5])
    assert bounded_weights(np.array([10.0, 1.0, 1.0]), 2.0) == pytest.approx([2.0, 0.5, 0.5])
    assert bounded_weights(np.array([np.nan, 1.0]), 2.0) == pytest.approx([1.0, 1.0])


def test_long_only_by_hand() -> None:
    """All of the capital in the two best names; by score of 10 and 9 with 10/19 and 9/19 of it."""
    situation = make_situation(PRICES)
    scores = make_scores(situation, SCORES)
    assert {"A": 500.0, "B": 500.0} == shares(construct_long_only(situation, scores, RULES), situation)
    by_score = construct_long_only(situation, scores, RULES, by_score=True)
    assert {"A": 526.0, "B": 473.0} == shares(by_score, situation)


def test_long_only_by_score_holds_positive_scores() -> None:
    """A score of 0 or below is no reason to hold a name."""
    situation = make_situation(PRICES)
    scores = make_scores(situation, {"A": 2.0, "B": 0.0, "C": -1.0})
    targets = construct_long_only(situation, scores, RULES, by_score=True)
    assert {"A": 500.0} == shares(targets, situation)
    assert ("1 of 2 names: not enough candidates",) == targets.notes


SECTORS = dict.fromkeys("ABCDEF", "ENERGY") | dict.fromkeys("GHIJ", "HEALTH CARE") | dict.fromkeys("KLM", "UTILITIES")


def test_sector_neutral_by_hand() -> None:
    """Five places: six names of energy get three, four of health care two; three of utilities are too few."""
    prices = dict.fromkeys("ABCDEFGHIJKLMN", 10.0)
    situation = make_situation(prices, sectors=SECTORS)
    scores = make_scores(situation, {name: 20.0 - place for place, name in enumerate(prices)})
    targets = construct_sector_neutral(situation, scores, PortfolioRules(names_per_side=5))
    longs, shorts = "ABCGH", "DEFIJ"
    assert dict.fromkeys(longs, 100.0) | dict.fromkeys(shorts, -100.0) == shares(targets, situation)
    assert ("sectors with too few names are left out: UTILITIES",) == targets.notes


def test_each_sector_has_equal_sides() -> None:
    """With one short of health care frozen at 300 dollars, its long side has 300 dollars too; energy has all of its."""
    prices = dict.fromkeys("ABCDEFGHIJK", 10.0)
    sectors = SECTORS | {"K": "HEALTH CARE"}
    situation = make_situation(prices, sectors=sectors, held={"G": -30.0}, blocked=frozenset({"G"}))
    scores = make_scores(situation, SCORES | {"K": 0.0})
    targets = construct_sector_neutral(situation, scores, PortfolioRules(names_per_side=5))
    found = shares(targets, situation)
    for sector in ("ENERGY", "HEALTH CARE"):
        assert sum(count for name, count in found.items() if sectors[name] == sector) == pytest.approx(0.0)


def test_a_position_of_a_sector_without_a_place_is_closed() -> None:
    """Utilities have too few names: what is held of them is closed with that reason."""
    prices = dict.fromkeys("ABCDEFGHIJKLM", 10.0)
    situation = make_situation(prices, sectors=SECTORS, held={"K": 10.0})
    scores = make_scores(situation, {name: 20.0 - place for place, name in enumerate(prices)})
    row = next(one for one in construct_sector_neutral(situation, scores, RULES).rows if one.ticker == "K")
    assert (row.weight, row.reason) == (0.0, "the sector UTILITIES is left out")


def test_without_sectors_nothing_is_opened() -> None:
    """Details that were not loaded are no reason to sell: positions are kept, and the note says why."""
    situation = make_situation(PRICES, held={"A": 10.0})
    targets = construct_sector_neutral(situation, make_scores(situation, SCORES), RULES)
    assert {"A": 10.0} == shares(targets, situation)
    assert ("nothing is opened: no name with a score has a known sector",) == targets.notes
