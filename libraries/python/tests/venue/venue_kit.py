"""A small market whose prices are written down by hand, shared by the tests of the venue and of the exchange."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal

import polars as pl

from internal.action_kinds import ActionKind
from internal.dates import sessions
from internal.schemas import corporate_actions
from internal.venue.corporate_actions import CorporateAction, dividend_action, split_action
from internal.venue.market.action_calendar import ActionCalendar
from internal.venue.market.event_rates import Events
from internal.venue.market.listing import Bar, Listing
from internal.venue.market.listing_index import ListingIndex
from internal.venue.money import decimal_of

DAYS = sessions(date(2024, 12, 30), date(2025, 1, 10))  # 30, 31 December, 2, 3, 6, 7, 8, 10 January (9: mourning)
AAA = Listing(
    ticker="AAA",
    name="AAA Inc.",
    sector="Technology",
    industry=None,
    sic_code=None,
    sic_description=None,
    primary_exchange="XNAS",
    listed_date=date(2020, 1, 2),
    delisted_date=None,
    shortable=True,
    easy_to_borrow=True,
    borrow_rate=0.036,
    fractionable=True,
)


def every_action(day: date) -> list[CorporateAction]:
    """An action of every kind on the day, each on a ticker of its own, in terms that leave fractions."""
    one, kinds = Decimal(1), ActionKind
    return [
        split_action("FWD", day, Decimal(2), Decimal(3)),
        split_action("REV", day, Decimal(7), one),
        CorporateAction(kinds.UNIT_SPLIT, "UNI", day, one, one, "UNIS", Decimal("0.5"), "UNIW"),
        dividend_action("DIV", day, Decimal("0.333")),
        dividend_action("DIV", day, Decimal("1.5"), special=True),
        CorporateAction(kinds.STOCK_DIVIDEND, "STD", day, one, Decimal("0.05")),
        CorporateAction(kinds.RIGHTS_DISTRIBUTION, "RGT", day, Decimal(3), one, "RGTR"),
        CorporateAction(kinds.SPIN_OFF, "SPI", day, Decimal(4), one, "SPIC"),
        CorporateAction(kinds.CASH_MERGER, "CSH", day, cash_amount=Decimal("101.37")),
        CorporateAction(kinds.STOCK_MERGER, "STK", day, one, Decimal("0.3333"), "BUYR"),
        CorporateAction(kinds.STOCK_AND_CASH_MERGER, "MIX", day, Decimal(3), one, "BUYR", cash_amount=Decimal("9.99")),
        CorporateAction(kinds.REDEMPTION, "RDM", day, cash_amount=Decimal("25.0125")),
        CorporateAction(kinds.WORTHLESS_REMOVAL, "NIL", day),
        CorporateAction(kinds.NAME_CHANGE, "OLD", day, new_ticker="NEW"),
    ]


CONCERNED = ("FWD", "REV", "UNI", "DIV", "STD", "RGT", "SPI", "CSH", "STK", "MIX", "RDM", "NIL", "OLD")  # by the above
ARRIVING = ("UNIS", "UNIW", "RGTR", "SPIC", "BUYR", "NEW")  # what their holders receive


def make_listing(ticker: str, *, delisted_date: date | None = None) -> Listing:
    """A listing like AAA's, with another ticker and, where given, an end."""
    return replace(AAA, ticker=ticker, name=f"{ticker} Inc.", delisted_date=delisted_date)


def make_bar(ticker: str, day: date, price: float = 100.0, **changes: float) -> Bar:
    """A bar that opens and closes at the price, two dollars either side, a million shares."""
    values = {"open": price, "high": price + 2, "low": price - 2, "close": price, "volume": 1_000_000.0} | changes
    return Bar(
        ticker, day, values["open"], values["high"], values["low"], values["close"], values["volume"], None, None
    )


@dataclass
class HandMarket:
    """A market whose every bar, split and dividend is written in the test; it obeys the same protocol as the others."""

    table: Mapping[tuple[str, date], Bar]
    known: Mapping[str, Listing]
    split_rows: Sequence[tuple[str, date, float, float]] = ()
    dividend_rows: Sequence[tuple[str, date, float]] = ()
    other_actions: Sequence[CorporateAction] = ()
    kind: Literal["simulated", "replayed"] = "replayed"
    planted_signal: str = "none"
    regime: None = None
    seed: int | None = None
    events: Events = "none"

    def sessions(self) -> list[date]:
        """The eight sessions of DAYS."""
        return DAYS

    def opening_session(self) -> date:
        """New Year's Eve 2024."""
        return date(2024, 12, 31)

    def listings(self, day: date) -> list[Listing]:
        """Those listed by then."""
        return [listing for listing in self.known.values() if listing.listed_date <= day]

    def listing(self, ticker: str, day: date | None = None) -> Listing | None:
        """One of them."""
        return ListingIndex(self.known.values()).find(ticker, day)

    def bars(self, day: date) -> pl.DataFrame:
        """The day's bars."""
        return pl.DataFrame([bar for (_, when), bar in self.table.items() if when == day])

    def bars_between(self, start: date, end: date) -> pl.DataFrame:
        """The bars of some days."""
        return pl.DataFrame([bar for (_, when), bar in sorted(self.table.items()) if start <= when <= end])

    def bar(self, ticker: str, day: date) -> Bar | None:
        """One bar."""
        return self.table.get((ticker, day))

    def history(self, ticker: str, start: date, end: date) -> pl.DataFrame:
        """One ticker's bars in between."""
        return pl.DataFrame([bar for (name, day), bar in self.table.items() if name == ticker and start <= day <= end])

    def corporate_actions(self, start: date, end: date) -> tuple[CorporateAction, ...]:
        """The actions in between."""
        splits = [split_action(name, day, decimal_of(old), decimal_of(new)) for name, day, old, new in self.split_rows]
        dividends = [dividend_action(name, day, decimal_of(amount)) for name, day, amount in self.dividend_rows]
        return ActionCalendar([*splits, *dividends, *self.other_actions]).between(start, end)

    def splits(self, start: date, end: date) -> pl.DataFrame:
        """The splits in between."""
        rows = [row for row in self.split_rows if start <= row[1] <= end]
        names = ["ticker", "execution_date", "split_from", "split_to"]
        return pl.DataFrame(rows, names, orient="row") if rows else corporate_actions.empty_splits()

    def dividends(self, start: date, end: date) -> pl.DataFrame:
        """The dividends in between."""
        rows = [row for row in self.dividend_rows if start <= row[1] <= end]
        names = ["ticker", "ex_dividend_date", "cash_amount"]
        return pl.DataFrame(rows, names, orient="row") if rows else corporate_actions.empty_dividends()


def hand_market(  # noqa: PLR0913 - each argument is one thing that a test may say differently
    tickers: Sequence[str] = ("AAA", "BBB", "CCC"),
    *,
    bars: Sequence[Bar] = (),
    without: Sequence[tuple[str, date]] = (),
    splits: Sequence[tuple[str, date, float, float]] = (),
    dividends: Sequence[tuple[str, date, float]] = (),
    actions: Sequence[CorporateAction] = (),
    listings: Sequence[Listing] = (),
) -> HandMarket:
    """Every ticker at 100 dollars on every day, but for what the test says differently."""
    table = {(ticker, day): make_bar(ticker, day) for ticker in tickers for day in DAYS}
    table |= {(bar.ticker, bar.date): bar for bar in bars}
    known = {ticker: make_listing(ticker) for ticker in tickers} | {one.ticker: one for one in listings}
    table = {key: bar for key, bar in table.items() if key not in without}
    return HandMarket(table, known, splits, dividends, actions)
