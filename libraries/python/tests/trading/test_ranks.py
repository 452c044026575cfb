"""Ranks of a decision: one number a name, among the same names in every construction, in reasons and in records."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from internal.strategies.constructions.long_only import construct_long_only
from internal.strategies.constructions.quantiles import construct_quantiles
from internal.strategies.constructions.rules import PortfolioRules
from internal.strategies.constructions.sector_neutral import construct_sector_neutral
from internal.strategies.constructions.ten_by_ten import TenByTenRules, construct_ten_by_ten
from internal.trading.arrays import FloatArray
from internal.trading.decision_records import DecisionRecord
from internal.trading.enums import NameOutcome
from internal.trading.rank_cutoffs import RankCutoffs
from internal.trading.replay import replay_decision
from internal.trading.situation import Situation
from internal.trading.targets import Targets
from libraries.python.tests.strategies.small_situations import make_situation
from libraries.python.tests.trading.test_decision_records import record_of
from libraries.python.tests.trading.test_limits import FREE, Fixed

PRICES = dict.fromkeys("ABCDEFGHIJKL", 10.0)
SECTORS = dict.fromkeys("ABCDEF", "one") | dict.fromkeys("GHIJKL", "two")
SCORES = np.array([5.0, 4.0, 3.0, 2.0, 1.0, np.nan, -1.0, -2.0, -3.0, -4.0, -5.0, -6.0])
RULES = PortfolioRules(2, 1.0, 1.0, 0.0)


def by_score(situation: Situation, scores: FloatArray) -> Targets:
    """Names with a score above 0 alone are held: five of eleven."""
    return construct_long_only(situation, scores, RULES, by_score=True)


def ten_by_ten(situation: Situation, scores: FloatArray) -> Targets:
    """Two a side; held names are none of its candidates."""
    return construct_ten_by_ten(situation, scores, TenByTenRules(names_per_side=2))


def quantiles(situation: Situation, scores: FloatArray) -> Targets:
    """Two a side of all."""
    return construct_quantiles(situation, scores, RULES)


def sector_neutral(situation: Situation, scores: FloatArray) -> Targets:
    """One a side of each sector."""
    return construct_sector_neutral(situation, scores, RULES)


def decide_on(construct: Callable[[Situation, FloatArray], Targets], situation: Situation) -> DecisionRecord:
    """The record of the construction's targets."""
    targets = replace(construct(situation, SCORES), scores=SCORES)
    return record_of(situation, Fixed(targets), FREE, None)


@pytest.mark.parametrize("construct", [by_score, ten_by_ten, quantiles, sector_neutral])
def test_one_rank_and_one_population(construct: Callable[[Situation, FloatArray], Targets]) -> None:
    """B may not be opened and F has no score: ten names rank, C among them, which is held. Reasons say the same."""
    situation = make_situation(PRICES, held={"C": 100.0}, blocked=frozenset("B"), sectors=SECTORS)
    record = decide_on(construct, situation)
    ranks = {one.ticker: one.rank for one in record.names if one.rank is not None}
    assert ranks == {ticker: number for number, ticker in enumerate("ACDEGHIJKL", 1)}
    opened = [one for one in record.names if one.outcome is NameOutcome.OPENED]
    assert opened
    for one in opened:
        assert one.reason.removesuffix(" by forecast") == f"rank {one.rank} of 10"


def test_who_was_not_chosen_sees_the_cut() -> None:
    """Two a side of eleven: longs to rank 2, shorts from rank 10; the third best has rank 3."""
    names = decide_on(quantiles, make_situation(PRICES)).names
    cutoffs = RankCutoffs.of(names)
    assert cutoffs == RankCutoffs(count=11, last_long=2, first_short=10)
    said = {one.ticker: cutoffs.explain(one) for one in names}
    assert said["C"] == "rank 3 of 11; longs were opened down to rank 2, shorts from rank 10 on"
    assert said["A"] == "rank 1 of 11"
    assert said["F"] == "the strategy preferred others"


def test_one_side_alone() -> None:
    """A book without shorts names no cut of theirs; one that opens nothing says so."""
    names = decide_on(by_score, make_situation(PRICES)).names
    assert RankCutoffs.of(names) == RankCutoffs(11, 2, None)
    nothing = record_of(make_situation(PRICES), Fixed(Targets(scores=SCORES)), FREE, None).names
    cutoffs = RankCutoffs.of(nothing)
    assert cutoffs.explain(nothing[0]) == "rank 1 of 11; nothing was opened"


def test_equal_scores_are_no_ranking() -> None:
    """The order of equal scores is that of the tickers, which nobody has ranked."""
    record = record_of(make_situation(PRICES), Fixed(Targets(scores=np.ones(12))), FREE, None)
    assert {one.rank for one in record.names} == {None}


def test_a_record_without_ranks_is_replayed() -> None:
    """A record of a version that stored no ranks is still the same; a rank that was another one is not."""
    situation = make_situation(PRICES)
    targets = replace(quantiles(situation, SCORES), scores=SCORES)
    record = record_of(situation, Fixed(targets), FREE, None)
    older = replace(record, names=tuple(replace(one, rank=None) for one in record.names))
    assert replay_decision(older, situation.inputs, Fixed(targets), FREE).differences == ()
    other = replace(record, names=tuple(replace(one, rank=7 if one.rank == 1 else one.rank) for one in record.names))
    (difference,) = replay_decision(other, situation.inputs, Fixed(targets), FREE).differences
    assert (difference.ticker, difference.field, difference.then, difference.now) == ("A", "rank", "7", "1")
