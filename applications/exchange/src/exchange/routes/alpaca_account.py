"""`/v2/account`: balances, switches, history.

Parses, reads the ledger, answers. Knows no rule.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool

from exchange.activities import FILL, wire_moment
from exchange.adapters.database import to_moment
from exchange.adapters.sqlite_repository import Activity, Ledger
from exchange.bodies import account_body
from exchange.requests import parse, parse_json
from exchange.routes.alpaca import AlpacaRoute, require_key_pair
from exchange.routes.wiring import TheExchange
from exchange.services import Exchange
from exchange.session_processing import sales_of
from internal.venue import rejections
from internal.venue.account_settings import AccountSettings
from internal.venue.charges import regulatory_fees
from internal.venue.clock import NEW_YORK, Phase
from internal.venue.money import ZERO

REMOVED_SWITCHES = ("dtbp_check", "pdt_check")  # gone since 2026-07-06; older clients still send them

router = APIRouter(
    prefix="/v2/account", route_class=AlpacaRoute, dependencies=[Depends(require_key_pair)], tags=["alpaca account"]
)


@router.get("")
def get_account(exchange: TheExchange) -> dict[str, Any]:
    """Balances at the last marks."""
    reading = exchange.clock.reading()
    with exchange.database.reading() as connection:
        ledger = Ledger(connection)
        facts = {
            "account_id": ledger.required_fact("account_id"),
            "created_at": wire_moment(to_moment(ledger.required_fact("created_at"))),
            "as_of": exchange.clock.last_closed_session().isoformat(),
        }
        today = ledger.activities(session=reading.session) if reading.phase is Phase.OPEN else []
        fees = sum(regulatory_fees(sales_of([row.body for row in today if row.activity_type == FILL])), ZERO)
        return account_body(facts, ledger.book(), ledger.open_orders(), ledger.configurations(), fees)


@router.get("/configurations")
def get_configurations(exchange: TheExchange) -> dict[str, Any]:
    """The account's switches."""
    with exchange.database.reading() as connection:
        return Ledger(connection).configurations().model_dump()


@router.patch("/configurations")
async def change_configurations(request: Request, exchange: TheExchange) -> dict[str, Any]:
    """Changes the switches that the body names."""
    changes = parse_json(await request.body())
    if not isinstance(changes, dict):
        raise rejections.malformed_body()
    named = {name: value for name, value in changes.items() if name not in REMOVED_SWITCHES}
    return (await run_in_threadpool(_change, exchange, named)).model_dump()


def _change(exchange: Exchange, named: dict[str, Any]) -> AccountSettings:
    with exchange.database.transaction() as connection:
        ledger = Ledger(connection)
        changed = parse(AccountSettings, ledger.configurations().model_dump() | named)
        ledger.set_configurations(changed)
        return changed


class ActivityFilter:
    """The filters that both activity endpoints take; the newest 100 rows by default."""

    def __init__(  # noqa: PLR0913, PLR0917 - the filters of the real endpoint
        self,
        date: date | None = None,
        after: datetime | date | None = None,
        until: datetime | date | None = None,
        direction: Literal["asc", "desc"] = "desc",
        page_size: Annotated[int, Query(ge=1, le=100)] = 100,
        page_token: str | None = None,
    ) -> None:
        self._date = date
        self._after = after
        self._until = until
        self._direction = direction
        self._page_size = page_size
        self._page_token = page_token

    def page(self, rows: list[Activity]) -> list[dict[str, str | None]]:
        """The asked-for page: rows that follow the one named by `page_token`."""
        chosen = [row for row in rows if self._matches(row)]
        ordered = chosen if self._direction == "asc" else chosen[::-1]
        if self._page_token is not None:
            ids = [row.id for row in ordered]
            if self._page_token not in ids:
                raise rejections.invalid("page_token is invalid")
            ordered = ordered[ids.index(self._page_token) + 1 :]
        return [row.body for row in ordered[: self._page_size]]

    def _matches(self, row: Activity) -> bool:
        return (
            self._date in {None, row.session}
            and (self._after is None or row.timestamp > _moment(self._after))
            and (self._until is None or row.timestamp < _moment(self._until))
        )


def _moment(value: datetime | date) -> datetime:
    """A moment; a bare date is its midnight in New York."""
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=NEW_YORK)
    return value if value.tzinfo is not None else value.replace(tzinfo=NEW_YORK)


@router.get("/activities")
def list_activities(
    exchange: TheExchange, page: Annotated[ActivityFilter, Depends()], activity_types: str | None = None
) -> list[dict[str, str | None]]:
    """The account's history, of all types or of the named ones."""
    return page.page(_rows(exchange, activity_types))


@router.get("/activities/{activity_type}")
def list_activities_of_type(
    exchange: TheExchange, activity_type: str, page: Annotated[ActivityFilter, Depends()]
) -> list[dict[str, str | None]]:
    """The account's history of one type."""
    return page.page(_rows(exchange, activity_type))


def _rows(exchange: Exchange, types: str | None) -> list[Activity]:
    wanted = None if types is None else {name.strip() for name in types.split(",")}
    with exchange.database.reading() as connection:
        rows = Ledger(connection).activities()
    return [row for row in rows if wanted is None or row.activity_type in wanted]
