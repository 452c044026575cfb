"""The question about backtests, answered from the files of the research folder; no service is asked."""

from typing import Annotated

from pydantic import Field

from fund.mcp_server.research_answers import Backtest, Backtests
from fund.mcp_server.running_fund import RunningFund
from internal.backtests.folder import ResearchFolder
from internal.errors import ConfigurationError

MOST_BACKTESTS = 50


def list_backtests(
    count: Annotated[int, Field(description="How many of the newest", ge=1, le=MOST_BACKTESTS)] = 5,
) -> Backtests:
    """The newest backtests: what was run, the verdict after counting all trials, and figures with their intervals."""
    research = ResearchFolder(RunningFund.find().folder.root / "research")
    found, damaged = list[Backtest](), list[str]()
    for name in research.list_reports()[:count]:
        try:
            found.append(Backtest.of(research.report(name)))
        except ConfigurationError as error:
            damaged.append(error.detail)
    return Backtests(trials=len(research.trials()), backtests=found, damaged=damaged)
