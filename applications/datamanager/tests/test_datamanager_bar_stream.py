"""Bars of a long range as they are read: each way to ask gives the same rows; a body that ends early is an error."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from applications.datamanager.tests.datamanager_vendor import serve
from datamanager.bar_adjustment import find_adjustment
from datamanager.bar_range import BarRange
from datamanager.bar_stream import find_changed_names, find_files, stream_frames
from datamanager.configuration import Configuration
from datamanager.server import create_application
from internal.dates import session_close, sessions
from internal.errors import UpstreamError
from internal.http.bar_parts import FILE_NAMES, UnreadableFilesError, WantedBars, make_bar_parts, read_bar_parts
from internal.http.datamanager_client import DatamanagerClient
from internal.http.frames import ARROW, CSV, JSON
from internal.http.parts import PARTS, Part, measure_parts, read_parts, write_parts
from internal.lake.store import Lake
from internal.price_adjustment import adjust_bars
from internal.schemas import equity_bars
from internal.schemas.corporate_actions import CORPORATE_ACTIONS_COLUMNS, dividends_of, splits_of
from internal.security_names import name_securities

START, END = date(2024, 1, 17), date(2024, 6, 12)
DAYS = sessions(date(2024, 1, 2), date(2024, 6, 28))
TICKERS = ("CCC", "AAA", "BBB")
KNOWN = datetime(2024, 8, 1, tzinfo=UTC)


def bars_of(day: date, number: int) -> pl.DataFrame:
    """A session of three tickers, not in order."""
    rows = [
        (ticker, day, session_close(day), *[10.0 * place + number / 8] * 4, 100.0 * number, None, place)
        for place, ticker in enumerate(TICKERS, start=1)
    ]
    return pl.DataFrame(rows, schema=equity_bars.COLUMNS, orient="row")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Half a year in several commits: the first months compacted, the last in a file a session; a split, a dividend."""
    lake = Lake(str(tmp_path_factory.mktemp("stream") / "lake"))
    every = [bars_of(day, number) for number, day in enumerate(DAYS)]
    for first, last in ((0, 40), (40, 90)):
        lake.replace_days("equity_bars", pl.concat(reversed(every[first:last])), DAYS[first], DAYS[last - 1])
    lake.compact("equity_bars")
    for day, bars in zip(DAYS[90:], every[90:], strict=True):
        lake.replace_days("equity_bars", bars, day, day)
    known = {"version": 1, "recorded_at": datetime(2024, 7, 1, tzinfo=UTC), "withdrawn": False, "source": "test"}
    split = {"ticker": "AAA", "effective_date": DAYS[60], "old_shares": 1.0, "new_shares": 4.0, "kind": "forward_split"}
    cash = {"ticker": "BBB", "effective_date": DAYS[70], "cash_amount": 0.5, "kind": "cash_dividend"}
    actions = [action | known | {"action_id": action["kind"]} for action in (split, cash)]
    lake.append("corporate_actions", pl.DataFrame(actions, schema=CORPORATE_ACTIONS_COLUMNS))
    return lake


def expected(lake: Lake, *, adjusted: bool) -> pl.DataFrame:
    """The range from what was written, adjusted by the library's reference."""
    every = pl.concat([bars_of(day, number) for number, day in enumerate(DAYS)]).lazy()
    wanted = every.filter(pl.col("date").is_between(START, END))
    if adjusted:
        actions = lake.scan("corporate_actions")
        wanted = adjust_bars(wanted, wanted, splits_of(actions), dividends_of(actions), END)
    return wanted.sort("date", "ticker").collect()


def planned(lake: Lake, *, adjusted: bool = False) -> BarRange:
    """The whole range."""
    as_of = END if adjusted else None
    return BarRange(START, END, list(equity_bars.COLUMNS), None, lake.version("equity_bars"), as_of, KNOWN)


def join(parts: Iterable[Part]) -> io.BytesIO:
    """A response's body of these parts."""
    return io.BytesIO(b"".join(write_parts(parts)))


@pytest.mark.parametrize("adjusted", [False, True])
class TestSameRows:
    """Each way gives the rows that were written."""

    def test_frames(self, filled: Lake, adjusted: bool) -> None:  # noqa: FBT001 - a case
        """Frames of a few months, in order."""
        frames = list(stream_frames(filled, planned(filled, adjusted=adjusted)))

        assert len(frames) > 2
        assert pl.concat(frames).equals(expected(filled, adjusted=adjusted))

    @pytest.mark.parametrize("by_name", [False, True])
    def test_parts(self, filled: Lake, adjusted: bool, by_name: bool) -> None:  # noqa: FBT001 - a case
        """The lake's files or their names, adjusted by the one who reads them."""
        wanted = planned(filled, adjusted=adjusted)
        files = find_files(filled, wanted)
        assert files is not None
        body = join(make_bar_parts(files, None, find_adjustment(filled, wanted), by_name=by_name))
        bars = read_bar_parts(body, WantedBars(START, END, wanted.columns))

        assert bars.equals(expected(filled, adjusted=adjusted))

    def test_service(self, served: str, filled: Lake, adjusted: bool) -> None:  # noqa: FBT001 - a case
        """The fund's client, any Arrow client, and JSON."""
        as_of = END if adjusted else None
        query = {"start_date": str(START), "end_date": str(END)} | ({"adjusted_as_of": str(as_of)} if as_of else {})
        with DatamanagerClient(served, SecretStr("")) as client:
            ours, version = client.bars(START, END, adjusted_as_of=as_of)
            few, _ = client.bars(START, END, adjusted_as_of=as_of, columns=("close", "ticker"), tickers=("BBB",))
            four, _ = client.bars(START, END, adjusted_as_of=as_of, columns=("close", "ticker"))
        arrow = httpx.get(f"{served}/equity-bars", params=query, headers={"Accept": ARROW})
        json = httpx.get(f"{served}/equity-bars", params=query, headers={"Accept": JSON})
        right = expected(filled, adjusted=adjusted)

        assert ours.equals(right)
        assert version == int(arrow.headers["X-Bars-Version"]) == filled.version("equity_bars")
        assert pl.read_ipc_stream(arrow.content).equals(right)
        assert [row["close"] for row in json.json()] == right.get_column("close").to_list()
        assert four.equals(right.select("close", "ticker"))
        assert few.equals(right.filter(ticker="BBB").select("close", "ticker"))


def test_names(filled: Lake) -> None:
    """Two securities that exchange their tickers on the day of a split are one series each, in frames and in parts."""
    swap = [("X", "CCC", DAYS[0], DAYS[59]), ("X", "AAA", DAYS[60], None)]
    swap += [("Y", "AAA", DAYS[0], DAYS[59]), ("Y", "CCC", DAYS[60], None)]
    aliases = pl.DataFrame(swap, ["security_id", "ticker", "start_date", "end_date"], orient="row")
    wanted = replace(planned(filled, adjusted=True), names=name_securities(aliases, END))
    other = pl.col("ticker").replace({"AAA": "CCC", "CCC": "AAA"})
    traded = pl.concat([bars_of(day, number) for number, day in enumerate(DAYS)]).lazy()
    named = traded.with_columns(pl.when(pl.col("date") < DAYS[60]).then(other).otherwise("ticker").alias("ticker"))
    actions = filled.scan("corporate_actions").with_columns(other.alias("ticker"))
    right = adjust_bars(named, named, splits_of(actions), dividends_of(actions), END)
    right = right.filter(pl.col("date").is_between(START, END)).sort("date", "ticker").collect()
    assert pl.concat(stream_frames(filled, wanted)).equals(right)
    one = replace(wanted, tickers=["AAA", "CCC"], named=["CCC"], columns=["date", "ticker", "security_id"])
    assert {("CCC", "Y")} == set(pl.concat(stream_frames(filled, one)).select("ticker", "security_id").rows())
    files = find_files(filled, wanted)
    assert files is not None
    parts = make_bar_parts(files, find_changed_names(wanted), find_adjustment(filled, wanted), by_name=False)
    assert read_bar_parts(join(parts), WantedBars(START, END, wanted.columns)).equals(right)


@pytest.fixture(scope="module")
def served(filled: Lake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Datamanager on the lake, in this process."""
    folder = tmp_path_factory.mktemp("service")
    settings = {"data_bucket": filled.url, "state_directory": folder, "market_data_vendor": "files"}
    application = create_application(Configuration.model_validate(settings))
    with serve(application) as url:
        yield url


def test_names_of_files(served: str, filled: Lake) -> None:
    """Only a caller on the machine that prefers them gets names; files that it has not are sent after all."""
    query = {"start_date": str(START), "end_date": str(END)}
    accept = {"Accept": PARTS}
    named = httpx.get(f"{served}/equity-bars", params=query, headers=accept | {"Prefer": f"wait=9, {FILE_NAMES}"})
    sent = httpx.get(f"{served}/equity-bars", params=query, headers=accept)
    parts = list(read_parts(io.BytesIO(named.content)))
    elsewhere = named.content.replace(filled.url.encode(), b"x" * len(filled.url))

    assert [part.media_type for part in parts] == ["text/uri-list; in-order=true", "text/uri-list"]  # compacted or not
    assert len(named.content) == int(named.headers["content-length"]) < len(sent.content)
    with pytest.raises(UnreadableFilesError):
        read_bar_parts(io.BytesIO(elsewhere), WantedBars(START, END, list(equity_bars.COLUMNS)))


def test_content_types(served: str) -> None:
    """Parts only for a caller that names them and a long range; what nobody offers is refused before a row is read."""
    query = {"start_date": str(START), "end_date": str(END)}
    short = {"start_date": str(START), "end_date": str(START)}
    asked = {
        name: httpx.get(f"{served}/equity-bars", params=query, headers={"Accept": name}) for name in ("*/*", PARTS, CSV)
    }
    brief = httpx.get(f"{served}/equity-bars", params=short, headers={"Accept": PARTS})
    unknown = httpx.get(f"{served}/equity-bars", params=query | {"columns": "colour"}, headers={"Accept": PARTS})

    assert asked["*/*"].headers["content-type"] == brief.headers["content-type"] == ARROW
    assert asked[PARTS].headers["content-type"].startswith(f"{PARTS}; boundary=")
    assert (asked[CSV].status_code, unknown.status_code) == (406, 422)


class TestParts:
    """The framing of parts."""

    @given(contents=st.lists(st.binary(max_size=200), max_size=5))
    def test_round_trip(self, contents: list[bytes]) -> None:
        """The parts are those that were written, and the body is as long as was said."""
        parts = [Part("a/b", content) for content in contents]
        body = join(parts)

        assert len(body.getvalue()) == measure_parts(parts)
        assert list(read_parts(body)) == parts

    def test_files(self, tmp_path: Path) -> None:
        """A file is a part with its length."""
        (tmp_path / "one").write_bytes(b"content")

        assert [part.read() for part in read_parts(join([Part("a/b", tmp_path / "one")]))] == [b"content"]

    @pytest.mark.parametrize("missing", [1, 3, 30, 60])
    def test_ends_early(self, missing: int) -> None:
        """A connection that ends before the last boundary gives no rows."""
        body = join([Part("a/b", b"c" * 40)]).getvalue()

        with pytest.raises(UpstreamError, match="ended before its last part"):
            list(read_parts(io.BytesIO(body[:-missing])))

    @pytest.mark.parametrize(
        "body", [b"<html>\r\n", b"x" * 2_000, b"--part-of-the-table\r\nContent-Length: many\r\n\r\n"]
    )
    def test_no_parts(self, body: bytes) -> None:
        """Another body is named."""
        with pytest.raises(UpstreamError, match="instead of a part"):
            list(read_parts(io.BytesIO(body)))
