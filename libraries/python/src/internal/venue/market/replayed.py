"""The replayed market: a table of real bars behind the `Market` protocol; `internal.bar_files` reads such tables.

It has no borrow list: every ticker can be shorted at the general collateral rate. A file of bars has no corporate
actions; the lake has.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from internal.dates import next_session, sessions
from internal.errors import ConfigurationError
from internal.schemas import equity_bars
from internal.venue.action_processing import ends_ticker
from internal.venue.corporate_actions import CorporateAction
from internal.venue.market.action_calendar import ActionCalendar, actions_of_table
from internal.venue.market.action_frame import actions_frame, tables_of
from internal.venue.market.event_rates import Events
from internal.venue.market.listing import Bar, Listing
from internal.venue.market.listing_index import ListingIndex
from internal.venue.market.recent_bars import RecentBars

PLAYED_SHARE = 0.2  # of the file's sessions lie after the opening one, unless the opening is given
COMMON_STOCK = "CS"  # what a file without the column holds
BORROW_RATE = 0.003  # a year; the file does not say, this is what brokers ask for easy names
DETAILS = ("name", "sector", "industry", "sic_code", "sic_description", "primary_exchange")
NO_DETAILS = pl.DataFrame(schema=dict.fromkeys(("ticker", *DETAILS), pl.String()))


class _Slice(NamedTuple):
    start: int
    length: int


class ReplayedMarket:
    """Every XNYS session from the table's first to its last; one without a row is a session on which nothing trades.

    A ticker is listed from its first row to its last; a gap between is a halt.

    Args:
        bars: the columns of `equity_bars`, ordered by date and ticker; every date is a session. A price may lie outside
            low..high, as in the table that it was read from.
        details: one row a ticker with `DETAILS` as text; tickers that it lacks are known by their ticker alone.
        opening_day: the last session at or before it is where a fresh exchange starts; by default the session after
            which 20 % of the table's sessions are left.
        actions: corporate actions in force, in the columns of their table; none by default. A ticker that ends by one
            is listed until its effective date.

    Raises:
        ConfigurationError: a single session, or an opening day outside the table's sessions.
    """

    kind: Literal["replayed"] = "replayed"
    planted_signal: str = "unknown: replayed bars hold whatever their market held"
    regime: None = None
    seed: None = None
    events: Events = "none"

    def __init__(
        self,
        bars: pl.DataFrame,
        details: pl.DataFrame = NO_DETAILS,
        opening_day: date | None = None,
        *,
        actions: pl.DataFrame | None = None,
    ) -> None:
        self._bars = bars
        self._actions = ActionCalendar([] if actions is None else actions_of_table(actions))
        self._splits, self._dividends = tables_of(actions_frame(self._actions.every()))
        days = self._bars.with_row_index().group_by("date").agg(pl.col("index").min(), pl.len())
        self._slices = {day: _Slice(start, length) for day, start, length in days.iter_rows()}
        self._sessions = sessions(min(self._slices), max(self._slices))
        self._opening = _opening_session(self._sessions, opening_day)
        self._listings = _listings(self._bars, details, self._actions.every())
        self._numbers = {day: number for number, day in enumerate(self._sessions)}
        self._columns = {ticker: column for column, ticker in enumerate(self._listings)}
        self._rows = _row_numbers(self._bars, self._numbers, self._columns)
        self._values = self._bars.drop("timestamp")
        self._index = ListingIndex(self._listings.values())
        self._recent_bars = RecentBars(self._make_bar)

    def sessions(self) -> list[date]:
        """Every session from the file's first to its last, oldest first."""
        return list(self._sessions)

    def opening_session(self) -> date:
        """The session at whose close a fresh exchange starts."""
        return self._opening

    def listings(self, day: date) -> list[Listing]:
        """Every ticker that has traded by that day, as known on that day, ordered by ticker."""
        return [listing.as_of(day) for listing in self._listings.values() if listing.listed_date <= day]

    def listing(self, ticker: str, day: date | None = None) -> Listing | None:
        """One ticker with its whole life in the file; None when the file does not hold it by the day."""
        return self._index.find(ticker, day)

    def bars(self, day: date) -> pl.DataFrame:
        """The session's rows as the file says, in the columns of `equity_bars`, ordered by ticker."""
        rows = self._slices.get(day)
        return equity_bars.empty() if rows is None else self._bars.slice(*rows)

    def bars_between(self, start: date, end: date) -> pl.DataFrame:
        """The rows of all sessions with start <= date <= end, ordered by date and ticker."""
        return self._bars.filter(pl.col("date").is_between(start, end))

    def bar(self, ticker: str, day: date) -> Bar | None:
        """The ticker's row of the session; None where the ticker did not trade."""
        return self._recent_bars.bar(ticker, day)

    def _make_bar(self, ticker: str, day: date) -> Bar | None:
        number, column = self._numbers.get(day), self._columns.get(ticker)
        row = -1 if number is None or column is None else int(self._rows[number, column])
        return None if row < 0 else Bar(*self._values.row(row))

    def corporate_actions(self, start: date, end: date) -> tuple[CorporateAction, ...]:
        """Actions of every kind with start <= effective date <= end, ordered by date, kind and ticker."""
        return self._actions.between(start, end)

    def history(self, ticker: str, start: date, end: date) -> pl.DataFrame:
        """One ticker's rows from start to end, oldest first."""
        return self._bars.filter((pl.col("ticker") == ticker) & pl.col("date").is_between(start, end))

    def splits(self, start: date, end: date) -> pl.DataFrame:
        """Splits with start <= execution_date <= end, ordered by date and ticker."""
        return self._splits.filter(pl.col("execution_date").is_between(start, end))

    def dividends(self, start: date, end: date) -> pl.DataFrame:
        """Dividends with start <= ex_dividend_date <= end, ordered by date and ticker; US dollars a share."""
        return self._dividends.filter(pl.col("ex_dividend_date").is_between(start, end))


def _row_numbers(bars: pl.DataFrame, numbers: dict[date, int], columns: dict[str, int]) -> npt.NDArray[np.int32]:
    """The row of each bar, [session, ticker]; -1 where there is none."""
    rows = np.full((len(numbers), len(columns)), -1, dtype=np.int32)
    session = bars.get_column("date").replace_strict(numbers, return_dtype=pl.Int64).to_numpy()
    column = bars.get_column("ticker").replace_strict(columns, return_dtype=pl.Int64).to_numpy()
    rows[session, column] = np.arange(bars.height, dtype=np.int32)
    return rows


def default_opening(playable: Sequence[date]) -> date:
    """The session after which a fifth of the sessions are left, at least one."""
    return playable[-1 - max(1, round(PLAYED_SHARE * len(playable)))]


def _opening_session(playable: list[date], opening_day: date | None) -> date:
    """The session at which a fresh exchange starts: it leaves at least one session to trade in."""
    if len(playable) == 1:
        raise ConfigurationError(f"the bars file holds one session, {playable[0]}; at least two are needed to trade")
    if opening_day is None:
        return default_opening(playable)
    if not playable[0] <= opening_day < playable[-1]:
        raise ConfigurationError(
            f"EXCHANGE_START_DATE is {opening_day}; the bars file can open from {playable[0]} to before {playable[-1]}"
        )
    return max(day for day in playable if day <= opening_day)


def _listings(bars: pl.DataFrame, details: pl.DataFrame, actions: Iterable[CorporateAction]) -> dict[str, Listing]:
    ends = {action.ticker: action.effective_date for action in actions if ends_ticker(action.kind)}
    last_day = bars.get_column("date").max()
    lives = bars.group_by("ticker").agg(pl.col("date").min().alias("first"), pl.col("date").max().alias("last"))
    known = lives.join(details, on="ticker", how="left").sort("ticker")
    return {
        row["ticker"]: Listing(
            ticker=row["ticker"],
            name=row["name"] or row["ticker"],
            sector=row["sector"],
            industry=row["industry"],
            sic_code=row["sic_code"],
            sic_description=row["sic_description"] or row["industry"],
            primary_exchange=row["primary_exchange"] or "XNYS",
            listed_date=row["first"],
            delisted_date=None if row["last"] == last_day else _end(row["last"], ends.get(row["ticker"])),
            shortable=True,
            easy_to_borrow=True,
            borrow_rate=BORROW_RATE,
            fractionable=True,
            security_type=row.get("security_type", COMMON_STOCK),
        )
        for row in known.to_dicts()
    }


def _end(last: date, ended: date | None) -> date:
    """The first session without the ticker: after its last bar, or when the action takes effect that ends it."""
    following = next_session(last)
    return following if ended is None else max(following, ended)
