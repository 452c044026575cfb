"""The questions about decisions and forecasts; each docstring is the description that a language model reads."""

import datetime as dt
from typing import Annotated
from urllib.parse import quote

import polars as pl
from pydantic import Field

from fund.answers import Position
from fund.mcp_server.answers import (
    Decision,
    DecisionDetails,
    Decisions,
    Forecast,
    ForecastStep,
    ForecastWeights,
    Order,
    Target,
    TickerExplanation,
)
from fund.mcp_server.running_fund import RunningFund
from internal.errors import NotFoundError
from internal.http.client import read_frame

Ticker = Annotated[str, Field(description="As the fund writes it, e.g. AAPL", max_length=32)]
Session = Annotated[dt.date | None, Field(description="A session; default: the newest one")]


def list_decisions(since: Annotated[dt.date | None, Field(description="The first session")] = None) -> Decisions:
    """The sessions that the strategy decided, oldest first, and how far the orders of each are."""
    return Decisions(decisions=_read_decisions(RunningFund.find(), since))


def get_decision(session: Session = None) -> DecisionDetails:
    """One decision: every ticker that it holds, opens or closes with the reason, and its orders."""
    fund = RunningFund.find()
    decision = _find_decision(fund, session)
    return DecisionDetails(
        decision=decision, targets=_read_targets(fund, decision), orders=_read_orders(fund, decision)
    )


def explain_ticker(ticker: Ticker, session: Session = None) -> TickerExplanation:
    """Why a ticker is held, opened, closed or left out by a decision, with its position, orders and forecast."""
    fund = RunningFund.find()
    decision = _find_decision(fund, session)
    target = next((one for one in _read_targets(fund, decision) if one.ticker == ticker), None)
    held = [Position.model_validate(one) for one in fund.trader.get("/portfolios/current")["positions"]]
    forecast = _find_forecast(fund, ticker, decision.date)
    return TickerExplanation(
        ticker=ticker,
        why=_say_why(target, forecast),
        decision=decision,
        target=target,
        orders=[order for order in _read_orders(fund, decision) if order.ticker == ticker],
        position=next((one for one in held if one.ticker == ticker), None),
        forecast=forecast,
    )


def get_forecast(ticker: Ticker, session: Session = None) -> Forecast:
    """The forecast of a ticker: quantiles of its return over the next one to seven sessions."""
    forecast = _find_forecast(RunningFund.find(), ticker, session)
    if forecast is None:
        raise NotFoundError(f"there is no forecast of {ticker} at the close of {session or 'the newest session'}")
    return forecast


def explain_forecast(ticker: Ticker, session: Session = None) -> ForecastWeights:
    """Which inputs the network looked at for a ticker's forecast; forecasts of a baseline have no such weights."""
    given = {"date": session.isoformat()} if session else {}
    return ForecastWeights.model_validate(
        RunningFund.find().trader.get(f"/predictions/{quote(ticker, safe='')}/explanation", **given)
    )


def _read_decisions(fund: RunningFund, since: dt.date | None) -> list[Decision]:
    rows = fund.trader.get_list("/portfolios/decisions", since=(since or dt.date.min).isoformat())
    return [Decision.model_validate(row) for row in rows]


def _find_decision(fund: RunningFund, session: dt.date | None) -> Decision:
    found = [one for one in _read_decisions(fund, session) if session in {None, one.date}]
    if not found:
        raise NotFoundError(f"nothing was decided at the close of {session}" if session else "nothing was decided yet")
    return found[0] if session else found[-1]


def _read_targets(fund: RunningFund, decision: Decision) -> list[Target]:
    frame = fund.clients.data.portfolios(decision.date, decision.date)
    return [Target.model_validate(row) for row in frame.filter(portfolio_id=decision.portfolio_id).to_dicts()]


def _read_orders(fund: RunningFund, decision: Decision) -> list[Order]:
    return Order.list_of(read_frame(fund.trader.read("/orders", portfolio_id=decision.portfolio_id)))


def _find_forecast(fund: RunningFund, ticker: str, session: dt.date | None) -> Forecast | None:
    given = {"date": session.isoformat()} if session else {}
    try:
        rows = read_frame(fund.trader.read("/predictions", **given)).filter(ticker=ticker).sort("horizon")
    except NotFoundError:
        return None
    return None if rows.is_empty() else _as_forecast(rows)


def _as_forecast(rows: pl.DataFrame) -> Forecast:
    steps = [ForecastStep.model_validate(row) for row in rows.to_dicts()]
    return Forecast.model_validate({**rows.row(0, named=True), "steps": steps})


def _say_why(target: Target | None, forecast: Forecast | None) -> str:
    if target is not None:
        return f"{target.action} {target.side}: {target.reason}"
    if forecast is None:
        return "left out: it was not forecast, so that the strategy could not choose it by its forecast"
    return "left out: it was forecast, and the strategy did not choose it"
