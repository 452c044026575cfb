"""The check of `fund doctor` that the vendor takes the key, and that its plan is what fund.toml says of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

import httpx

from fund.doctor_fund import describe_plan
from fund.findings import Finding
from fund.settings.sections import MarketData

SECONDS: Final = 15.0
RECENT: Final = timedelta(days=10)  # of bars that are asked for
REFUSED: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
ASKED: Final = "SPY"
UNKNOWN_TICKER: Final = "invalid symbol"  # a simulated exchange has others; it has taken the key


@dataclass(frozen=True)
class _Question:
    """One request of a vendor, which it answers whatever it has of the ticker."""

    url: str
    headers: Mapping[str, str]
    limit: str
    parameters: Mapping[str, str | int] = field(default_factory=dict[str, str | int])


def check_vendor(settings: MarketData, accounts: Mapping[str, str], now: datetime) -> Finding:
    """Ask the vendor one question as datamanager will: the newest bars that the plan is said to allow.

    Args:
        settings: The section of fund.toml.
        accounts: The settings of the accounts, by name.
        now: By the market's clock, UTC.
    """
    plan, question = describe_plan(settings).seen, _find_question(settings, accounts, now)
    if question is None:
        return Finding("vendor", plan)
    try:
        answer = httpx.get(
            question.url, params=question.parameters, headers=question.headers, timeout=SECONDS, trust_env=False
        )
    except httpx.HTTPError as error:
        remedy = f"Check the network and the address {question.url}."
        return Finding("vendor", f"{plan}; no answer ({type(error).__name__})", remedy)
    if answer.is_success or UNKNOWN_TICKER in answer.text:
        return Finding("vendor", f"{plan}; it answers")
    return Finding("vendor", f"{plan}; it answers {answer.status_code}: {answer.text[:200]}", _advise(answer, question))


def _find_question(settings: MarketData, accounts: Mapping[str, str], now: datetime) -> _Question | None:
    """None where nobody is asked, or a key is missing, which another finding says."""
    if settings.market_data_vendor == "polygon" and (key := accounts.get("POLYGON_API_KEY")):
        url = f"{settings.polygon_base_url.rstrip('/')}/v1/marketstatus/now"
        return _Question(url, {"Authorization": f"Bearer {key}"}, "polygon_requests_per_minute")
    identity, secret = accounts.get("ALPACA_API_KEY_ID"), accounts.get("ALPACA_API_SECRET")
    if settings.market_data_vendor != "alpaca" or identity is None or secret is None:
        return None
    end = now - timedelta(minutes=settings.alpaca_data_delay_minutes)
    days = {"start": (end - RECENT).isoformat(), "end": end.isoformat()}
    return _Question(
        f"{settings.alpaca_data_url.rstrip('/')}/v2/stocks/bars",
        {"APCA-API-KEY-ID": identity, "APCA-API-SECRET-KEY": secret},
        "alpaca_data_requests_per_minute",
        {"symbols": ASKED, "timeframe": "1Day", "feed": "sip", "limit": 1, **days},
    )


def _advise(answer: httpx.Response, question: _Question) -> str:
    """What to do about an answer that is none."""
    if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return f"Set {question.limit} in fund.toml to what your plan allows."
    if answer.status_code == HTTPStatus.FORBIDDEN and "recent SIP data" in answer.text:
        return "Set alpaca_data_delay_minutes in fund.toml to 15, or take a plan with recent data."
    if answer.status_code in REFUSED:
        return "Copy the key again from the vendor's page, and run `./fund init`; or take a plan that has these data."
    return "Look at the vendor's status page, then run the same command again."
