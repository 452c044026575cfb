"""The Fund page over HTTP: asks broker, journal and data service side by side, each within a time limit."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from internal.dates import exchange_day
from internal.pages.responses import page_response
from internal.trading.loss_limits import Losses
from internal.trading.performance import PerformanceReport, report_performance
from portfoliomanager.equal_weight import EqualWeightPath
from portfoliomanager.pages.exposures import Exposures, read_sectors
from portfoliomanager.pages.frame import Page
from portfoliomanager.pages.fund import Cost, FundView, Holdings, JournalFacts, Today, find_exposures
from portfoliomanager.pages.limit_use import LimitUse, measure_decision, measure_holdings, measure_loss_limits
from portfoliomanager.pages.rendering import render_page, render_part
from portfoliomanager.pages.sources import BROKER, DATAMANAGER, JOURNAL, Found, ask
from portfoliomanager.pages.today import DataFreshness, LastRun, OrderCounts, read_freshness, read_market_day
from portfoliomanager.pages.value_history import ValueHistory, find_span
from portfoliomanager.routes.page_frame import gather_frame
from portfoliomanager.services import RequestServices, Services

BENCHMARK_SECONDS = 30.0  # closes of 8,000 tickers over years take a while

router = APIRouter(tags=["pages"])
WithBenchmark = Annotated[
    bool, Query(alias="benchmark", description="With the benchmark, for which the page asks itself once it is shown")
]


@router.get("/", summary="Page: the fund", response_class=HTMLResponse)
async def get_fund_page(
    request: Request,
    services: RequestServices,
    with_benchmark: WithBenchmark = False,  # noqa: FBT002 - a query parameter
) -> HTMLResponse:
    """Value beside the benchmark, state, limits, cost, exposure, returns by month and drawdowns; it only reads."""
    record = await ask(JOURNAL, lambda: _read_record(services))
    today, (history, benchmark), sectors = await asyncio.gather(
        _gather_today(request, services),
        _gather_history(services, record, waits=with_benchmark),
        ask(DATAMANAGER, lambda: _read_sectors(services)),
    )
    if benchmark.value is None and sectors.problem:  # nor would it answer the page that asks later
        benchmark = replace(benchmark, problem=sectors.problem)
    exposures = find_exposures(today.holdings, sectors)
    limits = _measure_limits(services, today, record, exposures.value)
    cost = Found(JOURNAL, record.value.cost if record.value else None, record.problem)
    view = FundView(today, history, benchmark, tuple(limits), exposures, cost)
    return page_response(request, render_page("fund.html", today.frame, view))


@router.get("/fragments/today", summary="Page: the strip of the fund, for htmx", response_class=HTMLResponse)
async def get_today(request: Request, services: RequestServices) -> HTMLResponse:
    """The strip alone, which the page fetches again while it is looked at."""
    return page_response(request, render_part("today.html", await _gather_today(request, services)))


@dataclass(frozen=True)
class _Record:
    report: PerformanceReport
    cost: Cost
    losses: Losses
    since: date | None


async def _gather_today(request: Request, services: Services) -> Today:
    frame, holdings, journal, data, arming = await asyncio.gather(
        gather_frame(request, Page.FUND),
        ask(BROKER, lambda: Holdings(services.broker.account(), services.broker.positions())),
        ask(JOURNAL, lambda: _read_journal(services)),
        ask(DATAMANAGER, services.data.sessions),
        ask(BROKER, services.arming.describe),
    )
    day = read_market_day(frame.moment) if frame.moment else None
    fresh: Found[DataFreshness] = Found(DATAMANAGER, None, data.problem or "the time of the market is not known")
    if data.value is not None and day is not None:
        fresh = Found(DATAMANAGER, read_freshness(data.value, day.last))
    return Today(frame, day, holdings, journal, fresh, arming.value)


def _read_journal(services: Services) -> JournalFacts:
    journal = services.journal
    journal.refresh()
    run = journal.last_run()
    last = LastRun(run, tuple(journal.of(run.portfolio_id))) if run else None
    return JournalFacts(last, OrderCounts(journal.order_counts()))


def _read_record(services: Services) -> _Record:
    report = report_performance(services.journal.snapshots(), services.books.flows())
    opening = report.points[0].net_asset_value if report.points else 0.0
    cost = Cost.of(report.realized_cost, services.journal.orders(), opening)
    start = services.losses.find_start()
    return _Record(report, cost, services.losses.measure(), exchange_day(start) if start else None)


async def _gather_history(
    services: Services, record: Found[_Record], *, waits: bool
) -> tuple[Found[ValueHistory], Found[EqualWeightPath]]:
    """The history and its benchmark, which is computed where the page `waits` for it, else shown if remembered."""
    if record.value is None:
        return Found(JOURNAL, None, record.problem), Found(DATAMANAGER, EqualWeightPath())
    report, span = record.value.report, find_span(record.value.report)
    benchmark = Found(DATAMANAGER, EqualWeightPath() if span is None else services.equal_weight.known(*span))
    if benchmark.value is None and span is not None and waits:
        benchmark = await ask(DATAMANAGER, lambda: services.equal_weight.path(*span), BENCHMARK_SECONDS)
    history = await ask(JOURNAL, lambda: ValueHistory.of(report, benchmark.value))
    return history, benchmark


def _read_sectors(services: Services) -> Mapping[str, str]:
    return read_sectors(services.details.read())


def _measure_limits(
    services: Services, today: Today, record: Found[_Record], exposures: Exposures | None
) -> list[LimitUse]:
    limits, found = services.arming.limits, list[LimitUse]()
    if (holdings := today.holdings.value) is not None:
        found += measure_holdings(holdings.account, holdings.positions, exposures, limits)
        last = today.journal.value.last_run if today.journal.value else None
        found += measure_decision(last.orders, holdings.account.net_asset_value, limits) if last else []
    if record.value is not None:
        found += measure_loss_limits(record.value.losses, limits, record.value.since)
    return found
