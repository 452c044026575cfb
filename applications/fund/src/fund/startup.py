"""The steps of `fund up`: from an empty folder to a fund that has traded the sessions asked for."""

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from fund.clients import unfinished_events
from fund.services import Service
from fund.steps import FundRun, Plan, Run, Step
from fund.trading_answers import TradingStateAnswer
from internal.bar_files.details import read_details
from internal.dates import sessions
from internal.errors import UnavailableError
from internal.trading.trading_state import TradingState

HISTORY = timedelta(days=2 * 365)
CYCLE_SECONDS = 300.0
POLL_SECONDS = 0.1  # polling all three services takes some 10 ms of processor time from their own work


def open_exchange(run: FundRun) -> None:
    """Start the exchange and save the market that it plays, with the session at whose close a new fund opened.

    That a market is simulated is recorded in the lake too, where a backtest on the lake looks for it.
    """
    run.platform.start_service(Service.EXCHANGE)
    state = run.clients.exchange_state()
    session, switched = run.market.session or state.last_closed.isoformat(), run.market.regime_date or ""
    run.market = replace(run.market, session=session, regime_date=switched)
    run.folder.save_market(run.market)
    run.display.show_market(state)
    if run.market.bars is None:
        from internal.lake.simulated_markets import record_simulated_market  # noqa: PLC0415 - Delta Lake takes a while
        from internal.lake.store import Lake  # noqa: PLC0415 - as above

        record_simulated_market(Lake(str(run.folder.lake)), run.market.describe(), datetime.now(UTC))


def collect_bars(run: FundRun) -> None:
    """Backfill two years, or all that the market has, up to the last closed session; what the lake holds stays.

    The file of details comes first: a collection says where no sector is known, and keeps what a file says.
    """
    run.platform.start_service(Service.DATAMANAGER)
    if run.market.details is not None:
        run.clients.data.save_details(read_details(Path(run.market.details)).details)
    state = run.clients.exchange_state()
    collect_range(run, max(run.market.opening_session - HISTORY, state.first_session), state.last_closed)


def collect_range(run: Run, start: date, end: date) -> None:
    """Have datamanager collect what it lacks of a range of days, with progress and the time left."""
    run.platform.run_models("collect", "--start-date", str(start), "--end-date", str(end))


def train_model(run: FundRun) -> None:
    """Train on the two years before the opening."""
    train_on(run, run.market.opening_session)


def train_on(run: Run, last_day: date) -> None:
    """Assemble two years to a day, train and evaluate, unless the registry has a model of the size asked for."""
    trained = run.platform.find_trained_model(run.plan.model)
    if trained is not None:
        run.display.say(f"Model {trained} ({run.plan.model}) is in the registry: nothing to train.")
        return
    run.platform.run_models("assemble", "--start-date", str(last_day - HISTORY), "--end-date", str(last_day))
    run.platform.run_models("train", "--model", run.plan.model)


def rebalance(run: FundRun) -> None:
    """Make sure that the last closed session has its portfolio.

    Later sessions get theirs from the services' events; at the opening session there was no event, so it is requested.
    """
    run.platform.start_service(Service.PORTFOLIOMANAGER)
    finish_events(run, "Events of an earlier run")
    state = run.clients.exchange_state()
    if state.phase != "closed":
        run.display.say(f"Session {state.session} is still trading: its portfolio is built after the close.")
        return
    day = state.last_closed
    if run.clients.has_portfolio(day):
        run.display.say(f"The portfolio of {day} is already built: nothing to send.")
        return
    if run.plan.uses_forecasts:
        run.display.show_forecast(run.clients.forecast(day))
    if not is_halted(run, day):
        run.display.show_rebalance(run.clients.rebalance(day))
    finish_events(run, f"Events of {day}")


def trade_sessions(run: FundRun) -> None:
    """Move the exchange's clock until as many sessions have closed as the plan asks for."""
    done, asked = count_traded_sessions(run), run.plan.session_count
    if 0 < asked <= done:
        run.display.say(f"{done} sessions are traded already: `--sessions {done + asked}` trades {asked} more.")
    trade_until(run, asked)


def trade_until(run: FundRun, count: int) -> None:
    """Move the exchange's clock until so many sessions have closed since the opening, or the market has ended."""
    with run.display.progress("sessions", run.plan.session_count) as advance:
        while (done := count_traded_sessions(run)) < count and (state := run.clients.exchange_state()).sessions_left:
            advance(done, f"after {state.last_closed}")
            if state.phase != "open":
                run.clients.move_clock("next_open")
                finish_events(run, "Fills at the open")
            run.clients.move_clock("next_close")
            finish_events(run, "Bars, forecasts and portfolio after the close")
            require_decision(run)
        advance(done, f"after {run.clients.exchange_state().last_closed}")
    if done < count:
        run.display.say(
            f"The market ends here, after {done} of {count} sessions; a longer file continues it: --bars FILE"
        )


def require_decision(run: FundRun) -> None:
    """Stop where the last session has no portfolio: asked for it, portfoliomanager says why.

    Raises:
        StrategyError: The strategy failed; the message holds the traceback of its code.
        FundError: Another reason, such as trading that is suspended at the broker.
    """
    day = run.clients.exchange_state().last_closed
    if not run.clients.has_portfolio(day) and not is_halted(run, day):
        run.clients.rebalance(day)


def is_halted(run: FundRun, day: date) -> bool:
    """Whether the owner has halted trading; then it is said that the session is not decided, and the fund stays up."""
    state = TradingStateAnswer.read(run.clients.portfoliomanager)
    if state.state is TradingState.HALTED:
        run.display.say(f"No portfolio of {day}: {' '.join(state.describe())}. `./fund resume` decides again.")
    return state.state is TradingState.HALTED


def count_traded_sessions(run: FundRun) -> int:
    """Sessions that have closed since the fund opened."""
    return len(sessions(run.market.opening_session, run.clients.exchange_state().last_closed)) - 1


def show_portfolio(run: FundRun) -> None:
    """Show positions, orders, net asset value, exposures and cost."""
    portfolio = run.clients.current_portfolio()
    if portfolio is None:
        run.display.say("No portfolio yet.")
        return
    orders = run.clients.orders()
    run.display.show_portfolio(portfolio, orders, run.clients.performance())


def finish_events(run: FundRun, what: str) -> None:
    """Wait until no service has an event left.

    Raises:
        UnavailableError: A service ended, or an event was not handled within 5 minutes; the message holds the
            service's own error.
    """
    deadline = time.monotonic() + CYCLE_SECONDS
    while left := unfinished_events(run.clients):
        run.platform.check_services()
        if time.monotonic() > deadline:
            waiting = "\n".join(
                f"  {event.service}: {event.type}, {event.attempts} attempts, {event.last_error}" for event in left
            )
            raise UnavailableError(f"{what}: not done after {CYCLE_SECONDS:.0f} seconds.\n{waiting}")
        time.sleep(POLL_SECONDS)


def start_scheduler(run: Run) -> None:
    """Start the scheduler, and say where it shows its runs."""
    run.platform.start_service(Service.SCHEDULER)
    run.display.say(f"Each run and its outcome: {run.clients.of(Service.SCHEDULER).url}/schedule")


def prepare_steps(plan: Plan) -> list[Step[FundRun]]:
    """The steps to the first portfolio; a strategy without forecasts needs no model."""
    first = [Step("Start the exchange", open_exchange), Step("Collect two years of bars into the lake", collect_bars)]
    if plan.uses_forecasts:
        decide = [
            Step("Assemble a dataset; train, evaluate and register a model", train_model),
            Step("Forecast, build the portfolio and send its orders", rebalance),
        ]
    else:
        decide = [Step("Build the portfolio and send its orders", rebalance)]
    return [*first, *decide]


def up_steps(plan: Plan) -> list[Step[FundRun]]:
    """The steps of `fund up`."""
    last = [Step("Trade session by session", trade_sessions), Step("Show the portfolio", show_portfolio)]
    return [*prepare_steps(plan), *last]
