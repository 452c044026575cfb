"""The questions about decisions and forecasts; each docstring is the description that a language model reads."""

import datetime as dt
from collections import Counter
from typing import Annotated
from urllib.parse import quote

import polars as pl
from pydantic import Field

from fund.answers import Position
from fund.mcp_server.decision_answers import (
    DecidedName,
    DecidedNames,
    Decision,
    DecisionDetails,
    Decisions,
    Forecast,
    ForecastStep,
    ForecastWeights,
    TickerExplanation,
)
from fund.mcp_server.running_fund import RunningFund
from fund.service_client import Json
from internal.errors import NotFoundError
from internal.http.client import read_frame
from internal.trading.enums import NameOutcome

MOST_NAMES = 10_000
Ticker = Annotated[str, Field(description="As the fund writes it, e.g. AAPL", max_length=32)]
Session = Annotated[dt.date | None, Field(description="A session; default: the newest one")]


def list_decisions(since: Annotated[dt.date | None, Field(description="The first session")] = None) -> Decisions:
    """The sessions that the strategy decided, oldest first, and how far the orders of each are."""
    return Decisions(decisions=_read_decisions(RunningFund.find(), since))


def get_decision(session: Session = None) -> DecisionDetails:
    """One decision: strategy and model, how many names each condition left, positions with reasons, and orders."""
    body = _read_decision(RunningFund.find(), session)
    names = [DecidedName.model_validate(one) for one in body["names"]]
    positions = [one for one in names if one.side or one.shares_before]
    outcomes = Counter(one.outcome for one in names)
    return DecisionDetails.model_validate({**body, "positions": positions, "outcomes": outcomes})


def list_decided_names(
    session: Session = None,
    outcome: Annotated[NameOutcome | None, Field(description="What became of them; default: any")] = None,
    count: Annotated[int, Field(description="How many at most", ge=1, le=MOST_NAMES)] = 100,
) -> DecidedNames:
    """Names of a decision with the reason why each was opened, kept, closed or left out."""
    body = _read_decision(RunningFund.find(), session)
    names = [DecidedName.model_validate(one) for one in body["names"] if outcome in {None, one["outcome"]}]
    return DecidedNames(date=body["date"], names=names[:count])


def explain_ticker(ticker: Ticker, session: Session = None) -> TickerExplanation:
    """Why a ticker is held, opened, closed or left out by a decision, with its position, orders and forecast."""
    fund = RunningFund.find()
    body = _read_decision(fund, session, ticker=ticker)
    decision = Decision.model_validate(body)
    names = [DecidedName.model_validate(one) for one in body["names"]]
    held = [Position.model_validate(one) for one in fund.trader.get("/portfolios/current")["positions"]]
    return TickerExplanation(
        ticker=ticker,
        why=f"{names[0].outcome.replace('_', ' ')}: {names[0].reason}" if names else _say_unseen(body),
        decision=decision,
        name=names[0] if names else None,
        orders=body["orders"],
        position=next((one for one in held if one.ticker == ticker), None),
        forecast=_find_forecast(fund, ticker, decision.date),
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


def _read_decision(fund: RunningFund, session: dt.date | None, **asked: str) -> Json:
    """A decision, as portfoliomanager answers it: whole, or of one ticker."""
    if session is None:
        decisions = _read_decisions(fund, None)
        if not decisions:
            raise NotFoundError("nothing was decided yet; the first decision comes with the next close")
        session = decisions[-1].date
    return fund.trader.get(f"/decisions/{session}", **asked)


def _find_forecast(fund: RunningFund, ticker: str, session: dt.date | None) -> Forecast | None:
    given = {"date": session.isoformat()} if session else {}
    try:
        rows = read_frame(fund.trader.read("/predictions", ticker=ticker, **given)).sort("horizon")
    except NotFoundError:
        return None
    return None if rows.is_empty() else _as_forecast(rows)


def _as_forecast(rows: pl.DataFrame) -> Forecast:
    steps = [ForecastStep.model_validate(row) for row in rows.to_dicts()]
    return Forecast.model_validate({**rows.row(0, named=True), "steps": steps})


def _say_unseen(body: Json) -> str:
    if body["funnel"] is None:
        return "not known: the decision was taken before reasons were stored with it"
    return "the decision did not see it: there is no security of that ticker on that day"
