"""The steps of `fund backtest`: those of `fund up`, with refits between the sessions and a report at the end.

Every decision is made by the services that also trade live; nothing here forecasts, sizes or fills.
"""

from dataclasses import asdict
from datetime import date
from functools import partial

from fund.backtest import Backtest
from fund.backtest_page import write_report
from fund.backtest_report import Inputs
from fund.refits import read_refits, record_refit
from fund.startup import (
    HISTORY,
    collect_bars,
    count_traded_sessions,
    open_exchange,
    rebalance,
    show_portfolio,
    trade_until,
)
from fund.steps import FundRun, Step
from internal.errors import ConfigurationError


def backtest_steps(backtest: Backtest) -> list[Step[FundRun]]:
    """The steps of one backtest."""
    return [
        Step("Start the exchange", partial(open_exchange_for, backtest)),
        Step("Collect two years of bars into the lake", collect_bars),
        Step("Fit the first model on bars up to the opening", partial(fit_first_model, backtest)),
        Step("Forecast, build the portfolio and send its orders", rebalance),
        Step("Trade session by session, with refits", partial(trade_with_refits, backtest)),
        Step("Show the portfolio", show_portfolio),
        Step("Write the report", partial(report, backtest)),
    ]


def open_exchange_for(backtest: Backtest, run: FundRun) -> None:
    """Start the exchange and check that its market holds the period.

    Raises:
        ConfigurationError: The market opens at another session, or ends before the last one.
    """
    open_exchange(run)
    opened, left = run.market.opening_session, run.clients.exchange_state().sessions_left
    if opened != backtest.opening_session:
        raise ConfigurationError(f"the market opens at {opened}, not at {backtest.opening_session}: no bars there")
    if left < backtest.session_count - count_traded_sessions(run):
        raise ConfigurationError(f"the market ends before {backtest.last_session}: {left} sessions are left of it")


def fit_first_model(backtest: Backtest, run: FundRun) -> None:
    """Fit the model on bars up to the opening."""
    refit(backtest, run, backtest.opening_session)


def refit(backtest: Backtest, run: FundRun, day: date) -> None:
    """Fit a model on the bars up to a session's close, unless that was done; the registry's rule promotes it or not.

    A strategy that reads no forecasts needs none.
    """
    if not run.plan.uses_forecasts or any(row.session == day.isoformat() for row in read_refits(run.folder)):
        return
    start = backtest.opening_session - HISTORY
    run.platform.run_models("assemble", "--start-date", str(start), "--end-date", str(day))
    run.platform.run_models("train", "--model", backtest.model)
    record_refit(run.folder, day)


def trade_with_refits(backtest: Backtest, run: FundRun) -> None:
    """Trade from refit to refit, to the last session."""
    every = backtest.refit_every
    while (done := count_traded_sessions(run)) < backtest.session_count:
        if done % every == 0:
            refit(backtest, run, run.clients.exchange_state().last_closed)
        trade_until(run, min(backtest.session_count, (done // every + 1) * every))


def report(backtest: Backtest, run: FundRun) -> None:
    """Write the report's page, picture and JSON."""
    page = write_report(run.folder.root, collect_inputs(backtest, run))
    run.display.say(f"The backtest's report: {page}; backtest_report.json and .svg are in the same folder.")


def collect_inputs(backtest: Backtest, run: FundRun) -> Inputs:
    """Read what the report is computed from."""
    first, last = backtest.opening_session, backtest.last_session
    bars, _ = run.clients.data.bars(first, last, adjusted_as_of=last, columns=("ticker", "date", "close"))
    return Inputs(
        settings=asdict(backtest) | {"market": run.market.describe()},
        first=first,
        last=last,
        performance=run.clients.performance(),
        orders=run.clients.orders(),
        bars=bars,
        refits=read_refits(run.folder),
    )
