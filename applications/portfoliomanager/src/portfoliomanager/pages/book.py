"""The view of the Book page: positions with band, reason and recent closes, and what is not the fund's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

import polars as pl

from internal.dates import session_number
from internal.pages.marks import Band
from internal.trading.broker_reports import BrokerPosition
from internal.trading.enums import ForeignKind, Side
from internal.trading.foreign_items import ForeignItem
from internal.trading.portfolio import Portfolio, PortfolioRow
from portfoliomanager.pages.exposures import Exposures
from portfoliomanager.pages.frame import Frame
from portfoliomanager.pages.fund import Holdings
from portfoliomanager.pages.sources import Found

NEAR_EXIT = 0.2  # of half the band is left
SHOWN_BETAS = 4  # above zero, and as many below


@dataclass(frozen=True)
class Opening:
    """Why a position was opened, and at the close of which session that was decided."""

    day: date
    reason: str


@dataclass(frozen=True)
class BookInputs:
    """What the positions are described with.

    Attributes:
        last: The last closed session; None where the time of the market is not known.
        portfolio: The last decision; None before the first.
        openings: By ticker, why the position was opened.
        closes: By ticker, up to 60 sessions, oldest first.
        days: The sessions of the closes.
        names: Company by ticker.
        sectors: Sector by ticker.
        betas: Beta to equal weight by ticker.
    """

    last: date | None = None
    portfolio: Portfolio | None = None
    openings: Mapping[str, Opening] | None = None
    closes: Mapping[str, Sequence[float]] | None = None
    days: Sequence[date] = ()
    names: Mapping[str, str] | None = None
    sectors: Mapping[str, str] | None = None
    betas: Mapping[str, float] | None = None


@dataclass(frozen=True)
class PositionLine:
    """One position of the fund.

    Attributes:
        ticker: Its name at the broker.
        name: The company; empty where it is not known.
        sector: Empty where it is not known.
        side: Long or short.
        quantity: Shares, positive.
        price: Dollars; None where the broker has none.
        weight: Of net asset value, negative when short.
        gain: Unrealized, dollars.
        gain_share: The position's own return since entry: a short gains when its price falls.
        session: Its own return in the last session; None where closes are not known.
        band: The newest forecast band, read from entry; None without one.
        since: The price's return since entry.
        held: Sessions since entry; None where the decision is not known.
        opening: Why it was opened.
        closes: The recent closes.
        entry: The place of the entry in the closes.
        foreign: Shares of the account's position that are not the fund's.
        beta: Of its price to an equal-weighted holding; None where it is not known.
    """

    ticker: str
    name: str
    sector: str
    side: Side
    quantity: float
    price: float | None
    weight: float
    gain: float | None
    gain_share: float | None
    session: float | None
    band: Band | None
    since: float | None
    held: int | None
    opening: Opening | None
    closes: Sequence[float]
    entry: int | None
    foreign: float = 0.0
    beta: float | None = None

    @property
    def weighted_beta(self) -> float | None:
        """What it adds to the beta of the fund: its weight times its beta."""
        return None if self.beta is None else self.weight * self.beta

    @property
    def room(self) -> float | None:
        """The part of half the band that is left before an edge: 1 in the middle, below 0 outside."""
        if self.band is None or self.since is None:
            return None
        place = self.band.place(self.since)
        return 2 * min(place, 1 - place)

    @property
    def is_near_exit(self) -> bool:
        """Whether little of the band is left."""
        return self.room is not None and self.room < NEAR_EXIT

    @property
    def text(self) -> str:
        """What a search looks in."""
        return f"{self.ticker} {self.name} {self.sector}"


@dataclass(frozen=True)
class BookView:
    """The page.

    Attributes:
        frame: The frame.
        holdings: What the broker has.
        lines: The fund's positions that fit the search.
        foreign: What is not the fund's.
        exposures: By sector.
        problems: Sources that did not answer.
        search: What was searched for.
        are_betas_asked_later: Whether the betas were not measured so far: the page asks for them once it is shown.
    """

    frame: Frame
    holdings: Found[Holdings]
    lines: tuple[PositionLine, ...]
    foreign: Found[Sequence[ForeignItem]]
    exposures: Found[Exposures]
    problems: tuple[Found[object], ...] = ()
    search: str = ""
    are_betas_asked_later: bool = False

    @property
    def beta_address(self) -> str:
        """The page with the betas."""
        return "/book?" + urlencode({name: value for name, value in (("beta", "true"), ("q", self.search)) if value})

    @property
    def longs(self) -> list[PositionLine]:
        """Long positions, the largest first."""
        return self._of(Side.LONG)

    @property
    def shorts(self) -> list[PositionLine]:
        """Short positions, the largest first."""
        return self._of(Side.SHORT)

    @property
    def largest(self) -> float:
        """The largest weight, whichever its side."""
        return max((abs(line.weight) for line in self.lines), default=0.0)

    @property
    def near(self) -> list[PositionLine]:
        """Positions near an exit, the nearest first."""
        return sorted((line for line in self.lines if line.is_near_exit), key=lambda line: line.room or 0.0)

    @property
    def gain(self) -> float:
        """Unrealized, of the positions shown, dollars."""
        return sum(line.gain or 0.0 for line in self.lines)

    def sum_betas(self, lines: Iterable[PositionLine]) -> float:
        """The beta of positions together, as a fraction of net asset value; one without a beta counts as nothing."""
        return sum(line.weighted_beta or 0.0 for line in lines)

    @property
    def with_beta(self) -> list[PositionLine]:
        """The positions whose beta is known, what adds most to the fund's first."""
        known = [line for line in self.lines if line.weighted_beta is not None]
        return sorted(known, key=lambda line: -(line.weighted_beta or 0.0))

    @property
    def shown_betas(self) -> list[PositionLine]:
        """Those that add most, and those that take most away."""
        known = self.with_beta
        return known if len(known) <= 2 * SHOWN_BETAS else [*known[:SHOWN_BETAS], *known[-SHOWN_BETAS:]]

    def _of(self, side: Side) -> list[PositionLine]:
        return sorted(
            (line for line in self.lines if line.side is side), key=lambda line: (-abs(line.weight), line.ticker)
        )


def list_lines(
    holdings: Holdings, foreign: Iterable[ForeignItem], inputs: BookInputs, search: str = ""
) -> tuple[PositionLine, ...]:
    """The fund's positions that fit every word of the search; what is wholly foreign is none of them."""
    others = {item.ticker: item.quantity for item in foreign if item.kind is ForeignKind.POSITION}
    rows = {row.ticker: row for row in inputs.portfolio.rows} if inputs.portfolio else {}
    value, words = holdings.account.net_asset_value, search.lower().split()
    found = [
        _describe(position, rows.get(position.ticker), inputs, value, others.get(position.ticker, 0.0))
        for position in holdings.positions
        if position.quantity != others.get(position.ticker)
    ]
    return tuple(line for line in found if all(word in line.text.lower() for word in words))


def _describe(
    position: BrokerPosition, row: PortfolioRow | None, inputs: BookInputs, value: float, foreign: float
) -> PositionLine:
    ticker, price = position.ticker, position.share_value
    side = Side.LONG if position.quantity > 0 else Side.SHORT
    sign = 1 if side is Side.LONG else -1
    entry_price = row.entry_price if row else position.average_entry_price
    since = price / entry_price - 1 if price and entry_price > 0 else None
    closes = (inputs.closes or {}).get(ticker, ())
    return PositionLine(
        ticker=ticker,
        name=(inputs.names or {}).get(ticker, ""),
        sector=(inputs.sectors or {}).get(ticker, ""),
        side=side,
        quantity=abs(position.quantity),
        price=price,
        weight=(position.market_value or 0.0) / value if value > 0 else 0.0,
        gain=position.unrealized_profit,
        gain_share=None if since is None else sign * since,
        session=sign * (closes[-1] / closes[-2] - 1) if len(closes) > 1 else None,
        band=Band(*row.band) if row and row.band else None,
        since=since,
        held=session_number(inputs.last) - session_number(row.opened_date) if row and inputs.last else None,
        opening=(inputs.openings or {}).get(ticker),
        closes=closes,
        entry=_find_entry(row, inputs.days, len(closes)),
        foreign=foreign,
        beta=(inputs.betas or {}).get(ticker),
    )


def _find_entry(row: PortfolioRow | None, days: Sequence[date], count: int) -> int | None:
    """The place of the session of the entry in the closes, which end with the last of the days."""
    shown = list(days)[-count:] if count else []
    return shown.index(row.opened_date) if row and row.opened_date in shown else (0 if row and shown else None)


def read_openings(portfolios: pl.DataFrame) -> dict[str, Opening]:
    """By ticker, the last decision that opened it, from rows of the frame `portfolios`."""
    opened = portfolios.filter(pl.col("action") == "open").sort("date")
    return {
        ticker: Opening(day, reason) for ticker, day, reason in opened.select("ticker", "date", "reason").iter_rows()
    }


def read_closes(bars: pl.DataFrame) -> dict[str, list[float]]:
    """By ticker, its closes, oldest first."""
    grouped = bars.sort("date").group_by("ticker").agg("close")
    return dict(grouped.select("ticker", "close").iter_rows())
