"""Bars, corporate actions and SQL over HTTP: representations, columns, names, and what was known at a moment."""

import io
from datetime import date

import httpx
import polars as pl
import pytest

from applications.datamanager.tests.datamanager_service import (
    PREDICTION,
    SESSION,
    problem,
    read,
)
from applications.datamanager.tests.datamanager_vendor import Vendor
from internal.http.client import read_frame_response
from internal.http.frames import ARROW, JSON, PARQUET


def test_corporate_actions(client: httpx.Client, vendor: Vendor) -> None:
    """Splits and dividends are ingested with the bars, the weekend before included; bars are adjusted as of a day."""
    vendor.splits = [{"ticker": "AAA", "execution_date": "2024-03-27", "split_from": 1, "split_to": 4}]
    vendor.dividends = [
        {"ticker": "BBB", "ex_dividend_date": "2024-03-24", "cash_amount": 0.5, "currency": "USD"},
        {
            "ticker": "BBB",
            "ex_dividend_date": "2024-03-27",
            "cash_amount": 1.5,
            "currency": "USD",
            "pay_date": "2024-04-15",
        },
        {"ticker": "BBB", "ex_dividend_date": "2024-03-27", "cash_amount": 0.5, "currency": "USD"},
        {"ticker": "CCC", "ex_dividend_date": "2024-03-27", "cash_amount": 9, "currency": "CAD"},
    ]
    client.post("/equity-bars", json={"start_date": "2024-03-25", "end_date": "2024-03-28"}).raise_for_status()
    assert [("AAA", date(2024, 3, 27), 1.0, 4.0)] == read(client, "/corporate-actions/splits").rows()
    dividends = read(client, "/corporate-actions/dividends", tickers="BBB")
    assert [
        (date(2024, 3, 24), 0.5, None),
        (date(2024, 3, 27), 0.5, None),
        (date(2024, 3, 27), 1.5, date(2024, 4, 15)),
    ] == dividends.select("ex_dividend_date", "cash_amount", "pay_date").rows()
    actions = read(client, "/corporate-actions", kinds="forward_split")
    assert [("polygon", 1, "AAA", 1.0, 4.0)] == actions.select(
        "source", "version", "ticker", "old_shares", "new_shares"
    ).rows()
    before = read(client, "/corporate-actions", as_of="2024-03-28T00:00:00Z")  # recorded today, not then
    assert before.is_empty()
    for wrong in ({"kinds": "party"}, {"as_of": "2024-03-28T00:00:00"}):
        assert client.get("/corporate-actions", params=wrong).status_code == 422

    range_ = {"start_date": "2024-03-26", "end_date": "2024-03-26", "columns": "ticker,close,volume"}
    traded = read(client, "/equity-bars", **range_)
    assert traded.rows() == read(client, "/equity-bars", **range_, adjusted_as_of="2024-03-26").rows()
    adjusted = read(client, "/equity-bars", **range_, adjusted_as_of="2024-03-28")
    (_, aaa_close, aaa_volume), (_, bbb_close, _), ccc = traded.rows()
    assert ("AAA", pytest.approx(aaa_close / 4), pytest.approx(aaa_volume * 4)) == adjusted.row(0)
    assert adjusted.item(1, "close") == pytest.approx(bbb_close * (1 - 2.0 / bbb_close))
    assert ccc == adjusted.row(2)


def test_representations(client: httpx.Client) -> None:
    """The same bars as Arrow, parquet and JSON, with the version of the table."""
    version = client.post("/equity-bars", json={"date": "2024-03-28"}).json()["bars_version"]
    query = {"start_date": "2024-03-28", "end_date": "2024-03-28"}
    answers = {
        kind: client.get("/equity-bars", params=query, headers={"Accept": kind}) for kind in (ARROW, PARQUET, JSON)
    }
    arrow = pl.read_ipc_stream(answers[ARROW].content)
    assert arrow.equals(pl.read_parquet(io.BytesIO(answers[PARQUET].content)))
    assert answers[JSON].json()[0]["date"] == "2024-03-28"
    for answer in answers.values():
        assert (str(version), "Accept") == (answer.headers["x-bars-version"], answer.headers["vary"])
    assert "none of them" in problem(client.get("/equity-bars", params=query, headers={"Accept": "text/html"}), 406)


def test_tickers_and_columns(client: httpx.Client) -> None:
    """The requested rows and columns; an unknown ticker is 404 by name, an unknown column 422 with the known ones."""
    client.post("/equity-bars", json={"date": "2024-03-28"}).raise_for_status()
    query = {"start_date": "2024-03-28", "end_date": "2024-03-28"}
    frame = read(client, "/equity-bars", **query, tickers="CCC, AAA", columns="close,ticker")
    assert (frame.columns, frame.get_column("ticker").to_list()) == (["close", "ticker"], ["AAA", "CCC"])
    assert "NOPE, ZIP" in problem(client.get("/equity-bars", params=query | {"tickers": "AAA,ZIP,NOPE"}), 404)
    assert "volume_weighted" in problem(client.get("/equity-bars", params=query | {"columns": "close,price"}), 422)
    assert "empty entry" in problem(client.get("/equity-bars", params=query | {"tickers": "AAA,"}), 422)
    earlier = {"start_date": "2024-03-01", "end_date": "2024-03-04", "tickers": "AAA"}
    assert read(client, "/equity-bars", **earlier).is_empty(), "a known ticker without bars in the range is no error"


INVALID_RANGES: list[tuple[dict[str, str], str]] = [
    ({}, "start_date is missing"),
    ({"start_date": "2024-03-01"}, "end_date is missing"),
    ({"start_date": "2024-03-01", "end_date": "yesterday"}, "end_date"),
    ({"start_date": "2024-02-30", "end_date": "2024-03-01"}, "start_date"),
    ({"start_date": "2024-03-05", "end_date": "2024-03-01"}, "backwards"),
    ({"start_date": "2014-03-01", "end_date": "2024-03-02"}, "longer than 10 years"),
    ({"start_date": "2024-03-01", "end_date": "2024-03-02", "adjusted_as_of": "soon"}, "adjusted_as_of"),
]


@pytest.mark.parametrize(("query", "expected"), INVALID_RANGES)
def test_invalid_ranges(untouched: tuple[httpx.Client, Vendor], query: dict[str, str], expected: str) -> None:
    """Missing, malformed, backwards and too long ranges have their own messages."""
    client, _ = untouched
    assert expected in problem(client.get("/equity-bars", params=query), 422)


def test_ten_years_are_a_range(untouched: tuple[httpx.Client, Vendor]) -> None:
    """Ten years to the day are allowed."""
    client, _ = untouched
    assert read(client, "/equity-bars", start_date="2014-03-01", end_date="2024-03-01").is_empty()


def test_query(client: httpx.Client) -> None:
    """A SELECT is answered as a frame, any other statement with a problem."""
    client.post("/equity-bars", json={"date": "2024-03-28"}).raise_for_status()
    statement = "SELECT date, sum(volume) AS volume, count(*) AS rows FROM equity_bars GROUP BY date"
    assert read(client, "/query", sql=statement).rows() == [(SESSION, 3_000_004.5, 3)]
    answer = client.get("/query", params={"sql": statement}, headers={"Accept": JSON})
    assert answer.json() == [{"date": "2024-03-28", "volume": 3_000_004.5, "rows": 3}]
    assert "one SELECT statement" in problem(client.get("/query", params={"sql": "DROP TABLE equity_bars"}), 422)
    assert "sql" in problem(client.get("/query"), 422)


def test_one_series_a_security(client: httpx.Client, vendor: Vendor) -> None:
    """A renamed security is one series under its name of the day, a re-used ticker two; prices adjust across names."""
    days = ("2024-03-25", "2024-03-26", "2024-03-27", "2024-03-28")
    tickers = ("FB", "FB", "META", "META")
    for day, ticker in zip(days, tickers, strict=True):
        bar = {"T": ticker, "o": 5, "h": 10, "l": 5, "c": 10 if ticker == "FB" else 5, "v": 1}
        vendor.extra_rows[day] = [bar, {**bar, "T": "RE", "c": 10}]
    vendor.listings = [
        {"ticker": "META", "name": "Meta", "active": True, "share_class_figi": "X", "type": "CS"},
        {"ticker": "FB", "active": False, "share_class_figi": "X", "delisted_utc": "2024-03-27T00:00:00Z"},
        {"ticker": "RE", "active": False, "share_class_figi": "OLD", "delisted_utc": "2024-03-27T00:00:00Z"},
        {"ticker": "RE", "active": True, "share_class_figi": "NEW"},
    ]
    vendor.splits = [{"ticker": "FB", "execution_date": "2024-03-27", "split_from": 1, "split_to": 2}]
    period = {"start_date": days[0], "end_date": days[-1]}
    client.post("/equity-bars", json=period).raise_for_status()
    client.post("/equity-details", json={}).raise_for_status()
    asked = {**period, "columns": "ticker,close,security_id"}
    adjusted = read(client, "/equity-bars", **asked, tickers="META", adjusted_as_of=days[-1])
    assert [("META", 5.0, "X")] * 4 == adjusted.rows()
    assert adjusted.equals(read(client, "/equity-bars", **asked, tickers="FB", adjusted_as_of=days[-1]))
    traded = read(client, "/equity-bars", **asked, tickers="FB,META")
    assert [("FB", 10.0, "X"), ("FB", 10.0, "X"), ("META", 5.0, "X"), ("META", 5.0, "X")] == traded.rows()
    named = read(client, "/equity-bars", **asked, adjusted_as_of=days[-1])
    assert ["RE-20240326", "RE-20240326", "RE", "RE"] == named.filter(
        pl.col("security_id").is_in(["OLD", "NEW"])
    ).get_column("ticker").to_list()
    forecast = PREDICTION | {"date": days[0], "ticker": "FB", "target_date": days[1]}
    client.post("/predictions", json=[forecast]).raise_for_status()
    found = read(client, "/predictions", date=days[0], named_as_of=days[-1], tickers="META", security_ids="true")
    assert [("META", "X")] == found.select("ticker", "security_id").rows()
    assert ["FB"] == read(client, "/predictions", date=days[0]).get_column("ticker").to_list()
    split = read(client, "/corporate-actions", named_as_of=days[-1], security_ids="true")
    assert [("META", "X")] == split.select("ticker", "security_id").rows()
    then = read(client, "/equity-bars", **asked, tickers="FB", adjusted_as_of=days[1])
    assert {("FB", 10.0, "X")} == set(then.rows()[:2])
    assert [("FB", date(2024, 3, 26)), ("META", None)] == read(client, "/securities", tickers="FB,META").select(
        "ticker", "end_date"
    ).rows()
    assert ["META"] == read(client, "/securities", tickers="FB,META", date=days[-1]).get_column("ticker").to_list()


def test_known_at(client: httpx.Client, vendor: Vendor) -> None:
    """Asked again with version and moment, bars are what they were, whatever was corrected since."""
    vendor.splits = [{"ticker": "AAA", "execution_date": "2024-03-28", "split_from": 1, "split_to": 2}]
    period = {"start_date": "2024-03-27", "end_date": "2024-03-28"}
    client.post("/equity-bars", json=period).raise_for_status()
    query = {**period, "adjusted_as_of": "2024-03-28", "columns": "date,ticker,close,security_id"}
    answer = client.get("/equity-bars", params=query)
    then = {"as_of": answer.headers["X-Known-At"], "version": answer.headers["X-Bars-Version"]}
    before = read_frame_response(answer)
    vendor.splits = [{"ticker": "AAA", "execution_date": "2024-03-28", "split_from": 1, "split_to": 4}]
    vendor.extra_rows["2024-03-27"] = [{"T": "LATE", "o": 1, "h": 1, "l": 1, "c": 1, "v": 1}]
    vendor.listings = [{"ticker": "AAA", "active": True, "share_class_figi": "A-CLASS"}]
    client.post("/equity-bars", json=period | {"force": True}).raise_for_status()
    client.post("/equity-details", json={}).raise_for_status()
    now = read(client, "/equity-bars", **query)
    assert now.height == before.height + 1
    assert now.item(0, "close") == before.item(0, "close") / 2
    assert before.equals(read(client, "/equity-bars", **query, **then))
    assert before.equals(read(client, "/equity-bars", **query, as_of=then["as_of"]))
    nothing = read(client, "/equity-bars", **query, as_of="2024-03-28T21:00:00Z")  # collected today, not then
    assert nothing.is_empty()
    assert client.get("/equity-bars", params=query | {"version": 99}).status_code == 404
