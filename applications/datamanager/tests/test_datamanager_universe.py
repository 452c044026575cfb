"""The universe of a session: members by hand, names and types of their day, what was known then, bad requests."""

from collections.abc import Generator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import polars as pl
import pytest
from pydantic import SecretStr

from applications.datamanager.tests.datamanager_vendor import serve
from datamanager.configuration import Configuration
from datamanager.server import create_application
from datamanager.universe import UniverseQuery, read_universe
from internal.dates import session_close, sessions
from internal.errors import InvalidRequestError, NotFoundError
from internal.http.datamanager_client import DatamanagerClient
from internal.lake.store import Lake
from internal.schemas import equity_bars, equity_details, securities, universe
from internal.schemas.corporate_actions import CORPORATE_ACTIONS_COLUMNS
from internal.trading.universe import Universe

DAYS = sessions(date(2024, 1, 2), date(2024, 4, 30))
RENAMED, GONE, SPLIT, EARLY, LAST = DAYS[45], DAYS[50], DAYS[60], DAYS[48], DAYS[70]
RECORDED = datetime(2024, 1, 1, tzinfo=UTC)


def bars(ticker: str, days: list[date], close: float, volume: float) -> pl.DataFrame:
    """The same bar on each day."""
    rows = [(ticker, day, session_close(day), close, close, close, close, volume, None, None) for day in days]
    return pl.DataFrame(rows, schema=equity_bars.COLUMNS, orient="row")


def alias(
    security_id: str, ticker: str, start: date, end: date | None = None, kind: str = "CS"
) -> Mapping[str, object]:
    """A row of the table of securities."""
    known = {"security_type": kind, "source": "test", "recorded_at": RECORDED}
    return {"security_id": security_id, "ticker": ticker, "start_date": start, "end_date": end} | known


def detail(ticker: str, sector: str, kind: str) -> Mapping[str, object]:
    """A row of details."""
    return {"ticker": ticker, "sector": sector, "security_type": kind, "active": True, "source": "test"} | {
        "recorded_at": RECORDED
    }


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Names that are liquid, thin, new, delisted, split and renamed; one ticker that went to another security."""
    lake = Lake(str(tmp_path_factory.mktemp("universe") / "lake"))
    before = DAYS.index(SPLIT)
    every = [
        bars("BIG", DAYS[:71], 50.0, 2_000_000.0),
        bars("THIN", DAYS[:71], 50.0, 900_000.0),
        bars("PENNY", DAYS[:71], 9.99, 9_000_000.0),
        bars("NEW", DAYS[60:71], 20.0, 5_000_000.0),
        bars("DEAD", DAYS[:51], 30.0, 1_500_000.0),  # GONE is its last session
        bars("CUT", DAYS[:before], 400.0, 300_000.0),  # 4 for 1: 1.2 million shares at 100 dollars
        bars("CUT", DAYS[before:71], 100.0, 1_200_000.0),
        bars("FB", DAYS[:45], 40.0, 1_100_000.0),
        bars("META", DAYS[45:71], 40.0, 1_100_000.0),
    ]
    lake.replace_days("equity_bars", pl.concat(every), DAYS[0], LAST)
    split = {"action_id": "cut", "version": 1, "recorded_at": RECORDED, "withdrawn": False, "source": "test"}
    split |= {"kind": "forward_split", "ticker": "CUT", "effective_date": SPLIT, "old_shares": 1.0, "new_shares": 4.0}
    lake.append("corporate_actions", pl.DataFrame([split], schema=CORPORATE_ACTIONS_COLUMNS))
    names = [alias(name, name, DAYS[0]) for name in ("BIG", "THIN", "PENNY", "CUT")]
    names += [
        alias("X", "FB", DAYS[0], DAYS[44]),
        alias("X", "META", RENAMED),
        alias("OLD", "DEAD", DAYS[0], GONE),
        alias("FRESH", "DEAD", DAYS[80], kind="ETF"),
    ]
    lake.overwrite("securities", pl.DataFrame(names, schema=securities.COLUMNS))
    known = [detail("META", "COMMUNICATION", "CS"), detail("DEAD", "FUNDS", "ETF"), detail("BIG", "ENERGY", "ADRC")]
    for table in ("equity_details", "equity_detail_versions"):
        lake.append(table, pl.DataFrame(known, schema=equity_details.COLUMNS))
    return lake


@pytest.fixture(scope="module")
def client(filled: Lake, tmp_path_factory: pytest.TempPathFactory) -> Generator[httpx.Client]:
    """Datamanager on the lake, in this process."""
    settings = {"data_bucket": filled.url, "market_data_vendor": "files"}
    settings["state_directory"] = str(tmp_path_factory.mktemp("state"))
    application = create_application(Configuration.model_validate(settings))
    with serve(application) as url, httpx.Client(base_url=url) as client:
        yield client


def test_members(filled: Lake) -> None:
    """By hand: mean close above 10 dollars, mean volume above a million of the day's shares, 20 bars, one that day."""
    found = universe.validate(read_universe(filled, UniverseQuery(LAST)))
    assert found.select("ticker", "median_dollar_volume", "rank", "member").rows() == [
        ("CUT", 120e6, 1, True),
        ("BIG", 100e6, 2, True),
        ("NEW", 100e6, 3, False),
        ("PENNY", 89.91e6, 4, False),
        ("DEAD", 45e6, 5, False),
        ("THIN", 45e6, 6, False),
        ("META", 44e6, 7, True),
    ]
    assert set(found.get_column("date")) == {LAST}


def test_names_and_types_of_the_day(filled: Lake) -> None:
    """Each security has the ticker of that day and its own type, not that of who took a delisted name's ticker."""
    then = read_universe(filled, UniverseQuery(DAYS[40])).select(
        "ticker", "security_id", "security_type", "sector", "member"
    )
    assert ("FB", "X", "CS", "COMMUNICATION", True) in then.rows()
    assert ("DEAD", "OLD", "CS", None, True) in then.rows()
    assert ("BIG", "BIG", "ADRC", "ENERGY", True) in then.rows()
    later = read_universe(filled, UniverseQuery(EARLY))
    assert later.filter(security_id="X").select("ticker", "median_dollar_volume", "member").rows() == [
        ("META", 44e6, True)
    ]


def test_a_strategys_own_limits(filled: Lake) -> None:
    """Members follow the rule that is given; ranks do not, but for the lookback."""
    found = read_universe(filled, UniverseQuery(LAST, None, Universe(5.0, 800_000.0, 10, 1)))
    assert found.filter(~pl.col("member")).is_empty()
    assert "DEAD" not in found.get_column("ticker")


def test_as_of(tmp_path: Path) -> None:
    """Bars that were committed later are not known: neither the session nor its corrections."""
    lake = Lake(str(tmp_path / "lake"))
    lake.append("equity_bars", bars("BIG", DAYS[:40], 50.0, 2_000_000.0))
    moment = lake.history("equity_bars").get_column("timestamp").max()
    assert isinstance(moment, datetime)
    lake.replace_days("equity_bars", bars("BIG", DAYS[30:42], 50.0, 1.0), DAYS[30], DAYS[41])
    assert read_universe(lake, UniverseQuery(None, moment)).row(0)[0] == DAYS[39]
    assert read_universe(lake, UniverseQuery(DAYS[39], moment)).item(0, "median_dollar_volume") == 100e6
    assert read_universe(lake, UniverseQuery()).row(0)[0] == DAYS[41]
    with pytest.raises(NotFoundError, match=f"no bars of {DAYS[41]} are known"):
        read_universe(lake, UniverseQuery(DAYS[41], moment))
    with pytest.raises(NotFoundError, match="no bars were known then"):
        read_universe(lake, UniverseQuery(None, RECORDED))
    with pytest.raises(InvalidRequestError, match="2024-01-06 is not a session"):
        read_universe(lake, UniverseQuery(date(2024, 1, 6)))


def test_client(client: httpx.Client) -> None:
    """The fund's client gets the frame, with and without its own rule; a decoded plus of a moment is understood."""
    with DatamanagerClient(str(client.base_url), SecretStr(""), http=client) as fund:
        usual, own = fund.universe(LAST), fund.universe(LAST, rule=Universe(5.0, 800_000.0, 10, 1))
        now = fund.universe(known_at=datetime.now(UTC))
    assert (usual.filter("member").height, own.filter("member").height) == (3, 6)
    assert now.equals(usual)
    moment = datetime.now(UTC).isoformat()
    assert "+00:00" in moment
    assert client.get(f"/universe?as_of={moment}").status_code == 200
    assert client.get(f"/universe?as_of={moment.replace('+00:00', '')}").status_code == 422


@pytest.mark.parametrize(
    ("query", "status", "sentence"),
    [
        ({"date": "2024-01-06"}, 422, "2024-01-06 is not a session"),
        ({"date": "yesterday"}, 422, "date"),
        ({"date": "2024-12-31"}, 404, "no bars of 2024-12-31 are known"),
        ({"date": "1890-01-02"}, 422, "1890-01-02"),
        ({"as_of": "1999-01-04T00:00:00Z"}, 404, "no bars were known then"),
        ({"as_of": "2024-01-02"}, 422, "has no offset"),
        ({"minimum_sessions": "31"}, 422, "above lookback_sessions 30"),
        ({"lookback_sessions": "0"}, 422, "lookback_sessions"),
        ({"minimum_mean_close": "nan"}, 422, "minimum_mean_close"),
    ],
)
def test_bad_requests(client: httpx.Client, query: dict[str, str], status: int, sentence: str) -> None:
    """Each is refused by what is wrong with it."""
    answer = client.get("/universe", params=query)
    assert (answer.status_code, sentence in answer.json()["detail"]) == (status, True), answer.text
