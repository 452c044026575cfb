"""Ranks: a name's place by score among all names of a decision that could be opened or go on being held."""

import numpy as np

from internal.trading.arrays import BoolArray, FloatArray
from internal.trading.situation import Situation


def rank_names(situation: Situation, scores: FloatArray) -> list[int]:
    """The places of the names that may be opened or are held and can be traded, best score first.

    Ties go to the first ticker; a name without a score has no rank.
    """
    places = np.flatnonzero(find_ranked(situation, scores))
    return places[np.argsort(-scores[places], kind="stable")].tolist()


def number_names(situation: Situation, scores: FloatArray) -> dict[str, int]:
    """The rank of each name by ticker, the best is 1; none where all scores are the same."""
    places = rank_names(situation, scores)
    if not places or scores[places[0]] == scores[places[-1]]:
        return {}
    return {situation.tickers[place]: number for number, place in enumerate(places, 1)}


def find_ranked(situation: Situation, scores: FloatArray) -> BoolArray:
    """[N] names that have a rank. scores: [N], NaN for none."""
    ranked: BoolArray = may_be_ranked(situation) & np.isfinite(scores)
    return ranked


def may_be_ranked(situation: Situation) -> BoolArray:
    """[N] names that may be opened, or are held and can be traded."""
    held = [situation.find(one.ticker) for one in situation.positions if not situation.freezing_reason(one)]
    allowed = situation.may_open.copy()
    allowed[[place for place in held if place is not None]] = True
    return allowed
