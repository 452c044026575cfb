"""Suspicious bars of a vendor: held, released by later bars or by a person, and summarised with what to do."""

from collections.abc import Generator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import polars as pl
import pytest
from pydantic import SecretStr

from applications.datamanager.tests.datamanager_service import problem, read, run_datamanager
from applications.datamanager.tests.datamanager_vendor import Vendor
from datamanager.data_check import DataTables, check_data
from datamanager.missing_sessions import choose_due
from internal.dates import session_close, sessions
from internal.http.datamanager_client import DatamanagerClient
from internal.lake.tables import INGESTION_SESSIONS_COLUMNS, MISSING_SESSIONS_COLUMNS, QUARANTINE_COLUMNS
from internal.schemas import corporate_actions, disagreements

DAYS = [str(day) for day in sessions(date(2024, 3, 1), date(2024, 3, 28))]
TUESDAY, WEDNESDAY, THURSDAY = DAYS[-3:]
AUDIT = {"released_by": "maria", "why": "the exchange's bulletin confirms it"}


@pytest.fixture
def client(vendor: Vendor, tmp_path: Path) -> Generator[httpx.Client]:
    """A datamanager with bars up to Tuesday, whose AAA is ten times too high and whose BBB rose by a third."""
    vendor.factors = {("AAA", TUESDAY): 10.0} | {("BBB", day): 1.35 for day in DAYS[-3:]}
    with run_datamanager(vendor, tmp_path) as client:
        client.post("/equity-bars", json={"start_date": DAYS[0], "end_date": TUESDAY}).raise_for_status()
        yield client


def reasons(client: httpx.Client) -> list[tuple[str, str, str]]:
    """Ticker, day and reason of what is held."""
    return read(client, "/quarantine").select("ticker", "date", "reason").rows()


def bars_of(client: httpx.Client, day: str) -> list[str]:
    """The tickers with a bar."""
    return read(client, "/equity-bars", start_date=day, end_date=day).get_column("ticker").to_list()


def test_life_of_a_held_bar(client: httpx.Client) -> None:
    """Held in its session; the next one releases a rise that lasts; a person releases the rest, with an audit."""
    held = [
        ("AAA", TUESDAY, "price_jump_by_a_power_of_ten"),
        ("BBB", TUESDAY, "price_jump_without_volume"),
    ]
    assert reasons(client) == held
    assert bars_of(client, TUESDAY) == ["CCC"]

    client.post("/equity-bars", json={"date": WEDNESDAY}).raise_for_status()
    assert reasons(client) == held[:1]
    assert bars_of(client, TUESDAY) == ["BBB", "CCC"]
    assert bars_of(client, WEDNESDAY) == ["AAA", "BBB", "CCC"]

    check = client.get("/data-checks").raise_for_status().json()
    assert check["sessions"] | {"missing": []} == {
        "first": DAYS[0],
        "expected": len(DAYS),
        "present": len(DAYS) - 1,
        "late": [],
        "repaired": [],
        "missing": [],
    }
    assert [THURSDAY] == [one["date"] for one in check["sessions"]["missing"]]
    assert len(check["to_do"]) == 2
    assert f"AAA {TUESDAY}" in check["to_do"][1]

    body = AUDIT | {"bars": [{"ticker": "AAA", "date": TUESDAY}]}
    before = client.get("/equity-bars", params={"start_date": TUESDAY, "end_date": TUESDAY}).headers["X-Bars-Version"]
    answer = client.post("/quarantine/releases", json=body).raise_for_status().json()
    assert answer == {"rows": 1, "bars_version": int(before) + 1}
    audit = read(client, "/quarantine/releases")
    assert audit.select("ticker", "released_by").rows() == [("AAA", "maria"), ("BBB", "later bars")]
    client.post("/equity-bars", json={"date": TUESDAY, "force": True}).raise_for_status()
    assert bars_of(client, TUESDAY) == ["AAA", "BBB", "CCC"]
    assert read(client, "/sessions", start_date=TUESDAY, end_date=TUESDAY).select("rows", "quarantined").row(0) == (
        3,
        0,
    )
    assert "no bar of AAA" in problem(client.post("/quarantine/releases", json=body), 404)


def test_reported_split(client: httpx.Client, vendor: Vendor) -> None:
    """A jump by ten is explained when the vendor reports the reverse split: the bar is released."""
    vendor.factors |= {("AAA", day): 10.0 for day in DAYS[-3:]}
    vendor.splits = [{"ticker": "AAA", "execution_date": TUESDAY, "split_from": 10, "split_to": 1}]
    client.post("/equity-bars", json={"date": WEDNESDAY}).raise_for_status()
    assert bars_of(client, TUESDAY) == ["AAA", "BBB", "CCC"]
    assert bars_of(client, WEDNESDAY) == ["AAA", "BBB", "CCC"]


def test_special_dividend(client: httpx.Client, vendor: Vendor) -> None:
    """A fall without volume on the ex-date of a special dividend is explained: no later bar is needed."""
    vendor.factors |= {("CCC", WEDNESDAY): 0.7}
    terms = {"cash_amount": 90, "currency": "USD", "dividend_type": "SC"}
    vendor.dividends = [{"ticker": "CCC", "ex_dividend_date": WEDNESDAY} | terms]
    client.post("/equity-bars", json={"date": WEDNESDAY}).raise_for_status()
    assert "CCC" in bars_of(client, WEDNESDAY)


def test_refused_releases(client: httpx.Client, vendor: Vendor) -> None:
    """A bar that breaks a rule cannot be released; a request without a reason is refused; nothing changes."""
    vendor.extra_rows[WEDNESDAY] = [{"T": "BAD", "o": 1, "h": 1, "l": 1, "c": 2, "v": 1}]
    client.post("/equity-bars", json={"date": WEDNESDAY}).raise_for_status()
    body = AUDIT | {"bars": [{"ticker": "BAD", "date": WEDNESDAY}]}
    assert "close_at_most_high" in problem(client.post("/quarantine/releases", json=body), 422)
    assert "why" in problem(client.post("/quarantine/releases", json=body | {"why": " "}), 422)
    assert read(client, "/quarantine/releases").get_column("ticker").to_list() == ["BBB"]


def test_gaps_are_repaired(vendor: Vendor, tmp_path: Path) -> None:
    """The collection of the last session also fetches what the ledger lacks; the sessions between stay as they are."""
    with run_datamanager(vendor, tmp_path) as client:
        for start, end in ((DAYS[0], DAYS[2]), (DAYS[4], DAYS[6]), (DAYS[8], DAYS[10])):
            client.post("/equity-bars", json={"start_date": start, "end_date": end}).raise_for_status()
        vendor.requests.clear()
        answer = client.post("/equity-bars", json={"date": THURSDAY}).raise_for_status().json()
        lacking = [DAYS[3], DAYS[7], *DAYS[11:-1]]
        assert [one["date"] for one in answer["sessions"]] == [*lacking, THURSDAY]
        assert sorted(path[-10:] for path in vendor.requests_of("/v2/aggs")) == [*lacking, THURSDAY]
        assert read(client, "/sessions").get_column("date").cast(pl.String).to_list() == DAYS
        bars = read(client, "/equity-bars", start_date=DAYS[0], end_date=THURSDAY)
        assert bars.group_by("date").len().get_column("len").to_list() == [3] * len(DAYS)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_no_proxy(client: httpx.Client, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients of the fund's own services use no proxy of the environment."""
    monkeypatch.setenv(name, "socks5://127.0.0.1:9")
    with DatamanagerClient(str(client.base_url), SecretStr("")) as datamanager:
        assert datamanager.check_data().sessions.expected > 0


def test_pauses() -> None:
    """A session that was asked for n times is asked again after 2 to the n - 1 days; those never asked come first."""
    now = datetime(2024, 3, 28, 21, tzinfo=UTC)
    days = [date(2024, 3, number) for number in (4, 5, 6, 7)]
    rows = [
        (days[0], "closed", 3, now, now - timedelta(days=5), None),
        (days[1], "closed", 3, now, now - timedelta(days=3), None),
        (days[2], "closed", 1, now, now - timedelta(days=2), None),
    ]
    asked = pl.DataFrame(rows, schema=MISSING_SESSIONS_COLUMNS, orient="row")
    assert choose_due(days, asked, now, 10) == [days[0], days[2], days[3]]
    assert choose_due(days, asked, now, 2) == [days[0], days[3]]


def tables_of(log: pl.DataFrame, asked: pl.DataFrame) -> DataTables:
    """The tables, without any quarantined row, action or disagreement."""
    quarantine = pl.DataFrame(schema=QUARANTINE_COLUMNS)
    return DataTables(log, asked, quarantine, 0, corporate_actions.empty_actions(), disagreements.empty())


def test_late_and_repaired() -> None:
    """A session is late when it was collected a day after its close by a fund that was running; repaired is counted."""
    first, second, third = sessions(date(2024, 3, 26), date(2024, 3, 28))
    hours = {first: 1, second: 40, third: 2}
    log = pl.DataFrame(
        [(day, "collected", 3, 0, "", session_close(day) + timedelta(hours=hours[day])) for day in hours],
        schema=INGESTION_SESSIONS_COLUMNS,
        orient="row",
    )
    moment = session_close(second)
    asked = pl.DataFrame([(second, "empty", 1, moment, moment, moment)], schema=MISSING_SESSIONS_COLUMNS, orient="row")
    found = check_data(tables_of(log, asked), first, third)
    counts = found.sessions
    assert (counts.expected, counts.present, counts.late, counts.repaired, counts.missing) == (
        3,
        3,
        [second],
        [second],
        [],
    )
    assert found.to_do == []


def test_given_up() -> None:
    """A session that the vendor could not answer five times is listed, and nobody has to act."""
    first, second, third = sessions(date(2024, 3, 26), date(2024, 3, 28))
    moment = session_close(third)
    log = pl.DataFrame(
        [(day, "collected", 3, 0, "", moment) for day in (first, third)],
        schema=INGESTION_SESSIONS_COLUMNS,
        orient="row",
    )
    for attempts, to_do in ((4, 1), (5, 0)):
        rows = [(second, "closed", attempts, moment, moment, None)]
        asked = pl.DataFrame(rows, schema=MISSING_SESSIONS_COLUMNS, orient="row")
        found = check_data(tables_of(log, asked), first, third)
        assert [(one.date, one.attempts) for one in found.sessions.missing] == [(second, attempts)]
        assert len(found.to_do) == to_do
