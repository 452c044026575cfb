"""The kinds of corporate actions: what can happen to a security, its shares and its name."""

from enum import StrEnum


class ActionKind(StrEnum):
    """What happens to a security; the kinds of Alpaca's corporate actions API, with splits in one kind each way."""

    FORWARD_SPLIT = "forward_split"
    REVERSE_SPLIT = "reverse_split"
    UNIT_SPLIT = "unit_split"  # a unit becomes shares and warrants
    CASH_DIVIDEND = "cash_dividend"
    STOCK_DIVIDEND = "stock_dividend"
    RIGHTS_DISTRIBUTION = "rights_distribution"
    SPIN_OFF = "spin_off"
    CASH_MERGER = "cash_merger"
    STOCK_MERGER = "stock_merger"
    STOCK_AND_CASH_MERGER = "stock_and_cash_merger"
    REDEMPTION = "redemption"
    WORTHLESS_REMOVAL = "worthless_removal"
    NAME_CHANGE = "name_change"


SPLIT_KINDS = (ActionKind.FORWARD_SPLIT, ActionKind.REVERSE_SPLIT)
