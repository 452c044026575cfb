"""What a book made from a forecast's ranking bets on besides: the rank correlations of its score with tickers' traits.

A training measures them and keeps them in the artifact; the page Model shows them.
"""

from collections.abc import Mapping
from typing import Final

BET_ON: Final = "bet_on_"  # before a trait's name, in the figures of the held-out block
NOTICEABLE: Final = 0.2  # a correlation that is nearer to 0 is no bet worth a sentence
HELD_LONG: Final = {  # what the book is long where the correlation is positive, and where it is negative
    "volatility": ("volatile tickers", "calm tickers"),
    "size": ("much traded tickers", "little traded tickers"),
    "beta": ("tickers of high beta", "tickers of low beta"),
    "past_return": ("recent winners", "recent losers"),
}


def read_bets(held_out: Mapping[str, float]) -> dict[str, float]:
    """The correlation with each trait, from a model's figures in the held-out block; none where it was not measured."""
    return {name.removeprefix(BET_ON): correlation for name, correlation in held_out.items() if name.startswith(BET_ON)}


def describe_bets(bets: Mapping[str, float]) -> str:
    """What the champion's book is long and short besides, in a sentence, the strongest bet first; empty without any."""
    if not bets:
        return ""
    strongest = sorted(bets.items(), key=lambda bet: -abs(bet[1]))
    found = [
        f"{HELD_LONG[trait][correlation < 0]} ({correlation:+.2f})"
        for trait, correlation in strongest
        if trait in HELD_LONG and abs(correlation) >= NOTICEABLE
    ]
    if not found:
        return f"A book made from the champion's ranking makes none of these bets: each is below {NOTICEABLE:.1f}."
    return (
        f"A book made from the champion's ranking would be long {', '.join(found)} and short the opposite, "
        "whatever else the forecast says."
    )
