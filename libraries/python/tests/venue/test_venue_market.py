"""The simulated market: its invariants, its statistics, and the contract that every market keeps."""

import hashlib
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from internal.dates import is_session, sessions
from internal.errors import ConfigurationError
from internal.price_adjustment import adjust_for_splits
from internal.schemas import corporate_actions, equity_bars
from internal.venue.market.action_frame import actions_frame
from internal.venue.market.protocol import MarketData
from internal.venue.market.replayed import ReplayedMarket
from internal.venue.market.simulated import SimulatedMarket

EVER = (date(2000, 1, 1), date(2030, 12, 31))

DIGEST = """
import hashlib
from internal.venue.market.simulated import SimulatedMarket
market = SimulatedMarket(seed=11, ticker_count=40)
digest = hashlib.sha256()
for day in market.sessions()[::50]:
    digest.update(market.bars(day).write_csv().encode())
print(digest.hexdigest())
"""

EIGHT_THOUSAND = """
from datetime import date
from pathlib import Path
from typing import Any
from internal.venue.market.simulated import SimulatedMarket
market = SimulatedMarket(ticker_count=8000)
rows = market.bars(date(2024, 12, 31)).height
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(rows, float(peak.split()[1]) / 1024)  # getrusage would count the parent's memory at the fork
"""


@pytest.fixture(scope="module")
def simulated() -> SimulatedMarket:
    """The market as a user gets it."""
    return SimulatedMarket()


@pytest.fixture(scope="module")
def everything(simulated: SimulatedMarket) -> pl.DataFrame:
    """Every bar that the default market will ever play."""
    return pl.concat([simulated.bars(day) for day in simulated.sessions()])


@pytest.fixture(scope="module", params=["simulated", "replayed"])
def market(request: pytest.FixtureRequest) -> MarketData:
    """Every adapter of the port; the replayed one plays the bars of the simulated one."""
    small = SimulatedMarket(ticker_count=30, first_day=date(2024, 1, 2), last_day=date(2025, 6, 30))
    if request.param == "simulated":
        return small
    return ReplayedMarket(pl.concat([small.bars(day) for day in small.sessions()]))


def in_a_process(code: str) -> str:
    """What the code prints when a fresh interpreter runs it."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own code above


def returns(bars: pl.DataFrame, splits: pl.DataFrame) -> pl.DataFrame:
    """Daily log returns in adjusted prices."""
    return (
        adjust_for_splits(bars, splits)
        .sort("ticker", "date")
        .with_columns(pl.col("close").log().diff().over("ticker").alias("return"))
        .drop_nulls("return")
    )


def as_float(value: object) -> float:
    """A statistic of a column that has rows."""
    assert isinstance(value, float)
    return value


def information_coefficient(market: SimulatedMarket) -> float:
    """Mean daily rank correlation of the last five sessions' return with that of the next five."""
    bars = pl.concat([market.bars(day) for day in market.sessions()])
    week = pl.col("return").rolling_sum(5)
    weeks = returns(bars, market.splits(*EVER)).with_columns(
        week.over("ticker").alias("past"), week.shift(-5).over("ticker").alias("future")
    )
    daily = weeks.drop_nulls().group_by("date").agg(pl.corr("past", "future", method="spearman").alias("coefficient"))
    return as_float(daily.get_column("coefficient").mean())


class TestEveryMarket:
    """What routes and matching may rely on, whoever makes the prices."""

    def test_sessions(self, market: MarketData) -> None:
        """The sessions are XNYS's, without a gap, and the opening one leaves some to play."""
        days = market.sessions()

        assert sessions(days[0], days[-1]) == days
        assert days[0] <= market.opening_session() < days[-1]

    def test_bars(self, market: MarketData) -> None:
        """Every session's bars keep the schema, ordered by ticker, and only of listed tickers."""
        for day in market.sessions()[::20]:
            bars = market.bars(day)
            active = {listing.ticker for listing in market.listings(day) if listing.is_active(day)}

            assert bars.equals(equity_bars.validate(bars))
            assert bars.get_column("ticker").is_sorted()
            assert set(bars.get_column("ticker")) <= active
            assert bars.height > 0.8 * len(active)

    def test_one_bar(self, market: MarketData) -> None:
        """`bar` is a row of `bars`, and None where there is none."""
        day = market.opening_session()
        rows = market.bars(day).drop("timestamp").to_dicts()
        for row in rows:
            bar = market.bar(row["ticker"], day)
            assert bar is not None
            assert row == {name: getattr(bar, name) for name in row}

        assert market.bar("NOSUCH", day) is None
        assert market.bar(rows[0]["ticker"], date(2024, 12, 25)) is None

    def test_history(self, market: MarketData) -> None:
        """`history` is the same rows as `bars`, asked for by ticker."""
        days = market.sessions()[10:40]
        every = pl.concat([market.bars(day) for day in days])
        tickers: list[str] = every.get_column("ticker").unique().to_list()
        for ticker in tickers:
            expected = every.filter(pl.col("ticker") == ticker)
            assert expected.equals(market.history(ticker, days[0], days[-1]))

        assert market.history("NOSUCH", days[0], days[-1]).is_empty()
        assert market.history(tickers[0], days[-1], days[0]).is_empty()

    def test_holiday(self, market: MarketData) -> None:
        """Christmas has no bars, but their columns."""
        assert equity_bars.empty().equals(market.bars(date(2024, 12, 25)))

    def test_listings(self, market: MarketData) -> None:
        """Listings are known by ticker, in order, and a later delisting is not shown beforehand."""
        day = market.opening_session()
        listings = market.listings(day)
        tickers = [listing.ticker for listing in listings]

        assert sorted(set(tickers)) == tickers
        assert all(listing.listed_date <= day for listing in listings)
        assert all(listing.delisted_date is None or listing.delisted_date <= day for listing in listings)
        lives = [market.listing(ticker) for ticker in tickers]
        assert [life.as_of(day) for life in lives if life is not None] == listings
        assert market.listing("NOSUCH") is None

    def test_corporate_actions(self, market: MarketData) -> None:
        """Splits and dividends keep their schemas and the asked range, both ends included."""
        splits, dividends = market.splits(*EVER), market.dividends(*EVER)

        assert splits.equals(corporate_actions.validate_splits(splits))
        assert dividends.equals(corporate_actions.validate_dividends(dividends))
        actions = actions_frame(market.corporate_actions(market.sessions()[0], market.sessions()[-1]))
        assert actions.equals(corporate_actions.validate_actions(actions))
        in_force = corporate_actions.actions_in_force(actions.lazy())
        order = ["execution_date", "ticker"]
        assert splits.sort(order).equals(corporate_actions.splits_of(in_force).sort(order).collect())
        order = ["ex_dividend_date", "ticker"]
        assert dividends.sort(order).equals(corporate_actions.dividends_of(in_force).sort(order).collect())
        for day in dividends.get_column("ex_dividend_date").unique().head(5):
            expected = dividends.filter(pl.col("ex_dividend_date") == day)
            assert expected.equals(market.dividends(day, day))


class TestSimulation:
    """What makes the simulated prices look like a market."""

    def test_bytes(self) -> None:
        """The same seed gives the same bytes in another process, another seed gives others."""
        market = SimulatedMarket(seed=11, ticker_count=40)
        digest = hashlib.sha256()
        for day in market.sessions()[::50]:
            digest.update(market.bars(day).write_csv().encode())
        elsewhere = in_a_process(DIGEST)
        other = SimulatedMarket(seed=12, ticker_count=40).bars(market.opening_session())

        assert market.seed == 11
        assert digest.hexdigest() == elsewhere.strip()
        assert not other.equals(market.bars(market.opening_session()))

    def test_days(self, simulated: SimulatedMarket) -> None:
        """History from June 2022, opens at the close of 2024, playable to the end of 2026."""
        assert date(2022, 6, 1) == simulated.sessions()[0]
        assert date(2024, 12, 31) == simulated.opening_session()
        assert date(2026, 12, 31) == simulated.sessions()[-1]

    def test_all_bars(self, simulated: SimulatedMarket, everything: pl.DataFrame) -> None:
        """Every bar is sound, to the cent, with its average price inside the session's range."""
        equity_bars.validate(everything)
        cents = everything.select(pl.col("open", "high", "low", "close") * 100)
        average = everything.get_column("volume_weighted_average_price")

        assert everything.height > 0.85 * 120 * len(simulated.sessions())
        assert cents.select((pl.all() - pl.all().round()).abs().max()).max_horizontal().item() < 1e-6
        assert average.is_between(everything.get_column("low"), everything.get_column("high")).all()
        assert (everything.get_column("transactions") <= everything.get_column("volume")).all()
        assert (everything.get_column("transactions") > 0).all()

    def test_universe(self, simulated: SimulatedMarket) -> None:
        """At least 60 of 120 pass the fund's filter at the opening, and some fail each half of it."""
        quarter = simulated.sessions()[:650][-63:]
        means = (
            pl.concat([simulated.bars(day) for day in quarter]).group_by("ticker").agg(pl.col("close", "volume").mean())
        )
        dear, traded = pl.col("close") > 10, pl.col("volume") > 1_000_000

        assert means.filter(dear & traded).height >= 60
        assert means.filter(~dear).height >= 3
        assert means.filter(~traded).height >= 10

    def test_statistics(self, simulated: SimulatedMarket, everything: pl.DataFrame) -> None:
        """Fat tails, clustered volatility, a common factor, overnight gaps, volume that rises with the move."""
        moves = returns(everything, simulated.splits(*EVER)).with_columns(pl.col("return").abs().alias("size"))
        size, before = pl.col("size"), pl.col("size").shift(1).over("ticker")
        log_volume = pl.col("volume").log() - pl.col("volume").log().mean().over("ticker")
        average = moves.group_by("date").agg(pl.col("return").mean())
        own = as_float(moves.get_column("return").std())
        gap = everything.sort("ticker", "date").select(
            (pl.col("open") / pl.col("close").shift(1).over("ticker")).log().abs().median()
        )

        assert as_float(moves.get_column("return").kurtosis()) > 2.0  # excess; a normal law has 0
        assert moves.select(pl.corr(size, before)).item() > 0.1
        assert as_float(average.get_column("return").std()) > 0.25 * own  # of 120 independent tickers it is 0.09
        assert moves.select(pl.corr(log_volume, size)).item() > 0.2
        assert gap.item() > 0.002

    def test_sectors(self, simulated: SimulatedMarket, everything: pl.DataFrame) -> None:
        """Two companies of one sector move together more than two of different sectors."""
        wide = returns(everything, simulated.splits(*EVER)).pivot(on="ticker", index="date", values="return")
        tickers = [name for name in wide.columns[1:] if wide.get_column(name).null_count() < 30]
        matrix = np.corrcoef(wide.select(tickers).fill_null(0.0).to_numpy().T)
        listings = [simulated.listing(ticker) for ticker in tickers]
        sector = np.array([listing.sector for listing in listings if listing is not None])
        same = sector[:, None] == sector[None, :]
        others = ~np.eye(len(tickers), dtype=bool)

        assert matrix[same & others].mean() > matrix[~same].mean() + 0.02 > 0.1

    def test_signal(self) -> None:
        """The planted momentum has the information coefficient that the market states; `none` has none."""
        momentum, none = SimulatedMarket(signal="momentum"), SimulatedMarket(signal="none")

        assert information_coefficient(momentum) == pytest.approx(0.07, abs=0.02)
        assert information_coefficient(none) == pytest.approx(0.0, abs=0.02)
        assert "about 0.07" in momentum.planted_signal
        assert none.planted_signal == "none"

    def test_splits(self, simulated: SimulatedMarket, everything: pl.DataFrame) -> None:
        """Dear shares split, cheap ones reverse-split, and a holder's value barely moves over the event."""
        before = everything.sort("ticker", "date").with_columns(pl.col("close").shift(1).over("ticker").alias("before"))
        splits = simulated.splits(*EVER).join(
            before, left_on=["ticker", "execution_date"], right_on=["ticker", "date"], how="inner"
        )
        value = pl.col("open") * pl.col("split_to") / pl.col("split_from") / pl.col("before")

        assert splits.height >= 10
        assert splits.select(value.is_between(0.8, 1.25).all()).item()
        assert splits.filter(pl.col("split_to") > pl.col("split_from")).select((pl.col("before") > 150).all()).item()
        assert splits.filter(pl.col("split_to") < pl.col("split_from")).select((pl.col("before") < 4).all()).item()

    def test_dividends(self, simulated: SimulatedMarket, everything: pl.DataFrame) -> None:
        """Payers pay every 63 sessions, in this order of days, and the open falls by the amount on average."""
        dividends = simulated.dividends(*EVER)
        before = everything.sort("ticker", "date").with_columns(pl.col("close").shift(1).over("ticker").alias("before"))
        paid = dividends.join(before, left_on=["ticker", "ex_dividend_date"], right_on=["ticker", "date"])
        drop = paid.select(((pl.col("open") - pl.col("before")) / pl.col("before")).mean()).item()
        dividend_yield = paid.select((pl.col("cash_amount") / pl.col("before")).mean()).item()
        ex_date = pl.col("ex_dividend_date")

        assert dividends.height > 500
        assert dividends.select((pl.col("declaration_date") < ex_date).all()).item()
        assert dividends.select((ex_date <= pl.col("record_date")).all()).item()
        assert dividends.select((pl.col("record_date") < pl.col("pay_date")).all()).item()
        assert 0.002 < dividend_yield < 0.01
        assert drop == pytest.approx(-dividend_yield, abs=0.0015)  # overnight noise of about 700 events

    def test_settlement(self, simulated: SimulatedMarket) -> None:
        """The record date is the session after the ex-date until 2024-05-27, the ex-date itself from then on."""
        lag = simulated.dividends(*EVER).with_columns(
            (pl.col("record_date") == pl.col("ex_dividend_date")).alias("same"),
            (pl.col("ex_dividend_date") >= date(2024, 5, 28)).alias("next_day_settlement"),
        )

        assert lag.get_column("same").equals(lag.get_column("next_day_settlement"), check_names=False)

    def test_lives(self, simulated: SimulatedMarket, everything: pl.DataFrame) -> None:
        """Tickers list, delist and halt: bars from the first day to the last, a few sessions missing between."""
        last_day = simulated.sessions()[-1]
        listings = simulated.listings(last_day)
        spans = everything.group_by("ticker").agg(
            pl.col("date").min().alias("first"), pl.col("date").max().alias("last"), pl.len()
        )
        span = {row["ticker"]: row for row in spans.to_dicts()}
        active = sum(listing.is_active(day) for day in simulated.sessions() for listing in listings)
        new = [listing for listing in listings if listing.listed_date > simulated.sessions()[0]]
        gone = [listing for listing in listings if listing.delisted_date is not None]

        assert len(new) >= 3
        assert len(gone) >= 3
        assert all(listing.listed_date == span[listing.ticker]["first"] for listing in new)
        assert all(span[listing.ticker]["last"] < listing.delisted_date for listing in gone)
        assert 0.0003 < (active - everything.height) / active < 0.003

    def test_borrow(self) -> None:
        """Most can be shorted; what cannot is never called easy, and what is hard costs more."""
        listings = SimulatedMarket(ticker_count=500, last_day=date(2025, 3, 31)).listings(date(2024, 12, 31))
        shortable = [listing for listing in listings if listing.shortable]
        hard = [listing for listing in shortable if not listing.easy_to_borrow]

        assert 0.8 < len(shortable) / len(listings) < 1.0
        assert all(listing.shortable for listing in listings if listing.easy_to_borrow)
        assert all(listing.borrow_rate == 0.003 for listing in listings if listing.easy_to_borrow)
        assert hard
        assert all(0.02 <= listing.borrow_rate <= 0.3 for listing in hard)

    def test_industries(self, simulated: SimulatedMarket) -> None:
        """Every company has a sector, an industry and the SEC's four digits with their wording."""
        listings = simulated.listings(simulated.opening_session())

        assert {len(listing.sic_code or "") for listing in listings} == {4}
        assert len({listing.sector for listing in listings}) == 11
        assert all(listing.sic_description == (listing.sic_description or "").upper() for listing in listings)

    def test_eight_thousand(self) -> None:
        """8,000 tickers over more than four years: under one gigabyte, in a process of its own."""
        run = in_a_process(EIGHT_THOUSAND)
        rows, megabytes = (float(figure) for figure in run.split())

        assert rows > 7000
        assert megabytes < 1024


class TestWrongConfiguration:
    """A market that cannot be made says which setting is wrong."""

    @pytest.mark.parametrize(
        ("arguments", "setting"),
        [
            ({"seed": -1}, "EXCHANGE_SEED"),
            ({"ticker_count": 0}, "EXCHANGE_TICKER_COUNT"),
            ({"ticker_count": 20_001}, "EXCHANGE_TICKER_COUNT"),
            ({"signal": "astrology"}, "EXCHANGE_SIGNAL"),
            ({"opening_day": date(2022, 5, 31)}, "EXCHANGE_START_DATE"),
            ({"opening_day": date(2026, 12, 31)}, "EXCHANGE_START_DATE"),
            ({"first_day": date(2026, 1, 1), "last_day": date(2025, 1, 1)}, "EXCHANGE_START_DATE"),
        ],
    )
    def test_refused(self, arguments: dict[str, Any], setting: str) -> None:
        """Seed, count, signal and days are checked before anything is drawn."""
        with pytest.raises(ConfigurationError, match=setting):
            SimulatedMarket(**arguments)

    def test_opening_on_a_weekend(self) -> None:
        """An opening day without a session is the last session before it."""
        market = SimulatedMarket(ticker_count=1, opening_day=date(2025, 1, 4))

        assert date(2025, 1, 3) == market.opening_session()
        assert is_session(market.opening_session())


def test_no_market_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A market leaves nothing behind: its state is its seed."""
    monkeypatch.chdir(tmp_path)
    SimulatedMarket(ticker_count=5)

    assert not list(tmp_path.iterdir())
