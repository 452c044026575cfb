"""Alpaca's account activities as the rows of the books, read page by page and only as far as they may be new."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from threading import Lock
from typing import Final
from zoneinfo import ZoneInfo

from internal.books.activities import FILL_TYPE, Activity, ActivityKind
from internal.dates import NEW_YORK, cut_to_milliseconds, exchange_day
from internal.trading.broker_reports import Costs
from internal.venue.margin_account import fill_amount
from internal.venue.money import ZERO
from portfoliomanager.adapters.alpaca_fields import Body, as_objects, optional_text, read_moment, text
from portfoliomanager.adapters.alpaca_transport import PatientTradingClient, read

PAGE: Final = 100  # the most that Alpaca gives
LATE_DAYS: Final = 7  # an activity may be booked this many days after the day that it is dated
CANCELED: Final = "canceled"
MOMENT_DIGITS: Final = re.compile(r"[0-9]{17}")  # year to millisecond, in New York


class AlpacaActivities:
    """All activities of the account, by id; once a day the last week is asked for again, because rows come late.

    Args:
        client: The account's client.
        load: Answers what was read by former processes, so that years are not read again.
    """

    def __init__(self, client: PatientTradingClient, load: Callable[[], Sequence[Activity]]) -> None:
        self._client, self._load, self._one_at_a_time = client, load, Lock()
        self._known: dict[str, Activity] | None = None
        self._newest: date | None = None  # of the rows, when the last week was asked for

    def read_new(self) -> Sequence[Activity]:
        """Read what is new; all that is known, in the order in which it was listed first."""
        with self._one_at_a_time:
            return self._read_new()

    def forget(self) -> None:
        """Read everything that is not stored again at the next reading."""
        with self._one_at_a_time:
            self._known = self._newest = None

    def _read_new(self) -> Sequence[Activity]:
        known = {row.activity_id: row for row in self._load()} if self._known is None else self._known
        newest = max((row.day for row in known.values()), default=None)
        days = 1 if newest == self._newest else LATE_DAYS
        for body in self._list(None if newest is None else newest - timedelta(days=days)):
            before = known.get(text(body, "id"))
            number = len(known) + 1 if before is None else before.number
            known[text(body, "id")] = read_activity(body, number)
        self._known, self._newest = known, newest
        return list(known.values())

    def sum_costs(self, after: date) -> Costs:
        """Fees and borrow cost of the days after that one, dollars."""
        charges = [row for row in self.read_new() if row.day > after]

        def paid(kind: ActivityKind) -> float:
            return float(-sum((row.net_amount for row in charges if row.kind is kind), ZERO))

        return Costs(fees=paid(ActivityKind.FEE), borrow=paid(ActivityKind.BORROW))

    def _list(self, since: date | None) -> Iterator[Body]:
        """Page after page, oldest first; the token of the next page is the last row's id."""
        parameters = {"direction": "asc", "page_size": str(PAGE)}
        if since is not None:
            parameters["after"] = since.isoformat()
        while True:
            page = read("activities", lambda asked=parameters: self._read_page(asked))
            yield from page
            if len(page) < PAGE:
                return
            parameters = {**parameters, "page_token": text(page[-1], "id")}

    def _read_page(self, parameters: Mapping[str, str]) -> Sequence[Body]:
        """A page whose rows can all be read, so that an unreadable one is asked for again."""
        rows = as_objects(self._client.fetch("/account/activities", parameters))
        for row in rows:
            _ = read_activity(row, 0)
        return rows


def read_activity(body: Body, number: int) -> Activity:
    """A row of Alpaca's as a row of the books; one that was canceled moved nothing.

    Raises KeyError, TypeError or ValueError for a row without id, type or date, and for a fill without its terms.
    """
    kind, moment = text(body, "activity_type"), _moment(body)
    day = date.fromisoformat(text(body, "date")) if "date" in body else exchange_day(moment)
    counts = body.get("status") != CANCELED
    quantity, price = _optional_decimal(body, "qty") or ZERO, _optional_decimal(body, "price")
    amount = _optional_decimal(body, "net_amount") or ZERO
    if kind == FILL_TYPE:
        quantity, price = _decimal(body, "qty"), _decimal(body, "price")
        quantity = -quantity if text(body, "side").startswith("sell") else quantity
        amount = fill_amount(quantity, price)
    return Activity(
        activity_id=text(body, "id"),
        type=kind,
        sub_type=optional_text(body, "activity_sub_type") or "",
        moment=moment,
        day=day,
        ticker=optional_text(body, "symbol"),
        quantity=quantity if counts else ZERO,
        price=price,
        net_amount=amount if counts else ZERO,
        order_id=optional_text(body, "order_id") or "",
        description=optional_text(body, "description") or "",
        number=number,
    )


def _moment(body: Body) -> datetime:
    """When it happened, to the millisecond; else the time that its id begins with, else the midnight of its day."""
    for name in ("transaction_time", "created_at"):
        if body.get(name):
            moment = read_moment(body, name)
            return cut_to_milliseconds(moment)
    digits = text(body, "id").partition("::")[0]
    if MOMENT_DIGITS.fullmatch(digits):
        local = datetime.strptime(digits[:-3], "%Y%m%d%H%M%S").replace(tzinfo=ZoneInfo(NEW_YORK))
        return local.astimezone(UTC) + timedelta(milliseconds=int(digits[-3:]))
    day = date.fromisoformat(text(body, "date"))
    return datetime.combine(day, time(), ZoneInfo(NEW_YORK)).astimezone(UTC)


def _decimal(body: Body, name: str) -> Decimal:
    """A number, exactly as the broker writes it."""
    value = body[name]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise TypeError(f"{name}: a number expected, not {type(value).__name__}")
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(f"{name}: {value} is no number") from error
    if not number.is_finite():
        raise ValueError(f"{name}: {value} is no number")
    return number


def _optional_decimal(body: Body, name: str) -> Decimal | None:
    """A number, None where the field is null, absent or empty."""
    return None if body.get(name) in {None, ""} else _decimal(body, name)
