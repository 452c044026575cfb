"""Which securities of a simulated market are no common stock, and how they are named."""

from dataclasses import replace
from typing import cast

import numpy as np

from internal.venue.market.listing import Listing

COMMON_STOCK, UNIT, PREFERRED, RIGHT, WARRANT = "CS", "UNIT", "PFD", "RIGHT", "WARRANT"
OTHER_SHARE = 0.25  # of the securities are no common stock
OTHER_TYPES = (  # the market data vendor's code, and the name's ending
    ("ETF", "2X Bull Daily Shares ETF"),
    ("ETF", "-1X Inverse Daily Shares ETF"),
    ("ETF", "Aggregate Bond ETF"),
    ("FUND", "Income Fund"),
    (PREFERRED, "6.25% Series A Preferred Stock"),
    (WARRANT, "Warrants"),
    ("ADRC", "American Depositary Shares"),
    (UNIT, "Units"),
)
NOT_BORROWED = frozenset({WARRANT, RIGHT})


def draw_types(listings: tuple[Listing, ...], random: np.random.Generator) -> list[Listing]:
    """The listings, about a quarter of them turned into other types; each type occurs where there is room for it."""
    order = cast("list[int]", random.permutation(len(listings)).tolist())
    count = max(round(OTHER_SHARE * len(listings)), min(len(OTHER_TYPES), len(listings) // 2))
    found = list(listings)
    for place, number in enumerate(order[:count]):
        found[number] = _as_type(found[number], *OTHER_TYPES[place % len(OTHER_TYPES)])
    return found


def _as_type(listing: Listing, security_type: str, ending: str) -> Listing:
    company = " ".join(listing.name.split()[:1])
    typed = replace(listing, security_type=security_type, name=f"{company} {ending}")
    if security_type in NOT_BORROWED:
        typed = replace(typed, shortable=False, easy_to_borrow=False, fractionable=False)
    if security_type in {"ETF", "FUND"}:
        return replace(typed, sector=None, industry=None, sic_code=None, sic_description=None)
    return typed


def make_child(parent: Listing, column: int, name: str, security_type: str) -> Listing:
    """The listing of a security that comes from another one; `parent` has its ticker and first day already."""
    other = security_type in NOT_BORROWED
    return replace(
        parent,
        name=f"{parent.name.split()[0]} {name}",
        security_type=security_type,
        shortable=parent.shortable and not other,
        easy_to_borrow=parent.easy_to_borrow and not other,
        fractionable=not other,
        central_index_key=f"{9_500_000_000 + column}",
        composite_figi=f"BBGSIM{column:05d}C",
        share_class_figi=f"BBGSIM{column:05d}S",
        security_id=f"BBGSIM{column:05d}S",
    )
