"""The options that say which securities may be opened; without them the settings of the fund decide."""

from collections.abc import Callable
from typing import Annotated

import typer

from internal.errors import ConfigurationError, InvalidRequestError
from internal.trading.limits import RiskLimits
from internal.trading.name_filter import NameFilter, parse_name_list, parse_types

SecurityTypesOption = Annotated[
    str, typer.Option("--security-types", envvar="SECURITY_TYPES", help="Types that may be opened: CS,ADRC.")
]
DoNotTradeOption = Annotated[
    str, typer.Option("--do-not-trade", envvar="DO_NOT_TRADE", help="What is never opened: TSLA,sector:ENERGY.")
]
OnlyTradeOption = Annotated[
    str, typer.Option("--only-trade", envvar="ONLY_TRADE", help="What alone may be opened, written the same way.")
]


def read_limits(security_types: str, do_not_trade: str, only_trade: str) -> RiskLimits:
    """The fund's limits with this filter of names. Raises InvalidRequestError, which names the option."""
    return RiskLimits(
        names=NameFilter(
            _read("--security-types", parse_types, security_types),
            _read("--do-not-trade", parse_name_list, do_not_trade),
            _read("--only-trade", parse_name_list, only_trade),
        )
    )


def _read[Value](option: str, parse: Callable[[str], Value], text: str) -> Value:
    try:
        return parse(text)
    except ConfigurationError as error:
        raise InvalidRequestError(f"{option} is wrong: {error.detail}") from error
