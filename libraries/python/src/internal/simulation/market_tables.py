"""A market's bars, splits and dividends as arrays over all sessions: what decisions of every session read."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from internal.action_kinds import ActionKind
from internal.bar_arrays import make_bar_arrays
from internal.price_adjustment import find_dividend_factors, find_payments, find_split_factors
from internal.schemas import equity_bars
from internal.schemas.corporate_actions import DISTRIBUTIONS
from internal.trading.arrays import FloatArray
from internal.trading.corporate_actions import CorporateAction
from internal.trading.day_inputs import Details
from internal.trading.day_table import ActionFactors, BarTable
from internal.venue.corporate_actions import CorporateAction as VenueAction
from internal.venue.market.action_frame import actions_frame
from internal.venue.market.protocol import Market, MarketData

FIELDS = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, eq=False)
class MarketTables:
    """Bars of S consecutive sessions and N tickers, as traded; NaN where there is none.

    Attributes:
        days: S sessions, ascending.
        tickers: N tickers, sorted.
        open, high, low, close: [S, N] dollars.
        volume: [S, N] shares.
        split_factors: On prices of earlier sessions, and inversely on volumes.
        dividend_factors: On prices of earlier sessions.
        actions: Corporate actions by effective date and ticker, without cash dividends.
    """

    days: tuple[date, ...]
    tickers: tuple[str, ...]
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    split_factors: ActionFactors
    dividend_factors: ActionFactors
    actions: tuple[CorporateAction, ...]

    @property
    def bars(self) -> BarTable:
        """Closes and volumes with what adjusts them."""
        return BarTable(self.days, self.tickers, self.close, self.volume, self.split_factors, self.dividend_factors)

    def session(self, day: date) -> int | None:
        """The day's place among the sessions; None when it is none of them."""
        place = bisect_left(self.days, day)
        return place if place < len(self.days) and self.days[place] == day else None

    def column(self, ticker: str) -> int | None:
        """The ticker's place; None when there is no bar of it."""
        place = bisect_left(self.tickers, ticker)
        return place if place < len(self.tickers) and self.tickers[place] == ticker else None


def read_market_tables(market: MarketData, last: date) -> MarketTables:
    """The tables of a market's sessions up to `last`: the bars that the data service would let through."""
    days = [day for day in market.sessions() if day <= last]
    bars, _ = equity_bars.split_valid(market.bars_between(days[0], last))
    splits, payments = market.splits(days[0], last), read_payments(market, bars, days[0], last)
    return build_market_tables(bars, splits, payments, days, read_actions(market, days[0], last))


def read_payments(market: MarketData, bars: pl.DataFrame, first: date, last: date) -> pl.DataFrame:
    """Cash dividends, and what spin-offs and rights were worth by the bars."""
    actions = market.corporate_actions(first, last)
    if not any(action.kind in DISTRIBUTIONS for action in actions):
        return market.dividends(first, last)
    return find_payments(actions_frame(actions).lazy(), bars.lazy()).collect()


def read_actions(market: Market, first: date, last: date) -> list[CorporateAction]:
    """The market's corporate actions as the trading core reads them: without cash dividends."""
    found = market.corporate_actions(first, last)
    return [_read_action(action) for action in found if action.kind is not ActionKind.CASH_DIVIDEND]


def _read_action(action: VenueAction) -> CorporateAction:
    terms = {
        name: None if (value := getattr(action, name)) is None else float(value)
        for name in ("old_shares", "new_shares", "second_shares", "cash_amount")
    }
    return CorporateAction(
        kind=action.kind,
        ticker=action.ticker,
        effective_date=action.effective_date,
        new_ticker=action.new_ticker,
        second_ticker=action.second_ticker,
        **terms,
    )


def read_details(market: Market, tickers: Sequence[str]) -> Details:
    """What the companies are, by ticker's place, as the market lists them."""
    listings = [market.listing(ticker) for ticker in tickers]
    return Details(
        sector=tuple(None if one is None else one.sector for one in listings),
        industry=tuple(None if one is None else one.industry for one in listings),
        security_type=tuple(None if one is None else one.security_type for one in listings),
    )


def build_market_tables(
    bars: pl.DataFrame,
    splits: pl.DataFrame,
    dividends: pl.DataFrame,
    days: Sequence[date],
    actions: Sequence[CorporateAction] | None = None,
) -> MarketTables:
    """The tables of frames: `equity_bars` as traded, `splits` and `dividends`, all on or before the last of `days`.

    actions: without cash dividends; None where only splits are known.
    """
    tickers = bars.get_column("ticker").unique().sort()
    arrays = make_bar_arrays(bars, days, tickers, FIELDS)
    split_factors = find_split_factors(splits.lazy())
    dividend_factors = find_dividend_factors(dividends.lazy(), bars.lazy(), split_factors)
    names = tickers.to_list()
    return MarketTables(
        days=tuple(days),
        tickers=tuple(names),
        **arrays,
        split_factors=_by_column(split_factors, names, days),
        dividend_factors=_by_column(dividend_factors, names, days),
        actions=tuple(
            sorted(
                _read_splits(splits) if actions is None else actions, key=lambda one: (one.effective_date, one.ticker)
            )
        ),
    )


def _read_splits(splits: pl.DataFrame) -> list[CorporateAction]:
    rows = splits.select("ticker", "execution_date", "split_from", "split_to").iter_rows()
    return [
        CorporateAction(
            ActionKind.FORWARD_SPLIT if after > before else ActionKind.REVERSE_SPLIT, ticker, day, before, after
        )
        for ticker, day, before, after in rows
    ]


def _by_column(factors: pl.LazyFrame, tickers: Sequence[str], days: Sequence[date]) -> ActionFactors:
    """By ticker's place: (first session in new terms, factor), oldest first."""
    found: dict[int, list[tuple[int, float]]] = {}
    places = {ticker: place for place, ticker in enumerate(tickers)}
    known = factors.sort("ticker", "effective_date").collect().filter(pl.col("ticker").is_in(list(tickers)))
    for ticker, day, factor in known.select("ticker", "effective_date", "factor").iter_rows():
        found.setdefault(places[ticker], []).append((bisect_left(days, day), factor))
    return found
