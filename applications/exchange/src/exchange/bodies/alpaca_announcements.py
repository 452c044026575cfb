"""Alpaca's announcements, made of the venue's corporate actions."""

from uuid import uuid5

from exchange.bodies.alpaca_moments import optional_number
from exchange.responses.alpaca_announcements import AnnouncementBody
from internal.action_kinds import ActionKind
from internal.venue.corporate_actions import CorporateAction
from internal.venue.identity import EXCHANGE_NAMESPACE
from internal.venue.money import ONE, ZERO, plain

TYPES = {
    ActionKind.FORWARD_SPLIT: "split",
    ActionKind.REVERSE_SPLIT: "split",
    ActionKind.UNIT_SPLIT: "split",
    ActionKind.CASH_DIVIDEND: "dividend",
    ActionKind.STOCK_DIVIDEND: "dividend",
    ActionKind.SPIN_OFF: "spinoff",
    ActionKind.CASH_MERGER: "merger",
    ActionKind.STOCK_MERGER: "merger",
    ActionKind.STOCK_AND_CASH_MERGER: "merger",
}
SUB_TYPES = {
    ActionKind.FORWARD_SPLIT: "stock_split",
    ActionKind.REVERSE_SPLIT: "reverse_split",
    ActionKind.UNIT_SPLIT: "unit_split",
    ActionKind.CASH_DIVIDEND: "cash",
    ActionKind.STOCK_DIVIDEND: "stock",
    ActionKind.SPIN_OFF: "spinoff",
}


def announcement_id(action: CorporateAction) -> str:
    """The announcement's id: a function of the action's own."""
    return str(uuid5(EXCHANGE_NAMESPACE, f"announcement:{action.action_id}"))


def announcement_body(action: CorporateAction) -> AnnouncementBody:
    """The action as it is announced; CUSIPs are empty, the market has none."""
    return AnnouncementBody(
        id=announcement_id(action),
        corporate_action_id=action.action_id,
        ca_type=TYPES[action.kind],
        ca_sub_type=SUB_TYPES.get(action.kind, "merger_completion"),
        initiating_symbol=action.ticker,
        target_symbol=action.new_ticker or action.ticker,
        declaration_date=action.declaration_date,
        ex_date=action.effective_date,
        record_date=action.record_date,
        payable_date=action.pay_date or action.effective_date,
        cash=optional_number(action.cash_amount) or plain(ZERO),
        old_rate=plain(action.old_shares or ONE),
        new_rate=plain(action.new_shares or ONE),
    )
