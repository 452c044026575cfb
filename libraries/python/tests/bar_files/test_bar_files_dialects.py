"""Files of bars as people have them: a random table in a random dialect is read back as it was."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internal.bar_files.bars import read_bars
from internal.bar_files.errors import TableFileError
from internal.dates import sessions
from libraries.python.tests.bar_files.bar_files_kit import COLUMNS, DAYS, bars, read_text, write

NEW_YORK = ZoneInfo("America/New_York")
HEADERS = (
    COLUMNS,
    ("Symbol", "Date", "Open", "High", "Low", "Close", "Volume"),
    ("<TICKER>", "<DATE>", "<OPEN>", "<HIGH>", "<LOW>", "<CLOSE>", "<VOL>"),
    ("TIC", "datetime", "1. open", "2. high", "3. low", "4. close", "5. volume"),
    ("Name", "trade_date", "Open Price", "High Price", "Low Price", "Close/Last", "Share Volume"),
    ("code", "timestamp", "o", "h", "l", "c", "v"),
)
DAY_FORMATS: tuple[Callable[[date], str], ...] = (
    date.isoformat,
    lambda day: f"{day:%Y/%m/%d}",
    lambda day: f"{day:%Y%m%d}",
    lambda day: f"{day:%d/%m/%Y}",
    lambda day: f"{day:%m/%d/%Y}",
    lambda day: f"{day.day}.{day.month}.{day.year}",
    lambda day: f"{day:%d-%b-%Y}",
    lambda day: f"{day:%b %d, %Y}",
    lambda day: f"{day:%m/%d/%y}",
    lambda day: f"{day} 00:00:00-05:00",
    lambda day: f"{day}T21:00:00Z",
    lambda day: str(int(datetime.combine(day, time(16), NEW_YORK).timestamp())),
    lambda day: str(int(datetime.combine(day, time(), NEW_YORK).timestamp() * 1000)),
    lambda day: str((day - date(1970, 1, 1)) // timedelta(days=1) * 86_400 * 10**9),
)
NUMBER_FORMATS: tuple[Callable[[float], str], ...] = (
    lambda value: f"{value:.4f}",
    lambda value: f"{value:,.4f}",
    lambda value: f"${value:.4f}",
    lambda value: f"{value:,.4f}".translate(str.maketrans(",.", ".,")),
    lambda value: f"{value:.4f}".replace(".", ","),
)


@dataclass(frozen=True)
class Style:
    """One way to write a CSV file."""

    header: tuple[str, ...]
    day: Callable[[date], str]
    number: Callable[[float], str]
    separator: str
    encoding: str
    line_end: str
    above: str
    is_quoted: bool
    is_zipped: bool


STYLES = st.builds(
    Style,
    header=st.sampled_from(HEADERS),
    day=st.sampled_from(DAY_FORMATS),
    number=st.sampled_from(NUMBER_FORMATS),
    separator=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    above=st.sampled_from(["", "# prices in dollars\n", "\n\n", "sep={}\n"]),
    is_quoted=st.just(value=True) | st.booleans(),
    is_zipped=st.booleans(),
)
CENTS = st.integers(1, 10_000_000).map(lambda units: units / 10_000)
ROWS = st.tuples(CENTS, CENTS, CENTS, CENTS, st.integers(1, 10**9))
TABLES = st.dictionaries(
    st.tuples(st.sampled_from(["A", "BF.B", "BRK/B", "NA", "TRUE", "null"]), st.sampled_from(DAYS)), ROWS, min_size=2
)


def write_styled(rows: dict[tuple[str, date], tuple[float, ...]], style: Style) -> bytes:
    """The table as a file in that style; a cell that holds the separator is quoted."""

    def cell(text: str) -> str:
        return f'"{text}"' if style.is_quoted or style.separator in text else text

    lines = [style.header] + [
        (ticker, style.day(day), *(style.number(price) for price in prices), str(volume))
        for (ticker, day), (*prices, volume) in rows.items()
    ]
    text = style.above.format(style.separator) + "\n".join(style.separator.join(map(cell, line)) for line in lines)
    content = text.replace("\n", style.line_end).encode(style.encoding)
    return gzip.compress(content) if style.is_zipped else content


@settings(max_examples=60, deadline=None)
@given(TABLES, STYLES)
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory, rows: dict[tuple[str, date], tuple[float, ...]], style: Style
) -> None:
    """Every row, day and number comes back, whatever the dialect; the 31 January makes every date unambiguous."""
    rows = rows | {("ZZ", DAYS[-1]): (1234.5678, 1.25, 1.0625, 10.5, 7)}
    name = "Prices.CSV.gz" if style.is_zipped else "Prices.CSV"
    read = read_text(tmp_path_factory.mktemp("any"), write_styled(rows, style), name)

    found = {(row[0], row[1]): row[2:] for row in read.bars.select(COLUMNS).iter_rows()}
    assert found == {key: (*prices, float(volume)) for key, (*prices, volume) in rows.items()}
    assert len(rows) == read.report.rows_read


class TestDates:
    """Formats of dates, and what cannot be known."""

    def test_ambiguous(self, tmp_path: Path) -> None:
        """3/4, 4/4 and 10/4 are sessions in both readings: nothing is guessed."""
        lines = [f"A,{text},10,11,9,10,100" for text in ("03/04/2024", "04/04/2024", "10/04/2024")]
        with pytest.raises(TableFileError) as refusal:
            read_text(tmp_path, "ticker,date,open,high,low,close,volume\n" + "\n".join(lines))

        assert "the dates (03/04/2024, 04/04/2024, 10/04/2024) can be read as day first" in refusal.value.detail
        assert "or month first, month/day/year" in refusal.value.detail
        assert "write them as year-month-day, such as 2015-01-12" in refusal.value.detail

    def test_calendar_decides(self, tmp_path: Path) -> None:
        """6/4/2024 is a Saturday day first, and a Tuesday (4 June) month first: only one reading is possible."""
        lines = [f"A,{text},10,11,9,10,100" for text in ("06/04/2024", "07/05/2024")]
        read = read_text(tmp_path, "ticker,date,open,high,low,close,volume\n" + "\n".join(lines))

        assert read.bars.get_column("date").to_list() == [date(2024, 6, 4), date(2024, 7, 5)]
        assert read.report.dates == "month first, month/day/year"

    @pytest.mark.parametrize(
        ("zone", "hour"), [("UTC", 21), ("America/New_York", 0), ("America/New_York", 16), ("Asia/Tokyo", 9)]
    )
    def test_zone(self, tmp_path: Path, zone: str, hour: int) -> None:
        """The session of a time stamp is the day that it has in its own zone, whatever day that is in UTC."""
        stamps = pl.Series([datetime(day.year, day.month, day.day, hour) for day in DAYS])  # noqa: DTZ001 - zone below
        frame = bars("A").with_columns(stamps.dt.replace_time_zone(zone).alias("date"))
        read = read_bars(write(tmp_path, frame))

        assert read.bars.get_column("date").to_list() == DAYS
        assert read.report.dates == f"time stamps in {zone}: the day there"

    @pytest.mark.parametrize(
        ("kind", "factor"), [(pl.Int64, 1), (pl.Float64, 1), (pl.UInt64, 1000), (pl.Int64, 10**6), (pl.Int64, 10**9)]
    )
    def test_epoch(self, tmp_path: Path, kind: type[pl.DataType], factor: int) -> None:
        """Seconds to nanoseconds since 1970; 16:00 in New York is 21:00 UTC in January."""
        seconds = [int(datetime.combine(day, time(16), NEW_YORK).timestamp()) * factor for day in DAYS]
        read = read_bars(write(tmp_path, bars("A").with_columns(pl.Series("date", seconds, dtype=kind))))

        assert read.bars.get_column("date").to_list() == DAYS

    def test_whole_days(self, tmp_path: Path) -> None:
        """Midnights in UTC are days, not the evenings before them in New York."""
        frame = bars("A").with_columns(pl.col("date").cast(pl.Datetime("ms")).cast(pl.Int64))
        read = read_bars(write(tmp_path, frame))

        assert read.bars.get_column("date").to_list() == DAYS
        assert read.report.dates == "milliseconds since 1970, whole days"

    def test_intraday(self, tmp_path: Path) -> None:
        """Bars of a minute are no daily bars: the message says so."""
        lines = [f"A,2024-01-02 09:{minute},10,11,9,1{minute % 10},100" for minute in (30, 31)]
        with pytest.raises(TableFileError, match="one row a ticker and date; bars of less than a day are not read"):
            read_text(tmp_path, "ticker,date,open,high,low,close,volume\n" + "\n".join(lines))

    @pytest.mark.parametrize("kind", [pl.Int32, pl.Int64, pl.Float64])
    def test_compact_numbers(self, tmp_path: Path, kind: type[pl.DataType]) -> None:
        """20240102 as a number."""
        frame = bars("A").with_columns(pl.col("date").dt.strftime("%Y%m%d").cast(pl.Int64).cast(kind))

        assert read_bars(write(tmp_path, frame)).bars.get_column("date").to_list() == DAYS


class TestNumbers:
    """Decimal signs."""

    def test_ambiguous(self, tmp_path: Path) -> None:
        """1,234 alone may be 1.234 or 1234."""
        with pytest.raises(TableFileError, match="'1,234' may be a decimal comma or a comma between thousands"):
            read_text(tmp_path, 'ticker,date,open,high,low,close,volume\nA,2024-01-02,5,"1,234",1,5,100\n')

    def test_report(self, tmp_path: Path) -> None:
        """What was understood is said."""
        read = read_text(tmp_path, "ticker;date;open;high;low;close;volume\nA;2024-01-02;10,5;11;9;10;1.000\n")

        assert read.report.numbers == "written as 1.234,5"
        assert read.report.description == "CSV with semicolons between the columns"
        assert read.bars.row(0)[3:8] == (10.5, 11.0, 9.0, 10.0, 1000.0)

    def test_mixed(self, tmp_path: Path) -> None:
        """Commas that fit no style are named with their line."""
        with pytest.raises(TableFileError, match="line 2, column high: '1,23,4', expected a number"):
            read_text(tmp_path, 'ticker,date,open,high,low,close,volume\nA,2024-01-02,5.5,"1,23,4",1,5,100\n')


class TestLines:
    """Lines that are no rows."""

    TEXT = "#exported\nsep=;\n# two\nticker;date;open;high;low;close;volume\nA;2024-01-02;1;2;1;2;100\n#end\n\n"

    def test_skipped(self, tmp_path: Path) -> None:
        """Comments, a `sep=` line and blank lines are skipped, and said."""
        report = read_text(tmp_path, self.TEXT).report

        assert report.notes == (
            "skipped 1 comment line, the first is line 6",
            "skipped the 3 lines above the names of the columns",
        )
        assert [(one.reason, one.count) for one in report.left_out] in ([], [("blank", 1)])

    def test_line_numbers(self, tmp_path: Path) -> None:
        """A message still names the file's own line."""
        text = self.TEXT + "B;2024-01-02;x;2;1;2;100\n"
        with pytest.raises(TableFileError, match="line 8, column open: 'x', expected a number"):
            read_text(tmp_path, text)

    def test_windows_encoding(self, tmp_path: Path) -> None:
        """A name in Windows-1252 is read, and said."""
        text = "ticker,date,open,high,low,close,volume,company\nA,2024-01-02,1,2,1,2,100,Nestlé\n"
        report = read_text(tmp_path, text.encode("cp1252")).report

        assert report.notes == ("the text is Windows-1252",)


TEXTS = (pl.String, pl.Categorical, pl.Enum(["A", "B"]), pl.Binary)
NUMBERS = (pl.Int8, pl.UInt16, pl.Int64, pl.Float32, pl.Decimal(12, 3), pl.String)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("number", NUMBERS)
def test_parquet_types(tmp_path: Path, text: pl.DataType, number: pl.DataType) -> None:
    """Any type of text and number in a parquet file gives the same bars."""
    frame = bars().with_columns(pl.col("open", "high", "low", "close").cast(pl.Int64).cast(number))
    frame = frame.with_columns(pl.col("ticker").cast(text), pl.col("volume").cast(pl.Int32))
    read = read_bars(write(tmp_path, frame))

    assert read.bars.select(COLUMNS).equals(bars().sort("date", "ticker"))


def test_pandas_index(tmp_path: Path) -> None:
    """An index without a name, as pandas writes it, holds the dates."""
    path = tmp_path / "bars.parquet"
    stamps = bars().with_columns(pl.col("date").cast(pl.Datetime("ns"))).rename({"date": "__index_level_0__"})
    stamps.write_parquet(path)

    assert read_bars(path).bars.select(COLUMNS).equals(bars().sort("date", "ticker"))


class TestFolder:
    """A folder of one file a ticker."""

    def test_mixed_files(self, tmp_path: Path) -> None:
        """Files of different kinds, dialects and columns; the name is the ticker where a file has none."""
        one, two, three = (bars(ticker) for ticker in "ABC")
        one.drop("ticker").write_csv(tmp_path / "A.csv")
        two.drop("ticker").rename({"close": "Close", "date": "Date"}).write_parquet(tmp_path / "B.parquet")
        (tmp_path / "c.csv.gz").write_bytes(gzip.compress(three.write_csv(separator=";").encode()))
        (tmp_path / ".DS_Store").write_bytes(b"\0")
        read = read_bars(tmp_path)

        assert read.bars.select(COLUMNS).equals(bars("ABC").sort("date", "ticker"))
        assert "tickers: the names of the files" in read.report.notes
        assert read.report.description.startswith("folder of 3 files, CSV and CSV with semicolons")

    def test_small_letters(self, tmp_path: Path) -> None:
        """Names that are all in small letters give tickers in capitals, and it is said."""
        for ticker in "ab":
            bars().head(21).drop("ticker").unique("date").write_csv(tmp_path / f"{ticker}.csv")
        read = read_bars(tmp_path)

        assert set(read.bars.get_column("ticker")) == {"A", "B"}
        assert "tickers: the names of the files, in capitals" in read.report.notes

    def test_place(self, tmp_path: Path) -> None:
        """A message names file and line."""
        bars("A").drop("ticker").write_csv(tmp_path / "A.csv")
        bars("B", open=-1.0).drop("ticker").write_csv(tmp_path / "B.csv")

        with pytest.raises(TableFileError, match=r"B\.csv line 2, column open: -1\.0, expected a finite number"):
            read_bars(tmp_path)

    def test_empty(self, tmp_path: Path) -> None:
        """A folder without any is refused with what was expected."""
        with pytest.raises(
            TableFileError, match=r"the folder has no \.csv, \.csv\.gz or \.parquet file; expected one a"
        ):
            read_bars(tmp_path)


class TestJumps:
    """Prices that were not adjusted for a split."""

    @staticmethod
    def prices(ratio: float, adjusted: bool | None) -> pl.DataFrame:  # noqa: FBT001 - a parameter of the test
        """One ticker at 100 that trades at 100 / ratio from the sixth session on."""
        close = [100.0] * 5 + [100.0 / ratio] * 16
        frame = pl.DataFrame({"ticker": "A", "date": DAYS, "close": close}).with_columns(
            pl.col("close").alias("open"), pl.col("close").alias("high"), pl.col("close").alias("low"), volume=5.0
        )
        if adjusted is None:
            return frame
        return frame.with_columns(pl.Series("Adj Close", [100.0 / ratio] * 21 if adjusted else close))

    @pytest.mark.parametrize("ratio", [2.0, 4.0, 1.5, 0.1])
    @pytest.mark.parametrize("adjusted", [None, True])
    def test_reported(self, tmp_path: Path, ratio: float, adjusted: bool | None) -> None:  # noqa: FBT001 - as above
        """A jump by a split's ratio is reported with ticker, day and ratio."""
        (jump,) = read_bars(write(tmp_path, self.prices(ratio, adjusted))).report.jumps

        assert (jump.ticker, jump.date, jump.close) == ("A", DAYS[5], 100.0)
        assert jump.ratio == pytest.approx(ratio)

    @pytest.mark.parametrize("useless", [0.0, -1.0, None, "abc"])
    def test_useless_adjusted_closes(self, tmp_path: Path, useless: float | str | None) -> None:
        """Adjusted closes without a number above 0 hide no jump, and the report says that they tell nothing."""
        frame = self.prices(2.0, adjusted=None).with_columns(pl.lit(useless).alias("Adj Close"))
        report = read_bars(write(tmp_path, frame)).report
        assert [jump.ratio for jump in report.jumps] == pytest.approx([2.0])
        assert "`close` is played as it is; `Adj Close` has no number above 0 and tells nothing" in report.notes

    def test_adjusted_closes_of_some_rows(self, tmp_path: Path) -> None:
        """How many rows have one is said."""
        frame = self.prices(2.0, adjusted=True)
        known = pl.when(pl.col("date") > DAYS[10]).then("Adj Close").alias("Adj Close")
        notes = read_bars(write(tmp_path, frame.with_columns(known))).report.notes
        assert notes[-1].endswith("`Adj Close` only tells whether splits were adjusted, in 10 of 21 rows")

    @pytest.mark.parametrize(("ratio", "adjusted"), [(2.0, False), (1.2, None), (2.3, None), (1.0, None)])
    def test_not_reported(self, tmp_path: Path, ratio: float, adjusted: bool | None) -> None:  # noqa: FBT001 - as above
        """A fall that the adjusted closes have as well is none, nor is one by another ratio."""
        assert read_bars(write(tmp_path, self.prices(ratio, adjusted))).report.jumps == ()


def test_report_width(tmp_path: Path) -> None:
    """The report fits a terminal, and says all of it."""
    frame = TestJumps.prices(2.0, adjusted=True).with_columns(pl.lit(1).alias(f"extra {n}") for n in range(12))
    lines = read_bars(write(tmp_path, frame)).report.lines()
    text = " ".join(line.strip() for line in lines)

    assert max(map(len, lines)) <= 80
    assert "adjusted_close from `Adj Close`" in text
    assert "`close` is played as it is; `Adj Close` only tells whether splits were adjusted" in text
    assert "`extra 7` and 4 more" in text
    assert f"not adjusted for a split? A {DAYS[5]}: 100 to 50, ratio 2" in text
    assert "21 sessions from 2024-01-02 to 2024-01-31" in text
    assert sessions(DAYS[0], DAYS[-1]) == DAYS
