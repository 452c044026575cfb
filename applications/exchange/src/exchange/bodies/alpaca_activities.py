"""Alpaca's account activities: ids, descriptions and fields made of the rows of history."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid5

from exchange.bodies.alpaca_moments import optional_number, wire_moment
from exchange.responses.alpaca import FillBody, MovementBody
from internal.venue.clock import NEW_YORK
from internal.venue.history import ActivityType, Fill, HistoryRow, Movement, MovementKind
from internal.venue.money import ZERO, plain
from internal.venue.orders import OrderStatus

MOMENT_DIGITS = 17  # year to millisecond


def activity_id(account: str, row: HistoryRow) -> str:
    """17 digits of New York time to the millisecond, `::`, and a UUID, as Alpaca writes them."""
    local = row.moment.astimezone(NEW_YORK)
    number = uuid5(UUID(account), f"activity:{row.sequence}")
    return f"{local:%Y%m%d%H%M%S}{local.microsecond // 1000:03d}::{number}"


def moment_of_activity_id(text: str) -> datetime | None:
    """The moment (UTC, milliseconds) that an activity's id begins with; None for a text that is no such id."""
    digits, _, _ = text.partition("::")
    if len(digits) != MOMENT_DIGITS or not digits.isdecimal():
        return None
    try:
        local = datetime.strptime(digits[:-3], "%Y%m%d%H%M%S").replace(tzinfo=NEW_YORK)
    except ValueError:
        return None
    return local.astimezone(UTC) + timedelta(milliseconds=int(digits[-3:]))


def activity_body(account: str, row: HistoryRow) -> FillBody | MovementBody:
    """One row of the account's history."""
    entry, name = row.entry, activity_id(account, row)
    return _fill_body(name, row, entry) if isinstance(entry, Fill) else _movement_body(name, row, entry)


def _fill_body(name: str, row: HistoryRow, fill: Fill) -> FillBody:
    return FillBody(
        activity_type=fill.activity_type,
        cum_qty=plain(fill.cumulative_quantity),
        id=name,
        leaves_qty=plain(fill.leaves_quantity),
        order_id=fill.order_id,
        order_status=str(fill.order_status),
        price=plain(fill.price),
        qty=plain(fill.quantity),
        side=str(fill.side),
        symbol=fill.ticker,
        transaction_time=wire_moment(row.moment),
        type="fill" if fill.order_status is OrderStatus.FILLED else "partial_fill",
    )


def _movement_body(name: str, row: HistoryRow, movement: Movement) -> MovementBody:
    is_dividend = movement.kind is MovementKind.DIVIDEND
    price = optional_number(movement.price)
    return MovementBody(
        activity_type=movement.activity_type,
        activity_sub_type=movement.activity_sub_type,
        created_at=wire_moment(row.moment),
        date=row.session.isoformat(),
        description=describe_movement(movement, row.session),
        id=name,
        net_amount=plain(movement.net_amount),
        symbol=movement.ticker,
        qty=optional_number(movement.quantity),
        per_share_amount=price if is_dividend else None,
        price=None if is_dividend else price,
    )


def describe_movement(movement: Movement, session: date) -> str:
    """The sentence in which the broker's statement says what happened."""
    if movement.activity_type is ActivityType.FEE:
        return f"{_describe_fee(movement)} {session.isoformat()}"
    if movement.kind is MovementKind.MARGIN_INTEREST:
        owed = plain(movement.charged or ZERO)
        return f"Margin interest on ${owed}, {movement.nights} nights from {session.isoformat()}"
    if movement.kind in {MovementKind.DEPOSIT, MovementKind.WITHDRAWAL}:
        return f"Cash {movement.kind}"
    if movement.kind is MovementKind.DIVIDEND:
        return f"Cash dividend of {plain(movement.price or ZERO)} a share of {movement.ticker}"
    if movement.kind is MovementKind.DELISTING:
        return f"{movement.ticker} was delisted; position closed at its last price"
    return _describe_shares(movement)


def _describe_shares(movement: Movement) -> str:
    """A split, or an action that gives shares of another security or cash for the position."""
    terms = f"{plain(movement.split_to or ZERO)} for {plain(movement.split_from or ZERO)}"
    if movement.kind is MovementKind.CASH_IN_LIEU:
        split = f"Cash in lieu, {terms} split of {movement.ticker}"
        other = f"Cash in lieu of a fraction of {movement.ticker}, received for {movement.related_ticker}"
        return split if movement.related_ticker is None else other
    if movement.kind is MovementKind.SPLIT:
        return f"{terms} split of {movement.ticker}"
    parts = [
        movement.kind.replace("_", " ").capitalize(),
        "" if movement.split_to is None else terms,
        "" if movement.price is None else f"{plain(movement.price)} a share",
        f"{movement.ticker}" if movement.related_ticker is None else f"{movement.ticker} ({movement.related_ticker})",
    ]
    return ", ".join(part for part in parts if part)


def _describe_fee(movement: Movement) -> str:
    charged = plain(movement.charged or ZERO)
    if movement.kind is MovementKind.SEC_FEE:
        return f"REG fee for proceed of ${charged} on"
    if movement.kind is MovementKind.TAF_FEE:
        return f"TAF fee for proceed of {charged} shares on"
    if movement.kind is MovementKind.CAT_FEE:
        return f"CAT fee for {charged} shares traded on"
    if movement.kind is MovementKind.LOCATE_FEE:
        return f"Locate fee for {charged} shares of {movement.ticker} on"
    shares = plain(-(movement.quantity or ZERO))
    return f"Borrow fee for {shares} shares of {movement.ticker}, {movement.nights} nights from"
