"""Splits and dividends of the simulated market as frames: session numbers become dates here."""

from datetime import date

import polars as pl

from internal.dates import next_session
from internal.schemas import corporate_actions
from internal.venue.market.path import DividendEvent, SplitEvent
from internal.venue.market.simulation import DECLARATION_LEAD

NEXT_DAY_SETTLEMENT = date(2024, 5, 28)  # from here on the record date is the ex-date (SEC rule 15c6-1, T+1)


def splits_frame(events: list[SplitEvent], tickers: pl.Series, sessions: list[date]) -> pl.DataFrame:
    """The contract's columns: ticker, execution_date, split_from, split_to; ordered by date and ticker."""
    rows = {
        "ticker": tickers.gather([event.ticker for event in events]),
        "execution_date": [sessions[event.session] for event in events],
        "split_from": [float(event.split_from) for event in events],
        "split_to": [float(event.split_to) for event in events],
    }
    schema = corporate_actions.empty_splits().schema
    return pl.DataFrame(rows, schema=schema).sort("execution_date", "ticker")


def dividends_frame(events: list[DividendEvent], tickers: pl.Series, sessions: list[date]) -> pl.DataFrame:
    """The contract's columns; `cash_amount` in US dollars a share; ordered by date and ticker."""
    ex_dates = [sessions[event.session] for event in events]
    rows = {
        "ticker": tickers.gather([event.ticker for event in events]),
        "ex_dividend_date": ex_dates,
        "cash_amount": [event.cents / 100.0 for event in events],
        "declaration_date": [sessions[event.declared] for event in events],
        "record_date": [day if day >= NEXT_DAY_SETTLEMENT else next_session(day) for day in ex_dates],
        "pay_date": [next_session(day, DECLARATION_LEAD) for day in ex_dates],
    }
    schema = corporate_actions.empty_dividends().schema
    return pl.DataFrame(rows, schema=schema).sort("ex_dividend_date", "ticker")
