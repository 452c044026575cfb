"""Gathers the frame of a page: trading state, market's clock and lease."""

import asyncio

from fastapi import Request

from internal.errors import FundError
from portfoliomanager.pages.frame import Frame, Page
from portfoliomanager.pages.sources import BROKER, JOURNAL, ask
from portfoliomanager.pages.visitor import Visitor
from portfoliomanager.services import Services, get_services


async def gather_frame(request: Request, page: Page | None) -> Frame:
    """The frame; what cannot be found out is left open in it."""
    services = get_services(request)
    state, clock, standby = await asyncio.gather(
        ask(JOURNAL, services.journal.trading_state),
        ask(BROKER, services.clock.read),
        ask("The lease", lambda: _describe_standby(services)),
    )
    moment = clock.value.moment if clock.value else None
    visitor = Visitor.of(request)
    return Frame(page, services.clock.mode, state.value, moment, visitor, standby.value or standby.problem)


def _describe_standby(services: Services) -> str:
    """Who trades instead of this process; empty while this process may trade."""
    try:
        services.lease.require()
    except FundError as error:
        return error.detail
    return ""
