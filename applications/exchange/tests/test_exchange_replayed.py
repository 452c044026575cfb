"""The replayed market: what a file may hold, what is refused and with which message, and what the real file becomes."""

from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.adapters.bars_file import load_replayed_market, read_table, source_of
from internal.dates import sessions
from internal.errors import ConfigurationError
from internal.schemas import equity_bars
from internal.venue.market.replayed_bars import ReplayReport, UnplayableTableError, prepare_bars

REAL_DATA = Path(__file__).parents[4] / "shared" / "data"
DAYS = sessions(date(2024, 1, 2), date(2024, 1, 31))


def bars(tickers: str = "AB", days: list[date] = DAYS, **columns: object) -> pl.DataFrame:
    """Sound bars, one row a ticker and day; columns can be set to one value."""
    rows = [(ticker, day, 10.0, 12.0, 9.0, 11.0, 500.0) for day in days for ticker in tickers]
    schema = ["ticker", "date", "open", "high", "low", "close", "volume"]
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        pl.lit(value).alias(name) for name, value in columns.items()
    )


def changed(frame: pl.DataFrame, row: int, column: str, value: object) -> pl.DataFrame:
    """The frame with one cell changed."""
    new = pl.lit(value, frame.schema[column])
    return (
        frame.with_row_index()
        .with_columns(pl.when(pl.col("index") == row).then(new).otherwise(pl.col(column)).alias(column))
        .drop("index")
    )


def read_bars(path: Path) -> tuple[pl.DataFrame, ReplayReport]:
    """The file's bars, checked."""
    return prepare_bars(read_table(path), source_of(path))


def write(folder: Path, frame: pl.DataFrame, ending: str = "parquet") -> Path:
    """The frame as a file of that kind."""
    path = folder / f"bars.{ending}"
    if ending == "csv":
        frame.write_csv(path)
    else:
        frame.write_parquet(path)
    return path


class TestReading:
    """What is played."""

    @pytest.mark.parametrize("ending", ["parquet", "csv"])
    def test_formats(self, tmp_path: Path, ending: str) -> None:
        """Parquet and CSV give the same bars, in the contract's columns, in order, whatever the rows' order."""
        shuffled = bars().sample(fraction=1.0, shuffle=True, seed=1)
        played, report = read_bars(write(tmp_path, shuffled, ending))

        assert played.equals(equity_bars.validate(played))
        assert played.select(shuffled.columns).equals(bars().sort("date", "ticker"))
        assert (report.rows_read, report.rows_played, report.dropped, report.outside_range) == (42, 42, {}, 0)

    @pytest.mark.parametrize("name", ["vwap", "volume_weighted_average_price"])
    def test_optional_columns(self, tmp_path: Path, name: str) -> None:
        """Average price under either name and transactions are taken; other columns are ignored."""
        frame = bars(transactions=7, note="x").with_columns(pl.lit(10.5).alias(name))
        played, _ = read_bars(write(tmp_path, frame))

        assert set(played.get_column("volume_weighted_average_price")) == {10.5}
        assert set(played.get_column("transactions")) == {7}
        assert list(equity_bars.COLUMNS) == played.columns

    def test_date_time(self, tmp_path: Path) -> None:
        """Dates that were stored as moments are taken by their day."""
        frame = bars().with_columns(pl.col("date").cast(pl.Datetime("ns")))
        played, _ = read_bars(write(tmp_path, frame))

        assert played.get_column("date").unique().sort().to_list() == DAYS

    def test_single_precision(self, tmp_path: Path) -> None:
        """What single precision left behind is rounded away: 112.599998 was 112.6."""
        played, _ = read_bars(write(tmp_path, bars(open=112.599998, high=113.0, low=112.0, close=112.5)))

        assert set(played.get_column("open")) == {112.6}

    @pytest.mark.parametrize(
        ("column", "value", "reason"),
        [
            ("volume", 0.0, "zero volume"),
            ("volume", None, "missing volume"),
            ("close", 0.0, "zero price"),
            ("low", None, "missing price"),
        ],
    )
    def test_dropped(self, tmp_path: Path, column: str, value: float | None, reason: str) -> None:
        """A row on which nothing can be traded is dropped, and counted by reason."""
        played, report = read_bars(write(tmp_path, changed(bars(), 4, column, value)))

        assert report.dropped == {reason: 1}
        assert played.height == report.rows_played == 41
        assert played.filter(ticker="A", date=DAYS[2]).is_empty()

    @pytest.mark.parametrize(("column", "value"), [("close", 12.5), ("open", 8.5), ("close", 8.99)])
    def test_outside_range(self, tmp_path: Path, column: str, value: float) -> None:
        """A price outside low..high is played as the file says, and counted."""
        played, report = read_bars(write(tmp_path, changed(bars(), 4, column, value)))

        assert report.outside_range == 1
        assert played.filter(ticker="A", date=DAYS[2]).get_column(column).item() == value

    @settings(max_examples=30, deadline=None)
    @given(st.sets(st.tuples(st.sampled_from("ABCDE"), st.sampled_from(DAYS)), min_size=6))
    def test_nothing_lost(self, tmp_path_factory: pytest.TempPathFactory, keys: set[tuple[str, date]]) -> None:
        """Whatever rows a file holds, each is played on its day and no other is."""
        asked = pl.DataFrame(list(keys), schema={"ticker": pl.String, "date": pl.Date}, orient="row")
        frame = bars("ABCDE").join(asked, on=["ticker", "date"], how="semi")
        market = load_replayed_market(write(tmp_path_factory.mktemp("any"), frame))
        played = {(ticker, day) for day in market.sessions() for ticker in market.bars(day).get_column("ticker")}

        assert keys == played


class TestRefusal:
    """What is refused, and that the sentence names file, row, column and what was expected."""

    @pytest.mark.parametrize(
        ("column", "value", "expected"),
        [
            ("ticker", None, "nothing, expected a ticker"),
            ("date", None, "nothing, expected a date"),
            ("date", date(2024, 1, 6), "2024-01-06, expected a session of XNYS"),
            ("date", date(1850, 1, 2), "1850-01-02, expected a session of XNYS"),
            ("open", -1.0, "-1.0, expected a finite number, 0 or more"),
            ("high", float("inf"), "inf, expected a finite number, 0 or more"),
            ("close", float("nan"), "nan, expected a finite number, 0 or more"),
            ("volume", -5.0, "-5.0, expected a finite number, 0 or more"),
        ],
    )
    def test_impossible(self, tmp_path: Path, column: str, value: object, expected: str) -> None:
        """The fifth row of a parquet file is row 5."""
        path = write(tmp_path, changed(bars(), 4, column, value))

        with pytest.raises(UnplayableTableError) as refusal:
            read_bars(path)

        assert f"{path}: row 5, column {column}: {expected}" in refusal.value.detail

    def test_text_in_csv(self, tmp_path: Path) -> None:
        """Text in a number is reported with the file's own line, the header being line 1, and the text."""
        path = write(tmp_path, bars(), "csv")
        lines = path.read_text().splitlines()
        lines[6] = lines[6].replace("11.0", "eleven").replace("500.0", "1,000")
        lines[9] = lines[9].replace("2024-01-08", "08.01.2024")
        path.write_text("\n".join(line.replace("1,000", '"1,000"') for line in lines))

        with pytest.raises(UnplayableTableError) as refusal:
            read_bars(path)

        assert "line 7, column close: 'eleven', expected a number" in refusal.value.detail
        assert "line 7, column volume: '1,000', expected a number" in refusal.value.detail
        assert "line 10, column date: '08.01.2024', expected a date such as 2015-01-12" in refusal.value.detail

    def test_doubled(self, tmp_path: Path) -> None:
        """Two rows of one ticker and date: nothing says which is right, so both are named."""
        path = write(tmp_path, pl.concat([bars(), bars().head(1)]))

        with pytest.raises(
            UnplayableTableError, match="row 1, column ticker: 'A', expected one row a ticker and date; row 43"
        ):
            read_bars(path)

    def test_many(self, tmp_path: Path) -> None:
        """Of many faults the first are reported, and how many there are."""
        path = write(tmp_path, bars(close=-1.0))

        with pytest.raises(UnplayableTableError, match=r"row 3, column close: -1.0, .*\(and 39 more such\)$"):
            read_bars(path)

    @pytest.mark.parametrize("column", ["ticker", "date", "open", "high", "low", "close", "volume"])
    def test_missing_column(self, tmp_path: Path, column: str) -> None:
        """A missing column is named, with those that are there."""
        with pytest.raises(UnplayableTableError, match=f"missing column {column}; found "):
            read_bars(write(tmp_path, bars().drop(column)))

    @pytest.mark.parametrize(
        ("name", "content", "expected"),
        [
            ("bars.parquet", b"PAR1 this is no parquet", "cannot be read as parquet"),
            ("bars.parquet", b"", "cannot be read as parquet"),
            ("bars.csv", b"", "cannot be read as csv"),
            ("bars.csv", b"ticker,date,open\nA,2024-01-02,1,2,3\n", "cannot be read as csv"),
            ("bars.csv", b"\xff\xfe\x00ticker,\x80", "cannot be read as csv|missing column"),
            ("bars.xlsx", b"PK", "expected a .parquet or .csv file, not .xlsx"),
            ("bars", b"", "expected a .parquet or .csv file, not one without an ending"),
        ],
    )
    def test_unreadable(self, tmp_path: Path, name: str, content: bytes, expected: str) -> None:
        """A file that is not what its name says is refused."""
        (tmp_path / name).write_bytes(content)

        with pytest.raises(UnplayableTableError, match=expected):
            read_bars(tmp_path / name)

    def test_truncated(self, tmp_path: Path) -> None:
        """Half a parquet file is refused whole."""
        path = write(tmp_path, bars())
        path.write_bytes(path.read_bytes()[:-40])

        with pytest.raises(UnplayableTableError, match="cannot be read as parquet"):
            read_bars(path)

    def test_absent(self, tmp_path: Path) -> None:
        """A missing file is refused by its name."""
        with pytest.raises(UnplayableTableError, match=r"nowhere\.parquet"):
            read_bars(tmp_path / "nowhere.parquet")

    @pytest.mark.parametrize(
        ("frame", "expected"),
        [
            (bars(date=20240102), "column date holds Int32; expected dates"),
            (bars(close=datetime(2024, 1, 2)), "column close holds Datetime.*; expected numbers"),  # noqa: DTZ001 - a cell
            (bars().clear(), "none of its 0 rows can be traded"),
            (bars(volume=0.0), "none of its 42 rows can be traded"),
        ],
    )
    def test_wrong_frame(self, tmp_path: Path, frame: pl.DataFrame, expected: str) -> None:
        """Wrong column types, and a file with nothing to trade."""
        with pytest.raises(UnplayableTableError, match=expected):
            read_bars(write(tmp_path, frame))


class TestMarket:
    """What a file becomes."""

    def test_opening(self, tmp_path: Path) -> None:
        """Of 20 sessions, 4 are left after the opening one; a given day is taken instead."""
        path = write(tmp_path, bars(days=DAYS[:20]))

        assert DAYS[15] == load_replayed_market(path).opening_session()
        assert DAYS[9] == load_replayed_market(path, opening_day=DAYS[9]).opening_session()

    @pytest.mark.parametrize("day", [DAYS[0] - timedelta(days=1), DAYS[-1]])
    def test_wrong_opening(self, tmp_path: Path, day: date) -> None:
        """An opening day outside the file, or its last, leaves nothing to play."""
        with pytest.raises(ConfigurationError, match="EXCHANGE_START_DATE"):
            load_replayed_market(write(tmp_path, bars()), opening_day=day)

    def test_one_session(self, tmp_path: Path) -> None:
        """One session cannot be traded on."""
        with pytest.raises(UnplayableTableError, match="at least two"):
            load_replayed_market(write(tmp_path, bars(days=DAYS[:1])))

    def test_lives(self, tmp_path: Path) -> None:
        """Listed from the first row to the last; a gap is a halt; a missing session is played without bars."""
        frame = pl.concat([bars("A"), bars("B", [DAYS[3], DAYS[5], DAYS[6]])]).filter(pl.col("date") != DAYS[8])
        market = load_replayed_market(write(tmp_path, frame))
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
        market = load_replayed_market(write(tmp_path, bars()), path)
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
            ("ticker,sector\nA,Energy\nB,x\nA,y\n", "line 2, column ticker: 'A' more than once"),
            ("ticker,sector\nA,Energy\n,x\n", "line 3, column ticker: nothing, expected one row a ticker"),
        ],
    )
    def test_wrong_details(self, tmp_path: Path, text: str, expected: str) -> None:
        """A details file is held to its key."""
        path = tmp_path / "details.csv"
        path.write_text(text)

        with pytest.raises(UnplayableTableError, match=expected):
            load_replayed_market(write(tmp_path, bars()), path)


@pytest.mark.real_data
@pytest.mark.skipif(not REAL_DATA.is_dir(), reason="the real bars are not on this machine")
def test_real_bars() -> None:
    """The real file plays: 41 rows of zero volume dropped, one odd row kept, everything else as it was."""
    path = REAL_DATA / "us_equity_bars_2015_2018.parquet"
    market = load_replayed_market(path, REAL_DATA / "us_equity_details.parquet")
    raw = pl.read_parquet(path).filter(pl.col("volume") > 0)
    played = pl.concat([market.bars(day) for day in market.sessions()])
    both = played.join(raw, on=["ticker", "date"], suffix="_raw")
    furthest = both.select((pl.col("close") - pl.col("close_raw")).abs().max()).item()
    apple = market.listing("AAPL")

    assert market.report.dropped == {"zero volume": 41}
    assert market.report.outside_range == 1
    assert both.height == played.height == raw.height == 199_268
    assert furthest <= 0.00005
    assert date(2017, 10, 18) == market.opening_session()
    assert apple is not None
    assert apple.sector == "INFORMATION TECHNOLOGY"
    assert len(equity_bars.split_valid(played)[1]) == 1
