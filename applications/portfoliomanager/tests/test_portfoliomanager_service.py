"""The service over HTTP, as users and events meet it: the real application under uvicorn, the champion a baseline."""

# pyright: reportUnknownMemberType=false
# beancount ships few types.

import math
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
from beancount import loader

from applications.portfoliomanager.tests.portfoliomanager_kit import Service, World
from applications.portfoliomanager.tests.service_kit import problem, register_baseline, wait_for
from internal.dates import next_session
from internal.http.client import read_frame_response
from internal.schemas import orders as orders_schema
from internal.schemas import predictions as predictions_schema

CARRIED = 39  # orders of the exchanged portfolio that the account's buying power carries at once


@pytest.fixture(scope="module")
def service(world: World, services: type[Service]) -> Iterator[Service]:
    """The service with state, lake and registry of its own; its own events are sent to it by the tests."""
    found = services("portfoliomanager", world.variables("service"), world.folder / "portfoliomanager.log")
    found.variables["EVENT_SUBSCRIBERS"] = ""
    yield found.start()
    found.kill()


def events(service: Service) -> list[dict[str, Any]]:
    """What the service has sent and received."""
    boxes = service.json("GET", "/events")
    return [*boxes["outbox"], *boxes["inbox"]]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("POST", "/predictions", {"date": "yesterday"}, 422, "date"),
        ("POST", "/predictions", {"day": "2024-12-31"}, 422, "day"),
        ("POST", "/predictions", [], 422, ""),
        ("POST", "/predictions", {"date": "2025-01-04"}, 422, "no session"),
        ("POST", "/predictions", {"date": "2031-01-02"}, 422, "has not closed yet"),
        ("POST", "/predictions", {"date": "1980-01-02"}, 422, "calendar"),
        ("POST", "/predictions", {}, 503, "models train"),
        ("POST", "/portfolios", {"date": "2024-13-01"}, 422, "date"),
        ("POST", "/portfolios", {"date": "2025-01-04"}, 422, "no session"),
        ("POST", "/portfolios", {"date": "2031-01-02"}, 422, "has not closed yet"),
        ("POST", "/portfolios", {"date": "2024-12-02"}, 409, "never decided"),
        ("POST", "/portfolios", {}, 409, "POST /predictions"),
        ("GET", "/portfolios/current", None, 404, "POST /portfolios"),
        ("GET", "/predictions", None, 404, "POST /predictions"),
        ("GET", "/predictions?date=soon", None, 422, "date"),
        ("GET", "/orders?state=lost", None, 422, "state"),
        ("GET", "/orders?date=2024-02-30", None, 422, "date"),
        ("PUT", "/trading-state", {"state": "stopped", "changed_by": "ada", "reason": "why"}, 422, "state"),
        ("PUT", "/trading-state", {"state": "halted", "changed_by": " ", "reason": "why"}, 422, "changed_by"),
        ("PUT", "/trading-state", {"state": "halted", "changed_by": "ada"}, 422, "reason"),
        ("POST", "/flatten", {"changed_by": "ada", "reason": ""}, 422, "reason"),
        ("GET", "/flatten", None, 404, "POST /flatten"),
        ("POST", "/arming", {"account_number": "1", "digest": "a", "armed_by": "ada"}, 422, "simulated"),
        ("POST", "/arming", {"account_number": "1", "digest": "a", "armed_by": "ada", "days": 400}, 422, "days"),
        ("DELETE", "/arming", {"disarmed_by": "ada"}, 422, "never armed"),
        ("GET", "/portfolios", None, 405, ""),
        ("DELETE", "/orders", None, 405, ""),
        ("GET", "/nothing", None, 404, ""),
    ],
)
def test_refusals(  # noqa: PLR0913, PLR0917 - one column of the table each
    service: Service, method: str, path: str, body: object, status: int, words: str
) -> None:
    """Every wrong request is a problem that says what is wrong or what to do."""
    response = service.request(method, path, json=body)
    assert response.status_code == status, response.text
    found = problem(response)
    assert words in found["detail"] + str(found.get("errors", ""))


def test_wrong_accept_and_token(service: Service) -> None:
    """Frames come in three forms and no other; nothing changes without the token."""
    for path in ("/orders", "/predictions"):
        assert service.request("GET", path, headers={"Accept": "text/html"}).status_code == 406
    assert service.request("GET", "/model", headers={"Accept": "text/csv"}).status_code == 406
    for path in ("/predictions", "/portfolios", "/reconciliations", "/events"):
        refused = httpx.post(f"{service.url}{path}", json={})
        assert problem(refused)["status"] == 401


def test_empty_fund_answers(service: Service) -> None:
    """Before anything happened: no orders, all the cash, alive, and not ready because there is no model."""
    assert service.request("GET", "/model", headers={"Accept": "application/json"}).json() == {"models": []}
    assert "The registry is empty" in service.request("GET", "/model").text
    orders = read_frame_response(service.request("GET", "/orders"))
    assert orders.schema == pl.Schema(orders_schema.COLUMNS)
    assert orders.is_empty()
    report = service.json("GET", "/performance")
    assert {point["net_asset_value"] for point in report["points"]} <= {1_000_000.0}
    assert (report["return"], report["maximum_drawdown"]) == (0.0, 0.0)
    assert service.json("GET", "/health") == {"status": "alive"}
    assert service.json("GET", "/clock")["mode"] == "simulated"
    assert service.json("GET", "/portfolios/decisions?since=2020-01-02") == []
    checks = problem(service.request("GET", "/ready"))["checks"]
    assert "models train" in checks.pop("model")
    assert set(checks.values()) == {"ok"}


def check_report(service: Service, day: date, *, orders: int) -> None:
    """The report and the list of decisions are about the session; nothing in the account is somebody else's."""
    report = service.json("GET", "/reports/daily")
    assert str(day) in report["title"]
    assert f"{orders} orders" in report["text"]
    assert service.json("GET", "/foreign") == {"foreign": []}
    assert [row["date"] for row in service.json("GET", f"/portfolios/decisions?since={day}")] == [str(day)]


def test_cycle_by_hand_then_by_events(world: World, service: Service, tmp_path: Path) -> None:
    """Each step by one POST; then a session's events alone do the same, and an event twice does nothing more."""
    first = world.session()
    version = register_baseline(world, tmp_path, first)
    assert service.json("GET", "/ready")["status"] == "ready"
    predicted = service.json("POST", "/predictions", json={})
    assert (predicted["date"], predicted["model_version"]) == (str(first), version)
    assert predicted["rows"] == 7 * predicted["tickers"] > 0
    assert all(entry["reason"] for entry in predicted["excluded"])
    stored = read_frame_response(service.request("GET", "/predictions"))
    assert predictions_schema.validate(stored).height == predicted["rows"]

    portfolio = service.json("POST", "/portfolios", json={"date": str(first)})
    assert portfolio["state"] == "submitted"
    assert portfolio["strategy"]["name"] == "ten_by_ten"
    assert len(portfolio["positions"]) == len(portfolio["orders"]) == 20
    assert service.json("POST", "/portfolios", json={}) == portfolio
    check_report(service, first, orders=20)

    world.move("next_open")
    event = {"specversion": "1.0", "datacontenttype": "application/json"}

    def send(kind: str, source: str, day: date) -> None:
        body = event | {"id": f"{kind}:{day}", "type": kind, "source": source, "data": {"date": str(day)}}
        sent = service.request("POST", "/events", json=body, headers={"Content-Type": "application/cloudevents+json"})
        assert sent.status_code == 204, sent.text

    second = next_session(first)
    send("application.exchange.session.opened", "/exchange", second)
    wait_for(lambda: read_frame_response(service.request("GET", "/orders"))["state"].eq("filled").all())
    reconciled = service.json("POST", "/reconciliations", json={})
    assert reconciled == {"resolved": 0, "open": 0, "unresolved": 0, "foreign": []}
    book = service.json("GET", "/portfolios/current")
    assert book["gross_exposure"] == pytest.approx(1.0, abs=0.06)
    assert {position["side"] for position in book["positions"]} == {"long", "short"}
    report = service.json("GET", "/performance")
    assert report["points"][-1]["net_asset_value"] == book["net_asset_value"]

    world.move("next_close")
    send("application.datamanager.equity_bars.synced", "/datamanager", second)
    wait_for(lambda: _latest(service) == second)
    send("application.portfoliomanager.predictions.made", "/portfoliomanager", second)
    send("application.portfoliomanager.predictions.made", "/portfoliomanager", second)
    send("application.portfoliomanager.predictions.made", "/portfoliomanager", first)
    wait_for(lambda: all(row["state"] != "pending" for row in events(service)))
    answered = service.json("POST", "/portfolios", json={"date": str(second)})
    assert answered["state"] in {"submitted", "reconciled"}  # what the stream said of the open may come as late
    kinds = {row["type"] for row in events(service)}
    assert "application.portfoliomanager.portfolio.rebalanced" in kinds
    metrics = service.request("GET", "/metrics").text
    assert "portfolio_gross_exposure_ratio 1." in metrics or "portfolio_gross_exposure_ratio 0.9" in metrics
    assert 'portfolio_orders{state="filled"} 20.0' in metrics
    assert "portfolio_rebalance_last_success_timestamp_seconds 1." in metrics
    require_metrics(service, metrics)
    secret = "a-secret-of-the-tests"  # noqa: S105 - loopback only
    assert secret not in service.log.read_text()


def require_metrics(service: Service, text: str) -> None:
    """Each figure is what another route, or a count by hand, says; a restart changes no gauge."""
    figures = samples(text)
    book = service.json("GET", "/portfolios/current")
    sides = [position["side"] for position in book["positions"]]
    for side in ("long", "short"):
        assert figures[f'portfolio_positions{{side="{side}"}}'] == sides.count(side)
    orders = read_frame_response(service.request("GET", "/orders"))
    direction = pl.when(pl.col("side") == "buy").then(1.0).otherwise(-1.0)
    moved = pl.col("filled_average_price") - pl.col("reference_price")
    slippage = orders.select((direction * moved * pl.col("filled_quantity")).sum()).item()
    assert figures["portfolio_order_slippage_dollars"] == pytest.approx(slippage)
    assert figures['portfolio_orders{state="unresolved"}'] == 0
    assert figures['rebalances_total{result="success"}'] >= 2
    assert (
        figures["model_live_targets"]
        == read_frame_response(service.request("GET", "/predictions"))["ticker"].n_unique()
    )
    assert 0 <= figures["model_live_interval_coverage_ratio"] <= 1
    assert 0 < figures["model_live_cumulative_loss"] < 0.1
    assert math.isnan(figures["model_cumulative_loss"])  # this champion was never measured beside the baselines

    service.kill()
    service.start()
    names = [name for name in figures if name.startswith(("portfolio_", "model_")) and "last_success" not in name]
    expected = {name: figures[name] for name in names}
    wait_for(lambda: expected == pytest.approx(chosen(settled(service), names), nan_ok=True))  # each is set in its turn
    assert settled(service)["portfolio_rebalance_last_success_timestamp_seconds"] > 0


def chosen(figures: dict[str, float], names: list[str]) -> dict[str, float]:
    """Those of these names; one that is not there yet is 0."""
    return {name: figures.get(name, 0.0) for name in names}


def samples(text: str) -> dict[str, float]:
    """Every sample of a Prometheus text by its name and labels."""
    lines = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, value in lines}


def settled(service: Service) -> dict[str, float]:
    """What the service shows now."""
    return samples(service.request("GET", "/metrics").text)


def _latest(service: Service) -> date | None:
    found = read_frame_response(service.request("GET", "/predictions"))["date"].max()
    return found if isinstance(found, date) else None


def test_books_agree_with_the_broker(world: World, service: Service) -> None:
    """A deposit is no return; flows and profits are the broker's value to the cent, and beancount finds no error."""
    service.json("POST", "/reconciliations", json={})
    before = service.json("GET", "/performance")
    moved = world.exchange.json("POST", "/control/cash-flows", json={"amount": "50000"})
    assert (moved["activity_type"], moved["net_amount"]) == ("CSD", "50000")
    service.json("POST", "/reconciliations", json={})
    after = service.json("GET", "/performance")
    assert after["return"] == pytest.approx(before["return"], abs=1e-12)
    values = [point["net_asset_value"] for point in after["points"]]
    assert values[-1] - values[-2] == pytest.approx(50_000)
    assert samples(service.request("GET", "/metrics").text)["portfolio_return_ratio"] == after["return"]

    book, current = service.json("GET", "/books"), service.json("GET", "/portfolios/current")
    assert (book["differences"], book["unexplained"], book["flows"]) == ([], 0, 1_050_000)
    assert (book["cash"], book["net_asset_value"]) == (current["cash"], current["net_asset_value"])
    assert book["profit"]["slippage"] == pytest.approx(-after["realized_cost"]["slippage"], abs=0.2)
    assert book["profit"]["fee"] == pytest.approx(-after["realized_cost"]["fees"])
    assert sum(row["total"] for row in service.json("GET", "/books/profits")) == pytest.approx(book["profit"]["total"])
    shares: dict[str, float] = {}
    for lot in service.json("GET", "/books/lots"):
        shares[lot["ticker"]] = shares.get(lot["ticker"], 0.0) + abs(lot["quantity"])
    assert shares == {position["ticker"]: position["quantity"] for position in current["positions"]}
    rows = read_frame_response(service.request("GET", "/books/activities"))
    assert set(rows["type"]) >= {"OPENING", "FILL", "FEE", "CSD"}
    ledger = service.request("GET", "/books/export?format=beancount").text
    entries, errors, _ = loader.load_string(ledger)
    assert (errors, len(entries) > rows.height) == ([], True)
    assert service.request("GET", "/books/export?format=csv").text.startswith("term,description,date_acquired,")

    world.exchange.json("POST", "/control/cash-flows", json={"amount": "-50000"})
    service.json("POST", "/reconciliations", json={})
    last = service.json("GET", "/performance")
    assert last["return"] == pytest.approx(before["return"], abs=1e-12)
    assert last["maximum_drawdown"] == pytest.approx(before["maximum_drawdown"], abs=1e-12)


@pytest.mark.parametrize(
    ("method", "path", "body", "words"),
    [
        ("GET", "/books/export?format=pdf", None, "format"),
        ("GET", "/books/export?format=beancount&year=2025", None, "all years"),
        ("GET", "/books/gains?year=20", None, "year"),
        ("POST", "/control/cash-flows", {"amount": "0"}, "cannot be moved"),
        ("POST", "/control/cash-flows", {"amount": "0.001"}, "cannot be moved"),
        ("POST", "/control/cash-flows", {"amount": "-99999999"}, "are available"),
    ],
)
def test_refusals_of_books_and_cash_flows(  # noqa: PLR0913, PLR0917 - one column of the table each
    world: World, service: Service, method: str, path: str, body: object, words: str
) -> None:
    """What cannot be answered or moved says why."""
    asked = world.exchange if path.startswith("/control") else service
    response = asked.request(method, path, json=body)
    assert response.status_code == 422, response.text
    assert words in response.text


def test_pages(service: Service) -> None:
    """Fund and Book show what the JSON answers say, load nothing from elsewhere, and hold nothing inline."""
    book = service.json("GET", "/portfolios/current")
    fund_page, book_page, events_page = (service.request("GET", path) for path in ("/", "/book", "/services"))
    assert "Bars, details and corporate actions" in events_page.text
    assert events_page.text.count("Scheduler at http://127.0.0.1:1 cannot be reached") == 3  # card, schedule, events
    for page in (fund_page, book_page):
        assert page.headers["content-type"].startswith("text/html")
        assert (page.headers["cache-control"], page.headers["content-encoding"]) == ("no-store", "gzip")
        assert "script-src 'self'" in page.headers["content-security-policy"]
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script>", page.text)
        assert "http" not in page.text.replace("http://www.w3.org/2000/svg", "")
        assert ">SIMULATED</span>" in page.text
        assert "does not answer" not in page.text
    assert f"${book['net_asset_value']:,.2f}" in fund_page.text
    for position in book["positions"]:
        assert f'href="/forecasts/{position["ticker"]}"' in book_page.text
    ticker = book["positions"][0]["ticker"]
    assert f'<a href="/forecasts/{ticker}">' in service.request("GET", f"/forecasts?q={ticker}").text
    ticker_page = service.request("GET", f"/forecasts/{ticker}").text
    for text in (f'href="/predictions/{ticker}/explanation?date=', "Forecasts as they were stored", "Each date leads"):
        assert text in ticker_page, text
    assert "this service has no research folder" in service.request("GET", "/research").text.lower()
    for path in ("/research/0123456789abcdef", "/research/sweeps/0123456789abcdef"):
        assert "RESEARCH_DIRECTORY names their folder" in problem(service.request("GET", path))["detail"]
    unknown = service.request("GET", "/forecasts/BRK/ZZ")
    assert (unknown.status_code, "There are no bars, details, forecasts or orders of BRK/ZZ" in unknown.text) == (
        404,
        True,
    )
    assert "No position fits" in service.request("GET", "/book?q=zzzz").text
    assert service.request("GET", f"/book?q={'z' * 101}").status_code == 422
    assert 'hx-get="/fragments/today"' in service.request("GET", "/fragments/today").text
    for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', fund_page.text):
        assert service.request("GET", path).status_code == 200, path
    modes = samples(service.request("GET", "/metrics").text)
    assert [modes[f'trading_mode{{mode="{mode}"}}'] for mode in ("simulated", "paper", "live")] == [1, 0, 0]


def test_decisions(service: Service) -> None:
    """A decided session as JSON and as pages: the funnel narrows, and taken again it is the same to the bit."""
    last = service.json("GET", "/portfolios/decisions?since=2000-01-01")[-1]
    path = f"/decisions/{last['date']}"
    found = service.json("GET", path)
    orders = read_frame_response(service.request("GET", f"/orders?date={last['date']}"))
    assert sorted(order["client_order_id"] for order in found["orders"]) == sorted(orders["client_order_id"])
    funnel, names = found["funnel"], found["names"]
    steps = [funnel[name] for name in ("listed", "priced", "eligible", "forecast", "shortable")]
    assert steps == sorted(steps, reverse=True)
    assert funnel["listed"] == len({name["ticker"] for name in names}) == len(names)
    chosen = {name["ticker"]: name["quantity"] for name in names if name["outcome"] in {"opened", "kept"}}
    assert len(chosen) == funnel["chosen"]
    assert funnel == service.json("GET", "/portfolios/current")["funnel"]
    assert {order["ticker"] for order in found["orders"] if order["leg"] != "close"} <= chosen.keys()
    replay = service.json("GET", f"{path}/replay")
    assert (replay["differences"], replay["has_same_rules"], replay["name_count"]) == ([], True, len(names))

    html = {"Accept": "text/html"}
    page = service.request("GET", path, headers=html)
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script>|does not answer", page.text)
    assert all(f'href="/forecasts/{ticker}"' in page.text for ticker in chosen)
    assert f'href="{path}"' in service.request("GET", "/decisions").text
    first = service.request("GET", f"{path}/replay", headers=html).text  # shown at once: the page asks for the result
    assert f'hx-get="{path}/replay?result=true"' in first
    assert "bit for bit" not in first
    assert "the same, bit for bit" in service.request("GET", f"{path}/replay?result=true", headers=html).text
    assert service.request("GET", "/decisions/2001-01-02/replay", headers=html).status_code == 404
    part = service.request("GET", f"{path}/replay", headers=html | {"HX-Request": "true"}).text
    assert part.lstrip().startswith('<div class="replay"')
    assert "No name fits" in service.request("GET", f"{path}?q=zzzz", headers=html).text
    for wrong, status in (("/decisions/2001-01-02", 404), ("/decisions/soon", 422), (f"{path}?outcome=lost", 422)):
        assert problem(service.request("GET", wrong))["status"] == status
    undecided = problem(service.request("GET", "/decisions/2001-01-02"))["detail"]
    assert re.fullmatch(r"no .* 2001-01-02: the first decided session is [\d-]{10}, the last [\d-]{10}", undecided)


def test_one_ticker_of_a_decision(service: Service) -> None:
    """Its name and orders alone, beside the funnel of all names, and its forecast alone; an unknown one has neither."""
    first = service.json("GET", "/portfolios/decisions?since=2000-01-01")[0]["date"]
    whole = service.json("GET", f"/decisions/{first}")
    ticker = whole["orders"][0]["ticker"]
    found = service.json("GET", f"/decisions/{first}?ticker={ticker}")
    for box in ("names", "orders"):
        assert found[box] == [row for row in whole[box] if row["ticker"] == ticker], box
    assert found["funnel"] == whole["funnel"]
    assert service.json("GET", f"/decisions/{first}?ticker=ZZZZ")["names"] == []
    forecasts = f"/predictions?date={first}&ticker="
    rows = read_frame_response(service.request("GET", f"{forecasts}{ticker}"))
    assert rows["ticker"].to_list() == [ticker] * 7
    assert read_frame_response(service.request("GET", f"{forecasts}ZZZZ")).is_empty()


def test_killed_service_goes_on(world: World, service: Service) -> None:
    """`kill -9` in the middle of sending: started again, it finishes the run by itself, each order once."""
    world.play_session()
    day = world.session()
    world.store_predictions(day, width=1e-6)
    before = len(world.orders())
    world.fault("hang", path="/v2/orders", method="POST", count=1, seconds=3)
    headers = {"Authorization": "Bearer a-token-of-the-tests-and-no-other"}
    with pytest.raises(httpx.TransportError):
        httpx.post(f"{service.url}/portfolios", json={}, headers=headers, timeout=2)
    wait_for(lambda: len(world.orders()) > before)
    service.kill()
    service.start()
    wait_for(lambda: _counts(service, day).get("submitted", 0) >= CARRIED)
    answer = service.json("POST", "/portfolios", json={})
    assert answer["state"] == "waiting"  # the last opening needs the money of the closes
    ids = [order["client_order_id"] for order in world.orders()]
    assert len(set(ids)) == len(ids)
    mine = read_frame_response(service.request("GET", f"/orders?date={day}&state=submitted"))
    assert sorted(mine["client_order_id"]) == sorted(ids[before:])
    assert {order["state"] for order in answer["orders"]} == {"submitted", "planned"}


def _counts(service: Service, day: date) -> dict[str, int]:
    orders = read_frame_response(service.request("GET", f"/orders?date={day}"))
    return dict(orders.group_by("state").len().iter_rows())


def test_data_service_away(world: World, service: Service) -> None:
    """Datamanager killed: 503 with what to do, nothing sent, not ready; back again, all is well."""
    before = len(world.orders())
    world.datamanager.kill()
    try:
        found = problem(service.request("POST", "/predictions", json={}))
        assert found["status"] == 503
        assert "DATAMANAGER_URL" in found["detail"]
        assert problem(service.request("GET", "/ready"))["status"] == 503
        assert len(world.orders()) == before
    finally:
        world.datamanager.start()
    assert service.json("GET", "/ready")["status"] == "ready"


def decide_thrice(world: World, service: Service) -> None:
    """Positions, and orders at the broker that close them and open others, whatever was traded before.

    The strategy keeps for a session what was opened in it.
    """
    for _ in range(3):
        world.play_session()
        world.store_predictions(world.session(), width=1e-6)
        assert service.json("POST", "/portfolios", json={})["state"] in {"submitted", "waiting"}


def test_halt_and_flatten_hold_over_closes_and_restarts(world: World, service: Service) -> None:
    """A halt is shown and nothing more is sent; then all is closed at the next open, and stays closed."""
    decide_thrice(world, service)
    before = len(world.orders())
    asked = {"state": "halted", "changed_by": "ada", "reason": "<data> look wrong"}
    halted = service.json("PUT", "/trading-state", json=asked)
    assert (halted["state"], halted["changed_by"], halted["cause"], halted["mode"]) == (
        *("halted", "ada", "owner", "simulated"),
    )
    assert halted["orders_at_broker"]
    page, metrics = service.request("GET", "/").text, service.request("GET", "/metrics").text
    assert "halted" in page
    assert "by ada (owner): &lt;data&gt; look wrong" in page
    assert 'trading_state{state="halted"} 1.0' in metrics
    assert 'trading_state{state="active"} 0.0' in metrics
    service.kill()
    service.start()
    assert service.json("GET", "/trading-state") | {"changed": True, "losses_accepted": False} == halted
    service.json("POST", "/reconciliations", json={})
    assert len(world.orders()) == before

    report = service.json("POST", "/flatten", json={"changed_by": "ada", "reason": "away"})
    assert not report["flat"]
    assert {row["ticker"] for row in report["still_open"]} == {row["ticker"] for row in report["orders"]}
    assert report["fills_from"] > report["as_of"]
    world.move("next_open")
    wait_for(lambda: bool(service.json("GET", "/flatten")["flat"]))
    service.json("POST", "/reconciliations", json={})  # the report reads the broker; this writes its fills down
    world.move("next_close")
    world.store_predictions(world.session())
    refused = problem(service.request("POST", "/portfolios", json={}))
    assert refused["type"] == "urn:pocketsizefund:problem:trading-halted"
    assert "fund resume" in refused["detail"]
    assert service.json("GET", "/portfolios/current")["positions"] == []
    assert len(world.orders()) == before + len(report["orders"])

    resumed = service.json("PUT", "/trading-state", json=asked | {"state": "active"})
    assert (resumed["state"], resumed["planned_orders"], resumed["orders_at_broker"]) == ("active", 0, 0)
    again = service.json("PUT", "/trading-state", json=asked | {"state": "active", "reason": "once more"})
    assert (resumed["changed"], resumed["losses_accepted"]) == (True, True)
    assert again == resumed | {"changed": False, "losses_accepted": False}
