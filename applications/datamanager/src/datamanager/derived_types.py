"""The type of a security whose vendor names none, from what EDGAR says of its company and from its name. Pure.

Common stock is only the share of a company that EDGAR lists with an operating company's code
(docs/decisions/security_identity.md).
"""

import polars as pl

from internal.security_types import COMMON_STOCK, DEPOSITARY_RECEIPT, UNKNOWN

NO_OPERATIONS = (  # codes of the SEC whose companies hold assets for others
    "6189",  # asset-backed securities
    "6221",  # commodity contracts: the trusts that hold gold, oil or coins
    "6722",  # management investment offices
    "6726",  # unit investment trusts, closed-end funds
    "6770",  # blank checks
)
OTHER_SECURITY = (
    r"(?i)\b(warrants?|rights?$|units?$|units?, each|preferred (stock|shares|securities)|preference shares"
    r"|depositary shares|notes due|debentures|etf|etn|fund)\b"
)
RECEIPT = r"(?i)\bamerican depositary\b"


def type_expression(name: pl.Expr, code: pl.Expr) -> pl.Expr:
    """The type from the security's name and its company's SIC code as text; UNKNOWN where nothing says what it is."""
    operates = code.str.contains(r"^\d{3,4}$") & ~code.str.zfill(4).is_in((*NO_OPERATIONS, "0000"))
    is_other = name.str.contains(OTHER_SECURITY).fill_null(value=False)
    return (
        pl.when(~operates.fill_null(value=False))
        .then(pl.lit(UNKNOWN))
        .when(name.str.contains(RECEIPT))
        .then(pl.lit(DEPOSITARY_RECEIPT))
        .when(is_other)
        .then(pl.lit(UNKNOWN))
        .otherwise(pl.lit(COMMON_STOCK))
    )
