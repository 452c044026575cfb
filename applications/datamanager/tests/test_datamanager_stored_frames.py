"""Predictions and portfolios that other services store and read over HTTP."""

import io
from concurrent.futures import ThreadPoolExecutor

import httpx
import polars as pl
import pytest

from applications.datamanager.tests.datamanager_service import (
    PREDICTION,
    problem,
    read,
)
from applications.datamanager.tests.datamanager_vendor import Vendor
from internal.http.frames import ARROW
from internal.schemas import portfolios, predictions

POSITION = {
    "portfolio_id": "p-1",
    "date": "2024-03-28",
    "ticker": "AAA",
    "side": "long",
    "action": "open",
    "quantity": 2.0,
    "dollar_amount": 20.0,
    "reference_price": 10.0,
    "opened_date": "2024-03-28",
    "entry_price": 10.0,
    "quantile_10": None,
    "quantile_50": None,
    "quantile_90": None,
    "reason": "rank 1",
    "model_version": "m1",
    "bars_version": 3,
}


def test_predictions(client: httpx.Client) -> None:
    """The first predictions of a session stay; later ones are re-forecasts, marked by their training."""
    other_day = PREDICTION | {"date": "2024-03-27", "target_date": "2024-03-28"}
    third_day = PREDICTION | {"date": "2024-03-26", "target_date": "2024-03-27"}
    assert client.post("/predictions", json=[PREDICTION, other_day, third_day]).json() == {"rows": 3, "reforecasts": 0}
    assert client.post("/predictions", json=[PREDICTION]).json() == {"rows": 1, "reforecasts": 0}
    changed = [one | {"ticker": "BBB"} for one in (PREDICTION, third_day)]
    path = "/predictions?trained_through=2024-03-27"
    assert client.post(path, json=changed).json() == {"rows": 2, "reforecasts": 2}
    again = [one | {"quantile_90": 0.5} for one in changed]
    assert client.post(path, json=again).json() == {"rows": 2, "reforecasts": 2}
    other_model = PREDICTION | {"model_version": "other"}
    assert client.post("/predictions", json=[other_model]).json() == {"rows": 1, "reforecasts": 1}
    later = read(client, "/predictions/reforecasts", start_date="2024-03-26", end_date="2024-03-28")
    marks = later.select(pl.col("date").cast(pl.String), "ticker", "quantile_90", "hindsight").rows()
    assert marks == [
        ("2024-03-26", "BBB", 0.5, True),
        ("2024-03-28", "BBB", 0.5, False),
        ("2024-03-28", "AAA", PREDICTION["quantile_90"], None),
    ]
    frame = predictions.validate(read(client, "/predictions", start_date="2024-03-26", end_date="2024-03-28"))
    assert frame.get_column("ticker").to_list() == ["AAA", "AAA", "AAA"]
    assert set(frame["model_version"]) == {PREDICTION["model_version"]}
    assert read(client, "/predictions", date="2024-03-28", tickers="BBB").is_empty()
    assert "YYYY-MM-DD" in problem(client.get("/predictions/reforecasts"), 422)
    assert "trained_through" in client.post("/predictions?trained_through=soon", json=[PREDICTION]).text
    sent_again = PREDICTION | {"date": "2024-03-25", "target_date": "2024-03-26"}
    with ThreadPoolExecutor(8) as pool:  # a client whose request timed out sends it again while the first one runs
        sent = [pool.submit(client.post, "/predictions", json=[sent_again]) for _ in range(8)]
        assert {answer.result().status_code for answer in sent} == {200}
    assert read(client, "/predictions", date="2024-03-25").height == 1


def test_portfolios(client: httpx.Client) -> None:
    """A portfolio replaces the one with its id and is read by id, date or range."""
    two = [POSITION, POSITION | {"ticker": "BBB"}]
    assert client.post("/portfolios", json=two).json() == {"rows": 2}
    buffer = io.BytesIO()
    changed = pl.DataFrame([POSITION | {"portfolio_id": "p-2", "date": "2024-03-27"}]).with_columns(
        pl.col("date", "opened_date").str.to_date(), pl.col("^quantile_.*$").cast(pl.Float64)
    )
    changed.write_ipc_stream(buffer)
    assert client.post("/portfolios", content=buffer.getvalue(), headers={"Content-Type": ARROW}).json() == {"rows": 1}
    assert client.post("/portfolios", json=[POSITION]).json() == {"rows": 1}
    stored = portfolios.validate(read(client, "/portfolios", start_date="2024-03-01", end_date="2024-03-31"))
    assert stored.select("portfolio_id", "ticker").rows() == [("p-2", "AAA"), ("p-1", "AAA")]
    assert read(client, "/portfolios", date="2024-03-28").equals(read(client, "/portfolios", portfolio_id="p-1"))


INVALID_BODIES: list[tuple[str, object, str]] = [
    ("/predictions", [PREDICTION | {"quantile_10": 0.5}], "quantiles_ordered"),
    ("/predictions", [PREDICTION, PREDICTION], "unique"),
    ("/predictions", [PREDICTION | {"horizon": 8}], "horizon_in_range"),
    ("/predictions", [PREDICTION | {"date": "today"}], "row 0, column date"),
    ("/predictions", [{"date": "2024-03-28"}], "missing columns"),
    ("/predictions", [], "no rows"),
    ("/predictions", {"date": "2024-03-28"}, "not a list of records"),
    ("/portfolios", [POSITION, POSITION | {"portfolio_id": "p-2", "ticker": "BBB"}], "one portfolio a request"),
    ("/portfolios", [POSITION | {"side": "sideways"}], "side_known"),
    ("/portfolios", [], "no rows"),
]


@pytest.mark.parametrize(("path", "body", "expected"), INVALID_BODIES)
def test_invalid_bodies(untouched: tuple[httpx.Client, Vendor], path: str, body: object, expected: str) -> None:
    """A frame that violates its schema is refused with the place; nothing is stored."""
    client, _ = untouched
    assert expected in problem(client.post(path, json=body), 422)
    assert read(client, path, start_date="2024-01-01", end_date="2024-12-31").is_empty()


@pytest.mark.parametrize("path", ["/predictions", "/portfolios"])
def test_queries_without_a_day(untouched: tuple[httpx.Client, Vendor], path: str) -> None:
    """A query needs either a date or a range, not neither and not both."""
    client, _ = untouched
    assert "give date" in problem(client.get(path), 422)
    assert "not both" in problem(client.get(path, params={"date": "2024-03-28", "end_date": "2024-03-28"}), 422)
