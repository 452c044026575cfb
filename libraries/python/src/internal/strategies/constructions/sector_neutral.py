"""Long/short within each sector: equal dollars on both sides of every sector, so that no sector is bet on."""

from collections.abc import Mapping, Sequence

import numpy as np

from internal.strategies.constructions.portfolio import (
    Group,
    explain_closes,
    frozen_holdings,
    make_targets,
    open_nothing,
    size_picks,
)
from internal.strategies.constructions.ranking import find_ranking_problem
from internal.strategies.constructions.rules import PortfolioRules
from internal.strategies.constructions.selection import pick_side
from internal.strategies.constructions.sizing import Holding
from internal.trading.arrays import FloatArray
from internal.trading.enums import Side
from internal.trading.ranks import rank_names
from internal.trading.situation import Situation
from internal.trading.targets import Targets

FEWEST_NAMES = 4  # of a sector: two a side, so that one company is not a side


def construct_sector_neutral(situation: Situation, scores: FloatArray, rules: PortfolioRules) -> Targets:
    """The best names of each sector long and its worst short, equal dollars a name and equal sides in each sector.

    scores: [N], NaN for none; they are compared within a sector alone. The `names_per_side` places are divided among
    the sectors by how many names they have. A sector with fewer than four names, or too few for a place, is left out,
    as are names whose sector is not known: the notes say so.
    """
    if (problem := find_ranking_problem(situation, scores)) is not None:
        return open_nothing(situation, scores, problem)
    ranked, frozen = rank_names(situation, scores), frozen_holdings(situation)
    own = _divide_by_sector(situation, ranked)
    if not own:
        return open_nothing(situation, scores, "nothing is opened: no name with a score has a known sector")
    places = _divide_places({sector: len(names) for sector, names in own.items()}, rules.names_per_side)
    groups = [
        _size_sector(situation, ranked, own[sector], count, _of_sector(situation, frozen, sector), rules)
        for sector, count in places.items()
    ]
    others = [one for one in frozen if _sector(situation, one.ticker) not in places]
    left_out = sorted(own.keys() - places.keys())
    notes = [f"sectors with too few names are left out: {', '.join(left_out)}"] if left_out else []
    if (count := sum(places.values())) < rules.names_per_side:
        notes.append(f"{count} of {rules.names_per_side} names a side: the sectors have no more")
    closing = {**explain_closes(situation, scores), **_explain_sectors(situation, places)}
    all_groups = [*groups, Group(others, 0.0, balanced=False)]
    return make_targets(situation, all_groups, rules.rebalance_threshold, closing, notes)


def _explain_sectors(situation: Situation, places: Mapping[str, int]) -> Mapping[str, str]:
    """Why a position is closed whose sector has no place."""
    sectors = {ticker: _sector(situation, ticker) for ticker in situation.holdings}
    return {
        ticker: f"the sector {sector} is left out" if sector else "its sector is not known"
        for ticker, sector in sectors.items()
        if sector not in places
    }


def _sector(situation: Situation, ticker: str) -> str | None:
    place, details = situation.find(ticker), situation.details
    return None if place is None or details is None else details.sector[place]


def _of_sector(situation: Situation, holdings: Sequence[Holding], sector: str) -> list[Holding]:
    return [one for one in holdings if _sector(situation, one.ticker) == sector]


def _divide_by_sector(situation: Situation, ranked: Sequence[int]) -> Mapping[str, list[int]]:
    """The ranked names of each known sector, best first."""
    own: dict[str, list[int]] = {}
    for place in ranked:
        if (sector := _sector(situation, situation.tickers[place])) is not None:
            own.setdefault(sector, []).append(place)
    return own


def _divide_places(names: Mapping[str, int], places: int) -> Mapping[str, int]:
    """Places a side by sector, in proportion to its names, the largest remainders first; at most half of its names.

    A sector that gets none is left out.
    """
    counts = {sector: count for sector, count in sorted(names.items()) if count >= FEWEST_NAMES}
    total = sum(counts.values())
    exact = {sector: places * count / total for sector, count in counts.items()}
    whole = {sector: int(share) for sector, share in exact.items()}
    remainders = sorted(exact, key=lambda sector: whole[sector] - exact[sector])
    for sector in remainders[: places - sum(whole.values())]:
        whole[sector] += 1
    return {sector: min(count, counts[sector] // 2) for sector, count in whole.items() if count > 0}


def _size_sector(  # noqa: PLR0913, PLR0917 - what a sector's selection depends on
    situation: Situation,
    ranked: Sequence[int],
    own: Sequence[int],
    count: int,
    frozen: Sequence[Holding],
    rules: PortfolioRules,
) -> Group:
    """One sector's names, its `own` of all that are ranked; a frozen position takes up a place."""
    half, dollars = len(own) // 2, rules.dollars_per_name(situation.capital, len(Side))
    holdings = list(frozen)
    for side, order in ((Side.LONG, own[:half]), (Side.SHORT, own[::-1][:half])):
        places = count - sum(one.side is side for one in frozen)
        picks = pick_side(situation, ranked, order, side, places, rules.exit_rank(count))
        holdings += size_picks(situation, picks, np.full(len(picks), dollars))
    return Group(holdings, count * dollars)
