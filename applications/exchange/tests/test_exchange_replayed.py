"""The replayed market: what a file becomes, and that only a file that repeats what was played continues it."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from applications.exchange.tests.exchange_in_process import configure
from exchange.adapters.database import Database
from exchange.adapters.played_bars import PlayedBars
from exchange.server import build_market, open_stored
from exchange.services import Exchange, last_opened_session
from internal.bar_files.errors import TableFileError
from internal.bar_files.replay import load_replay
from internal.errors import ConfigurationError
from internal.venue.clock import Auction
from libraries.python.tests.bar_files.bar_files_kit import DAYS, bars, changed, write


class TestMarket:
    """What a file becomes."""

    def test_opening(self, tmp_path: Path) -> None:
        """Of 20 sessions, 4 are left after the opening one; a given day is taken instead."""
        path = write(tmp_path, bars(days=DAYS[:20]))

        assert DAYS[15] == load_replay(path).market.opening_session()
        assert DAYS[9] == load_replay(path, opening_day=DAYS[9]).market.opening_session()

    @pytest.mark.parametrize("day", [DAYS[0] - timedelta(days=1), DAYS[-1]])
    def test_wrong_opening(self, tmp_path: Path, day: date) -> None:
        """An opening day outside the file, or its last, leaves nothing to play."""
        with pytest.raises(ConfigurationError, match="EXCHANGE_START_DATE"):
            load_replay(write(tmp_path, bars()), opening_day=day)

    def test_one_session(self, tmp_path: Path) -> None:
        """One session cannot be traded on."""
        with pytest.raises(ConfigurationError, match="at least two"):
            load_replay(write(tmp_path, bars(days=DAYS[:1])))

    def test_lives(self, tmp_path: Path) -> None:
        """Listed from the first row to the last; a gap is a halt; a missing session is played without bars."""
        frame = pl.concat([bars("A"), bars("B", [DAYS[3], DAYS[5], DAYS[6]])]).filter(pl.col("date") != DAYS[8])
        market = load_replay(write(tmp_path, frame)).market
        listing = market.listing("B")

        assert market.sessions() == DAYS
        assert market.bars(DAYS[8]).is_empty()
        assert listing is not None
        assert (listing.listed_date, listing.delisted_date) == (DAYS[3], DAYS[7])
        assert listing.is_active(DAYS[4])
        assert market.bar("B", DAYS[4]) is None
        assert [known.ticker for known in market.listings(DAYS[2])] == ["A"]

    @pytest.mark.parametrize("ending", ["parquet", "csv"])
    def test_details(self, tmp_path: Path, ending: str) -> None:
        """Details are joined by ticker; what they lack is unknown, the name then being the ticker."""
        details = pl.DataFrame(
            {"ticker": ["A", "Z"], "sector": ["Energy", ""], "industry": ["Refining", ""], "x": [1, 2]}
        )
        path = tmp_path / f"details.{ending}"
        details.write_csv(path) if ending == "csv" else details.write_parquet(path)
        market = load_replay(write(tmp_path, bars()), path).market
        known, unknown = market.listings(DAYS[0])

        assert (known.ticker, known.sector, known.industry, known.sic_description) == (
            "A",
            "Energy",
            "Refining",
            "Refining",
        )
        assert (unknown.ticker, unknown.name, unknown.sector, unknown.industry) == ("B", "B", None, None)
        assert market.listing("Z") is None

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("sector\nEnergy\n", "missing column ticker"),
            (
                "ticker,sector\nA,Energy\nB,x\nA,y\n",
                "line 2, column ticker: 'A', expected one row a ticker, or equal ones; line 4",
            ),
            ("ticker,sector\nA,Energy\n,x\n", "line 3, column ticker: nothing, expected a ticker"),
        ],
    )
    def test_wrong_details(self, tmp_path: Path, text: str, expected: str) -> None:
        """A details file is held to its key."""
        path = tmp_path / "details.csv"
        path.write_text(text)

        with pytest.raises(TableFileError, match=expected):
            load_replay(write(tmp_path, bars()), path)

    @settings(max_examples=30, deadline=None)
    @given(st.sets(st.tuples(st.sampled_from("ABCDE"), st.sampled_from(DAYS)), min_size=6))
    def test_nothing_lost(self, tmp_path_factory: pytest.TempPathFactory, keys: set[tuple[str, date]]) -> None:
        """Whatever rows a file holds, each is played on its day and no other is."""
        asked = pl.DataFrame(list(keys), schema={"ticker": pl.String, "date": pl.Date}, orient="row")
        frame = bars("ABCDE").join(asked, on=["ticker", "date"], how="semi")
        market = load_replay(write(tmp_path_factory.mktemp("any"), frame)).market
        played = {(ticker, day) for day in market.sessions() for ticker in market.bars(day).get_column("ticker")}

        assert keys == played


def open_on(folder: Path, frame: pl.DataFrame, *, opening_day: date | None = DAYS[9]) -> tuple[Exchange, Database]:
    """The exchange of one state directory on a file of these bars."""
    configuration = configure(
        folder / "state", exchange_bars_file=write(folder, frame), exchange_start_date=opening_day
    )
    database = Database(configuration.state_directory)
    try:
        market, read = build_market(configuration)
        return open_stored(market, read, database, configuration), database
    except BaseException:
        database.close()
        raise


def play(exchange: Exchange, sessions: int) -> None:
    """Close that many more sessions."""
    for _ in range(sessions):
        for step in list(exchange.core.steps_to(exchange.core.next_stop(Auction.CLOSE))):
            exchange.core.step(step)


class TestAnotherFile:
    """A fund opened after ten sessions on a file of fifteen, which has played two, and then gets another file."""

    PLAYED = bars(days=DAYS[:15])

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """The folder of such a fund."""
        exchange, database = open_on(tmp_path, self.PLAYED)
        play(exchange, 2)
        database.close()
        return tmp_path

    @pytest.mark.parametrize(
        "frame",
        [
            bars(),
            bars(days=DAYS[:12]),
            pl.concat([bars(days=DAYS[:12]), bars("AC", DAYS[12:], close=9.5)]),
            pl.concat([bars(days=[date(2023, 12, 29)], close=9.5), bars()]),
        ],
        ids=["longer", "ends with what was played", "another future", "begins earlier"],
    )
    def test_continues(self, folder: Path, frame: pl.DataFrame) -> None:
        """Whatever comes after the played sessions, the account goes on where it was."""
        exchange, database = open_on(folder, frame)
        left = len([day for day in exchange.market.sessions() if day > DAYS[11]])
        play(exchange, left)
        database.close()

        assert exchange.clock.reading().session == exchange.market.sessions()[-1]
        assert len(exchange.market.sessions()) >= 12

    @pytest.mark.parametrize(
        ("frame", "difference"),
        [
            (changed(bars(), 23, "close", 11.5), f"B on {DAYS[11]}: close 11 was played, 11.5 is in the file now"),
            (changed(bars(), 2, "volume", 501.0), f"A on {DAYS[1]}: volume 500 was played, 501 is in the file now"),
            (bars(transactions=3), f"A on {DAYS[0]}: transactions nothing was played, 3 is in the file now"),
            (bars("ABC"), f"C on {DAYS[0]}: the file has a bar now where none was played"),
            (bars("A"), f"B on {DAYS[0]}: the file has no bar any more where one was played"),
            (bars(days=DAYS[:11]), f"A on {DAYS[11]}: the file has no bar any more where one was played"),
            (bars(days=DAYS[5:]), f"A on {DAYS[0]}: the file has no bar any more where one was played"),
        ],
    )
    def test_refused(self, folder: Path, frame: pl.DataFrame, difference: str) -> None:
        """Other bars of played sessions are refused with the first difference; the right file then continues."""
        with pytest.raises(ConfigurationError) as refusal:
            open_on(folder, frame)
        exchange, database = open_on(folder, self.PLAYED)
        database.close()

        assert difference in refusal.value.detail
        assert exchange.clock.reading().session == DAYS[11]

    def test_accepted_file_counts_from_then_on(self, folder: Path) -> None:
        """After a longer file was played further, the first one, which has other prices there, is refused."""
        exchange, database = open_on(folder, pl.concat([bars(days=DAYS[:12]), bars(days=DAYS[12:], close=9.5)]))
        play(exchange, 1)
        database.close()

        with pytest.raises(ConfigurationError, match=f"A on {DAYS[12]}: close 9.5 was played, 11 is in the file now"):
            open_on(folder, self.PLAYED)

    def test_nothing_half_written(self, folder: Path) -> None:
        """A refused file leaves the kept bars as they were."""
        kept = PlayedBars.in_directory(folder / "state").path.read_bytes()
        with pytest.raises(ConfigurationError):
            open_on(folder, bars(close=9.5))

        assert kept == PlayedBars.in_directory(folder / "state").path.read_bytes()

    @pytest.mark.parametrize(("hour", "expected"), [(14, DAYS[0]), (15, DAYS[1]), (21, DAYS[1]), (23, DAYS[1])])
    def test_last_opened(self, hour: int, expected: date) -> None:
        """A session counts as played from its open, 14:30 UTC."""
        assert expected == last_opened_session(datetime(2024, 1, 3, hour, tzinfo=UTC))
