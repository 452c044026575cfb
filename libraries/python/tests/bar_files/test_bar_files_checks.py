"""Files of bars in the fund's own columns: what is used, what is left out, what is refused and with which message."""

from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from internal.bar_files.bars import read_bars
from internal.bar_files.errors import TableFileError
from internal.bar_files.replay import load_replay
from internal.schemas import equity_bars
from libraries.python.tests.bar_files.bar_files_kit import DAYS, bars, changed, write

REAL_DATA = Path(__file__).parents[4].parent / "shared" / "data"


class TestReading:
    """What is used."""

    @pytest.mark.parametrize("ending", ["parquet", "csv"])
    def test_formats(self, tmp_path: Path, ending: str) -> None:
        """Parquet and CSV give the same bars, in the contract's columns, in order, whatever the rows' order."""
        shuffled = bars().sample(fraction=1.0, shuffle=True, seed=1)
        read = read_bars(write(tmp_path, shuffled, ending))

        assert read.bars.equals(equity_bars.validate(read.bars))
        assert read.bars.select(shuffled.columns).equals(bars().sort("date", "ticker"))
        assert (read.report.rows_read, read.report.rows_used, read.report.left_out) == (42, 42, ())
        assert (read.report.tickers, read.report.sessions, read.report.outside_range) == (2, 21, 0)

    @pytest.mark.parametrize("name", ["vwap", "volume_weighted_average_price"])
    def test_optional_columns(self, tmp_path: Path, name: str) -> None:
        """Average price under either name and transactions are taken; other columns are ignored and named."""
        frame = bars(transactions=7, note="x", row=3).with_columns(pl.lit(10.5).alias(name))
        read = read_bars(write(tmp_path, frame))

        assert set(read.bars.get_column("volume_weighted_average_price")) == {10.5}
        assert set(read.bars.get_column("transactions")) == {7}
        assert list(equity_bars.COLUMNS) == read.bars.columns
        assert read.report.ignored_columns == ("note", "row")

    def test_single_precision(self, tmp_path: Path) -> None:
        """What single precision left behind is rounded away: 112.599998 was 112.6."""
        read = read_bars(write(tmp_path, bars(open=112.599998, high=113.0, low=112.0, close=112.5)))

        assert set(read.bars.get_column("open")) == {112.6}

    @pytest.mark.parametrize(
        ("column", "value", "reason"),
        [
            ("volume", 0.0, "zero volume"),
            ("volume", None, "missing volume"),
            ("close", 0.0, "zero price"),
            ("low", None, "missing price"),
            ("close", float("nan"), "missing price"),
        ],
    )
    def test_left_out(self, tmp_path: Path, column: str, value: float | None, reason: str) -> None:
        """A row on which nothing can be traded is left out, counted by reason, and named."""
        read = read_bars(write(tmp_path, changed(bars(), 4, column, value)))
        (left_out,) = read.report.left_out

        assert (left_out.reason, left_out.count, left_out.examples) == (reason, 1, (f"row 5 A {DAYS[2]}",))
        assert read.bars.height == read.report.rows_used == 41
        assert read.bars.filter(ticker="A", date=DAYS[2]).is_empty()

    def test_repeated_row(self, tmp_path: Path) -> None:
        """The same row twice is one bar, and said."""
        read = read_bars(write(tmp_path, pl.concat([bars(), bars().head(1)])))

        assert read.bars.select(bars().columns).equals(bars().sort("date", "ticker"))
        assert [(one.reason, one.count) for one in read.report.left_out] == [("the same row again", 1)]

    def test_holiday_without_volume(self, tmp_path: Path) -> None:
        """A holiday on which nothing was traded, as some vendors fill their calendar, is left out."""
        holiday = bars("A", [date(2024, 1, 15)], volume=0.0)
        read = read_bars(write(tmp_path, pl.concat([bars(), holiday])))

        assert [(one.reason, one.count) for one in read.report.left_out] == [("zero volume", 1)]

    @pytest.mark.parametrize(("column", "value"), [("close", 12.5), ("open", 8.5), ("close", 8.99)])
    def test_outside_range(self, tmp_path: Path, column: str, value: float) -> None:
        """A price outside low..high is used as the file says, and counted."""
        read = read_bars(write(tmp_path, changed(bars(), 4, column, value)))

        assert read.report.outside_range == 1
        assert read.bars.filter(ticker="A", date=DAYS[2]).get_column(column).item() == value


class TestRefusal:
    """What is refused, and that the sentence names file, row, column and what was expected."""

    @pytest.mark.parametrize(
        ("column", "value", "expected"),
        [
            ("ticker", None, "nothing, expected a ticker"),
            ("ticker", "A\x00B", "expected a ticker without control characters"),
            ("date", None, "nothing, expected a date"),
            ("date", date(2024, 1, 6), "2024-01-06, expected a session of XNYS"),
            ("date", date(1850, 1, 2), "1850-01-02, expected a session of XNYS"),
            ("open", -1.0, "-1.0, expected a finite number, 0 or more"),
            ("high", float("inf"), "inf, expected a finite number, 0 or more"),
            ("volume", -5.0, "-5.0, expected a finite number, 0 or more"),
        ],
    )
    def test_impossible(self, tmp_path: Path, column: str, value: object, expected: str) -> None:
        """The fifth row of a parquet file is row 5."""
        path = write(tmp_path, changed(bars(), 4, column, value))

        with pytest.raises(TableFileError) as refusal:
            read_bars(path)

        assert f"{path}: row 5, column {column}: " in refusal.value.detail
        assert expected in refusal.value.detail

    def test_text_in_csv(self, tmp_path: Path) -> None:
        """Text in a number is reported with the file's own line, the header being line 1, and the text."""
        path = write(tmp_path, bars(), "csv")
        lines = path.read_text().splitlines()
        lines[6] = lines[6].replace("11.0", "eleven").replace("500.0", "5OO")
        lines[9] = lines[9].replace("2024-01-08", "08.01.2024")
        path.write_text("\n".join(lines))

        with pytest.raises(TableFileError) as refusal:
            read_bars(path)

        assert "line 7, column close: 'eleven', expected a number" in refusal.value.detail
        assert "line 7, column volume: '5OO', expected a number" in refusal.value.detail
        assert "line 10, column date: '08.01.2024', expected a date such as 2015-01-12" in refusal.value.detail

    def test_two_bars_of_one_session(self, tmp_path: Path) -> None:
        """Two different rows of one ticker and date: nothing says which is right, so both are named."""
        path = write(tmp_path, pl.concat([bars(), bars(close=10.5).head(1)]))

        with pytest.raises(
            TableFileError, match="row 1, column ticker: 'A', expected one row a ticker and date; row 43"
        ):
            read_bars(path)

    def test_many(self, tmp_path: Path) -> None:
        """Of many faults the first are reported, and how many there are."""
        path = write(tmp_path, bars(close=-1.0))

        with pytest.raises(TableFileError, match=r"row 3, column close: -1.0, .*\(and 39 more such\)$"):
            read_bars(path)

    @pytest.mark.parametrize("column", ["ticker", "date", "open", "high", "low", "close", "volume"])
    def test_missing_column(self, tmp_path: Path, column: str) -> None:
        """A missing column is named, with those that are there."""
        with pytest.raises(TableFileError, match=f"missing column {column}; found "):
            read_bars(write(tmp_path, bars().drop(column)))

    @pytest.mark.parametrize(
        ("name", "content", "expected"),
        [
            ("bars.parquet", b"PAR1 this is no parquet", "cannot be read as parquet"),
            ("bars.parquet", b"", "cannot be read as parquet"),
            ("bars.csv", b"", "the file is empty; expected a line with the names"),
            ("bars.csv", b"# a comment\n\n", "the file is empty; expected a line with the names"),
            ("bars.csv", b"A,2024-01-02,1,2,3\nB,2024-01-02,1,2,3\n", "add a first line with the names"),
            ("bars.csv", b"ticker,date,open\nA,2024-01-02,1,2,3\n", "cannot be read as CSV"),
            ("bars.csv", b"\xff\xfe\x00ticker,\x80", "neither UTF-8 nor UTF-16|missing column"),
            ("bars.csv", b"ticker\x00,date\n", "this is no text"),
            ("bars.csv.gz", b"ticker,date\n", "bars.csv.gz: cannot be read"),
            (
                "bars.csv",
                b"Price,Close,High\nTicker,A,A\nDate,,\n",
                "lines 1 and 2 are both headers, as yfinance writes",
            ),
            ("bars.xlsx", b"PK", "expected a .csv, .csv.gz or .parquet file, not .xlsx; export it as CSV"),
            ("bars", b"", "expected a .csv, .csv.gz or .parquet file, not one without an ending"),
            ("bars.csv", b"ticker,date,open,high,low,close,Close,volume\n", "`close` and `Close` could both be"),
            ("bars.csv", b"ticker,date,open,high,low,close,close,volume\n", "`close` and `close .7.` could both be"),
        ],
    )
    def test_unreadable(self, tmp_path: Path, name: str, content: bytes, expected: str) -> None:
        """A file that is not what its name says, or has no usable header, is refused."""
        (tmp_path / name).write_bytes(content)

        with pytest.raises(TableFileError, match=expected):
            read_bars(tmp_path / name)

    def test_truncated(self, tmp_path: Path) -> None:
        """Half a parquet file is refused whole."""
        path = write(tmp_path, bars())
        path.write_bytes(path.read_bytes()[:-40])

        with pytest.raises(TableFileError, match="cannot be read as parquet"):
            read_bars(path)

    def test_absent(self, tmp_path: Path) -> None:
        """A missing file is refused by its name."""
        with pytest.raises(TableFileError, match=r"nowhere\.parquet"):
            read_bars(tmp_path / "nowhere.parquet")

    @pytest.mark.parametrize(
        ("frame", "expected"),
        [
            (bars(date=45_000), "column date holds numbers such as 45000, which are neither"),
            (bars(date=True), "column date holds Boolean; expected dates"),
            (bars(close=datetime(2024, 1, 2)), "column close holds Datetime.*; expected numbers"),  # noqa: DTZ001 - a cell
            (bars().clear(), "none of its 0 rows can be traded"),
            (bars(volume=0.0), "none of its 42 rows can be traded"),
        ],
    )
    def test_wrong_frame(self, tmp_path: Path, frame: pl.DataFrame, expected: str) -> None:
        """Wrong column types, and a file with nothing to trade."""
        with pytest.raises(TableFileError, match=expected):
            read_bars(write(tmp_path, frame))


@pytest.mark.real_data
@pytest.mark.skipif(not REAL_DATA.is_dir(), reason="the real bars are not on this machine")
class TestRealBars:
    """The real file gives the market that it gave before one reader served every command."""

    def test_market(self) -> None:
        """41 rows of zero volume are left out, one odd row is kept, the rest is as it was; no jump is reported."""
        path = REAL_DATA / "us_equity_bars_2015_2018.parquet"
        replay = load_replay(path, REAL_DATA / "us_equity_details.parquet")
        report, apple = replay.bars.report, replay.market.listing("AAPL")

        assert [(one.reason, one.count) for one in report.left_out] == [("zero volume", 41)]
        assert (report.rows_used, report.outside_range, report.jumps) == (199_268, 1, ())
        assert date(2017, 10, 18) == replay.market.opening_session()
        assert apple is not None
        assert apple.sector == "INFORMATION TECHNOLOGY"
        assert len(equity_bars.split_valid(replay.bars.bars)[1]) == 1

    def test_frame(self) -> None:
        """Session by session, the frame is the file's rows with volume, prices rounded to four decimals."""
        path = REAL_DATA / "us_equity_bars_2015_2018.parquet"
        market = load_replay(path).market
        prices = [pl.col(name).round(4) for name in ("open", "high", "low", "close")]
        raw = pl.read_parquet(path).filter(pl.col("volume") > 0).select("ticker", "date", *prices, "volume")
        by_day = raw.sort("ticker").partition_by("date", as_dict=True)

        assert set(market.sessions()) == {day for (day,) in by_day}
        for (day,), expected in by_day.items():
            assert isinstance(day, date)
            assert market.bars(day).select(expected.columns).equals(expected)
            assert market.bars(day).select("volume_weighted_average_price", "transactions").null_count().row(0) == (
                expected.height,
                expected.height,
            )
