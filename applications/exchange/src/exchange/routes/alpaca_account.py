"""`/v2/account`: balances and configurations."""

from collections.abc import Mapping

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool

from exchange.bodies.alpaca_account import account_body, configurations_body
from exchange.responses import refusals
from exchange.responses.alpaca_account import AccountBody, AccountConfigurationsBody
from exchange.routes.alpaca import AlpacaRoute, require_key_pair
from exchange.routes.dependencies import TheExchange
from exchange.routes.order_requests import parse_fields, parse_object
from exchange.services import Exchange

REMOVED_SETTINGS = ("dtbp_check", "pdt_check")  # gone since 2026-07-06; older clients still send them

router = APIRouter(
    prefix="/v2/account",
    route_class=AlpacaRoute,
    responses=refusals.ALPACA,
    dependencies=[Depends(require_key_pair)],
    tags=["alpaca account"],
)


@router.get("")
def get_account(exchange: TheExchange) -> AccountBody:
    """Balances at the last marks."""
    state = exchange.core.state
    return account_body(state, exchange.clock.last_closed_session().isoformat())


@router.get("/configurations")
def get_configurations(exchange: TheExchange) -> AccountConfigurationsBody:
    """The account's settings."""
    return configurations_body(exchange.core.state.settings)


@router.patch("/configurations")
async def change_configurations(request: Request, exchange: TheExchange) -> AccountConfigurationsBody:
    """Changes the settings that the body names."""
    fields = parse_object(await request.body())
    named = {name: value for name, value in fields.items() if name not in REMOVED_SETTINGS}
    return await run_in_threadpool(_change_settings, exchange, named)


def _change_settings(exchange: Exchange, named: Mapping[str, object]) -> AccountConfigurationsBody:
    present = configurations_body(exchange.core.state.settings).model_dump()
    checked = parse_fields(AccountConfigurationsBody, {**present, **named}).model_dump()
    settings = exchange.core.change_settings({name: checked[name] for name in named})
    return configurations_body(settings)
