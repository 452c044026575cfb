"""Which rows of the account's history Alpaca's filters select: types, groups of types, and categories."""

from typing import Literal

from internal.venue import rejections
from internal.venue.history import ActivityType

type Category = Literal["trade_activity", "non_trade_activity"]

OCCURRING = {str(activity_type): activity_type for activity_type in ActivityType}
TRADES = frozenset({ActivityType.FILL})
NON_TRADES = frozenset(ActivityType) - TRADES
GROUPS = {
    "TRANS": frozenset[ActivityType](),  # cash deposits and withdrawals, CSD and CSW: there are none here
    "MISC": NON_TRADES - {ActivityType.DIVIDEND},
}
# What the real service accepts besides, and what does not occur here
OTHER_TYPES = frozenset(
    [
        "ACATC",
        "ACATS",
        "ALLOC",
        "CFEE",
        "CSD",
        "CSR",
        "CSW",
        "DIVCGL",
        "DIVCGS",
        "DIVFEE",
        "DIVFT",
        "DIVNRA",
        "DIVROC",
        "DIVTW",
        "DIVTXEX",
        "DIVWH",
        "DVF",
        "ECEXP",
        "EXTRD",
        "FIMAT",
        "FXCNV",
        "FXTRD",
        "INT",
        "INTNRA",
        "INTPNL",
        "INTTW",
        "INVPNL",
        "JNL",
        "JNLC",
        "JNLS",
        "MEM",
        "OCT",
        "OPASN",
        "OPCA",
        "OPCSH",
        "OPEXC",
        "OPEXP",
        "OPTRD",
        "PTC",
        "PTR",
        "SUB",
        "SWP",
        "TRD",
        "VOF",
        "WH",
    ]
)


def select_types(names: str | None, category: Category | None) -> frozenset[ActivityType] | None:
    """The types that a request asks for; None is all of them.

    Raises RequestRefusedError for a type that Alpaca does not know, and for types together with a category.
    """
    if names is None:
        return {"trade_activity": TRADES, "non_trade_activity": NON_TRADES, None: None}[category]
    if category is not None:
        raise rejections.invalid_field("only one of activity_types or category is accepted")
    found = frozenset[ActivityType]()
    for name in (one.strip() for one in names.split(",")):
        found |= _select_type(name)
    return found


def _select_type(name: str) -> frozenset[ActivityType]:
    if name in OCCURRING:
        return frozenset({OCCURRING[name]})
    if name not in GROUPS and name not in OTHER_TYPES:
        raise rejections.invalid_field(f"invalid activity type: {name}")
    return GROUPS.get(name, frozenset())
