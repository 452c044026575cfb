"""What pages ask about the fund's own positions: the decision behind them, and what of the account is foreign."""

from collections.abc import Sequence
from dataclasses import dataclass

from internal.dates import previous_session
from internal.trading.foreign_items import ForeignItem
from internal.trading.portfolio import Portfolio
from portfoliomanager.pages.book import Opening, read_openings
from portfoliomanager.pages.fund import Holdings
from portfoliomanager.pages.sources import BROKER, DATAMANAGER, Found, ask
from portfoliomanager.services import Services


@dataclass(frozen=True)
class Decided:
    """The last decision, and by ticker why its positions were opened."""

    portfolio: Portfolio | None
    openings: dict[str, Opening]


def read_decided(services: Services) -> Decided:
    """The last decision, and why its positions were opened."""
    run = services.journal.last_run()
    portfolio = services.portfolios.find(run.portfolio_id) if run else None
    if portfolio is None or not portfolio.rows:
        return Decided(portfolio, {})
    first = previous_session(min(row.opened_date for row in portfolio.rows))
    return Decided(portfolio, read_openings(services.data.portfolios(first, portfolio.day)))


async def find_foreign(services: Services, holdings: Found[Holdings]) -> Found[Sequence[ForeignItem]]:
    """What is not the fund's; a broker that has just not answered is not waited for again."""
    if holdings.problem:
        return Found(BROKER, None, holdings.problem)
    return await ask(f"{BROKER} or {DATAMANAGER.lower()}", services.operations.report_foreign)
