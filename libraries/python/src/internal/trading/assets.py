"""What the broker lets the fund trade, and what the fund's own filter refuses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from internal.trading.arrays import BoolArray


@dataclass(frozen=True, slots=True)
class Assets:
    """What the broker lets the fund trade: active tickers, and those among them that can be sold short.

    `borrow_rates` are yearly fractions by ticker, where the broker states them. `notes` say what the broker leaves
    open, one sentence each, and what follows from it.
    """

    tradable: frozenset[str]
    shortable: frozenset[str]
    borrow_rates: Mapping[str, float] = field(default_factory=dict[str, float])
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusals:
    """Names that the fund's filter does not let be opened: why, by ticker, and the names alone."""

    reasons: Mapping[str, str] = field(default_factory=dict[str, str])
    names: frozenset[str] = frozenset()


@lru_cache(maxsize=8)
def find_members(tickers: tuple[str, ...], names: frozenset[str]) -> BoolArray:
    """[N] which of the tickers are among the names; remembered, because assets change seldom."""
    members = np.fromiter((ticker in names for ticker in tickers), bool, len(tickers))
    members.flags.writeable = False
    return members
