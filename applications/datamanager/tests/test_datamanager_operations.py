"""Health, readiness, metrics, access and the documented interface of datamanager."""

from pathlib import Path

import httpx
from fastapi.responses import JSONResponse

from applications.datamanager.tests.datamanager_service import SESSION, problem, read, run_datamanager
from applications.datamanager.tests.datamanager_vendor import Vendor
from internal.dates import session_close
from internal.http.frames import ARROW, JSON
from internal.schemas import equity_bars


def test_operations(client: httpx.Client) -> None:
    """Health, readiness, and metrics of freshness and of the vendor's outcomes."""
    assert client.get("/health").json() == {"status": "alive"}
    assert client.get("/ready").json()["checks"] == {"lake": "ok", "vendor": "ok", "events": "ok"}
    client.post("/equity-bars", json={"date": "2024-03-28"}).raise_for_status()
    metrics = dict(line.rsplit(" ", 1) for line in client.get("/metrics").text.splitlines() if not line.startswith("#"))
    close = float(metrics["datamanager_bars_last_session_timestamp_seconds"])
    assert session_close(SESSION).timestamp() == close
    assert float(metrics['datamanager_vendor_requests_total{outcome="ok"}']) >= 4
    assert float(metrics["datamanager_vendor_request_duration_seconds_count"]) >= 4
    assert float(metrics["equity_bars_sessions"]) == 1
    assert float(metrics["equity_bars_rows"]) == read(client, "/sessions").get_column("rows").item()
    assert float(metrics["equity_bars_sessions_missing"]) == 0


def test_openapi_documents_every_response(untouched: tuple[httpx.Client, Vendor]) -> None:
    """Every JSON route refers to a response model, every frame route lists the frame's media types."""
    client, _ = untouched
    paths = client.get("/openapi.json").json()["paths"]
    operations = {(method, path): one for path, methods in paths.items() for method, one in methods.items()}
    contents = {key: one["responses"].get("200", {}).get("content", {}) for key, one in operations.items()}
    frames = {key for key, content in contents.items() if ARROW in content}
    assert frames == {
        ("get", path)
        for path in (
            *("/equity-bars", "/equity-details", "/fundamentals", "/sessions", "/predictions", "/portfolios", "/query"),
            *(
                "/corporate-actions",
                "/corporate-actions/splits",
                "/corporate-actions/dividends",
                "/securities",
                "/universe",
                "/disagreements",
            ),
            *("/quarantine", "/quarantine/releases"),
            "/predictions/reforecasts",
        )
    }
    bars = contents["get", "/equity-bars"][JSON]["schema"]["items"]["properties"]
    assert list(equity_bars.COLUMNS) == list(bars)
    assert bars["date"] == {"type": ["string", "null"], "format": "date"}
    own = (
        contents.keys()
        - frames
        - {("get", path) for path in ("/health", "/ready", "/metrics", "/events")}
        - {("post", "/events"), ("post", "/events/redeliveries")}
    )
    models = {key: contents[key][JSON]["schema"]["$ref"].rsplit("/", 1)[1] for key in own}
    assert models == {
        ("post", "/equity-bars"): "IngestionResponse",
        ("get", "/equity-bars/ingestion"): "IngestionProgressResponse",
        ("post", "/equity-bars/import"): "BarImportResponse",
        ("post", "/disagreements"): "ComparisonResponse",
        ("post", "/equity-details"): "DetailsResponse",
        ("get", "/equity-details/progress"): "CollectionProgressResponse",
        ("post", "/quarantine/releases"): "ReleaseResponse",
        ("get", "/data-checks"): "DataCheckResponse",
        ("post", "/fundamentals"): "StoredResponse",
        ("post", "/predictions"): "StoredPredictionsResponse",
        ("post", "/portfolios"): "StoredResponse",
    }


def test_not_ready_while_the_key_is_refused(vendor: Vendor, tmp_path: Path) -> None:
    """/ready reports a refused key with the reason before anything is ingested."""
    vendor.fault("/v1/marketstatus", lambda: JSONResponse({"error": "Unknown API Key"}, 401), count=10)
    with run_datamanager(vendor, tmp_path) as client:
        assert "Check POLYGON_API_KEY" in problem(client.get("/ready"), 503)
        assert client.get("/health").status_code == 200


def test_mutations_need_the_token(vendor: Vendor, tmp_path: Path) -> None:
    """With FUND_API_TOKEN set, POST needs it and GET does not."""
    with run_datamanager(vendor, tmp_path, token="open-sesame-says-the-test-alone-here") as client:  # noqa: S106 - a token for this test
        problem(client.post("/equity-bars", json={"date": "2024-03-28"}), 401)
        headers = {"Authorization": "Bearer open-sesame-says-the-test-alone-here"}
        client.post("/equity-bars", json={"date": "2024-03-28"}, headers=headers).raise_for_status()
        assert read(client, "/sessions").height == 1


def test_unknown_paths_and_methods(untouched: tuple[httpx.Client, Vendor]) -> None:
    """404 and 405 are problem responses."""
    client, _ = untouched
    problem(client.get("/equity-bar"), 404)
    problem(client.delete("/equity-bars"), 405)
