"""Explanations over HTTP: the real application, a real network as champion, real bars of the exchange."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import polars as pl
import pytest
from fastapi import Request

from applications.portfoliomanager.tests.portfoliomanager_kit import Service, World
from internal.baselines.catalogue import BASELINES
from internal.baselines.heterogeneous import AdaptiveVolatility
from internal.dates import next_session, previous_session, sessions
from internal.errors import NotFoundError
from internal.features.panel import build_panel
from internal.features.scaling import Scaler
from internal.features.splits import Block
from internal.features.variables import KNOWN_VARIABLES, OBSERVED_VARIABLES, STATIC_VARIABLES, observe
from internal.features.vocabulary import Vocabulary
from internal.forecasting.artifact import Artifact, save_artifact
from internal.forecasting.calibration import Calibration
from internal.forecasting.registry import LEAK_GATE, Registry
from internal.http.client import read_frame_response
from internal.tft.model import TemporalFusionTransformer, TemporalFusionTransformerConfiguration
from internal.tft.network_model import KIND, NetworkModel, encode_configuration
from portfoliomanager.routes.predictions import get_explanation

JSON = {"Accept": "application/json"}


def artifacts(world: World, end: date) -> dict[str, Artifact]:
    """A small network with its first weights, and a baseline, both fitted on what datamanager holds."""
    path = f"/equity-bars?start_date={previous_session(end, 70)}&end_date={end}&adjusted_as_of={end}"
    bars = read_frame_response(world.datamanager.request("GET", path))
    details = read_frame_response(world.datamanager.request("GET", "/equity-details"))
    frame, fold = observe(build_panel(bars, details, end=end).frame), Block(previous_session(end, 30), end)
    vocabularies = {name: Vocabulary.fit(frame.get_column(name)) for name in STATIC_VARIABLES}
    configuration = TemporalFusionTransformerConfiguration(
        hidden_size=16,
        head_count=2,
        observed_variables=OBSERVED_VARIABLES,
        known_variables=KNOWN_VARIABLES,
        static_cardinalities=tuple(vocabularies[name].cardinality for name in STATIC_VARIABLES),
    )
    network = TemporalFusionTransformer(configuration)
    scale = AdaptiveVolatility.fit(frame, fold=fold)
    model = NetworkModel(network, configuration, Scaler.fit(frame, fold=fold), vocabularies, Calibration.none(7), scale)
    names = {name: list(one.names) for name, one in vocabularies.items()}
    settings = {"network": encode_configuration(configuration)}
    kind = "rolling_history"
    arrays, passed = BASELINES[kind].fit(frame, fold=fold).to_arrays(), {LEAK_GATE: {"day": str(end)}}
    return {
        "network": Artifact(KIND, model.arrays(), settings, model.scaler.to_json(), names, passed, 1, "a-test"),
        "baseline": Artifact(kind, arrays, {}, {}, {}, passed, 1, "a-test"),
    }


@pytest.fixture(scope="module")
def versions(world: World, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The versions of both in the registry; none is the champion yet."""
    folder, registry = tmp_path_factory.mktemp("artifacts"), Registry(world.folder / "registry")
    found: dict[str, str] = {}
    for name, artifact in artifacts(world, world.session()).items():
        save_artifact(folder / name, artifact)
        found[name] = registry.register(folder / name)
    return found


@pytest.fixture(scope="module")
def service(world: World, services: type[Service]) -> Iterator[Service]:
    """The service with state, lake and registry of its own."""
    found = services("portfoliomanager", world.variables("service"), world.folder / "portfoliomanager.log")
    yield found.start()
    found.kill()


def predict_with(world: World, service: Service, version: str) -> dict[str, Any]:
    """Promote a version and make the predictions of the last session with it."""
    Registry(world.folder / "registry").promote(version)
    answer: dict[str, Any] = service.json("POST", "/predictions", json={})
    assert answer["model_version"] == version
    return answer


def describe_problem(response: httpx.Response) -> str:
    """The sentence of a problem."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    return f"{response.status_code} {response.json()['detail']}"


def test_explanation(world: World, service: Service, versions: dict[str, str]) -> None:
    """Names, dates and shares are right, the forecast is the stored one; as JSON and as a page; problems tell why."""
    path = "/predictions/{}/explanation"
    assert describe_problem(service.request("GET", path.format("ANY"))).startswith("404 there are no predictions up to")
    predicted = predict_with(world, service, versions["network"])
    stored = service.json("GET", "/predictions", headers=JSON)
    ticker, day = stored[0]["ticker"], date.fromisoformat(predicted["date"])

    body = service.json("GET", path.format(ticker))
    assert (body["ticker"], body["date"], body["model_version"]) == (ticker, str(day), versions["network"])
    assert body["forecast"] == [
        {name: row[name] for name in body["forecast"][0]} for row in stored if row["ticker"] == ticker
    ]
    past = [str(one) for one in sessions(previous_session(day, 34), day)]
    ahead = [str(next_session(day, step)) for step in range(1, 8)]
    assert [one["date"] for one in body["past_by_session"]] == past
    assert [one["date"] for one in body["future_by_session"]] == ahead
    assert set(body["past"]) == {*OBSERVED_VARIABLES, *KNOWN_VARIABLES}
    assert set(body["future"]) == set(KNOWN_VARIABLES)
    assert set(body["static"]) == set(STATIC_VARIABLES)
    assert [list(step["weights"]) for step in body["attention"]] == [past + ahead[: step + 1] for step in range(7)]
    shares = [body["static"], body["past"], body["future"]]
    shares += [one["weights"] for name in ("past_by_session", "future_by_session", "attention") for one in body[name]]
    assert [sum(weights.values()) for weights in shares] == pytest.approx([1.0] * len(shares), abs=1e-5)
    first = [one["weights"]["close"] for one in body["past_by_session"]]
    assert body["past"]["close"] == pytest.approx(sum(first) / 35)
    other = service.json("GET", path.format(stored[-1]["ticker"]))
    assert other["past"] != body["past"]
    assert service.json("GET", f"{path.format(ticker)}?date={day}") == body

    browser = {"Accept": "text/html,*/*;q=0.8"}
    first = service.request("GET", path.format(ticker), headers=browser)
    assert f"{date.fromisoformat(ahead[-1]):%a %-d %b}" in first.text
    assert "Recent volatility" not in first.text
    page = service.request("GET", f"{path.format(ticker)}?date={day}&weights=true", headers=browser)
    assert f'hx-get="{page.url.raw_path.decode().replace("&", "&amp;")}"' in first.text
    assert page.headers["content-type"].startswith("text/html")
    assert all(word in page.text for word in (ticker, "Recent volatility", "Holiday next", past[0], ahead[-1], "<svg"))
    assert "<script>" not in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert service.request("GET", path.format(ticker), headers={"Accept": "image/png"}).status_code == 406

    assert describe_problem(service.request("GET", path.format("ZZZZZZ"))).startswith(
        "404 ZZZZZZ is not among the predictions"
    )
    assert describe_problem(service.request("GET", f"{path.format(ticker)}?date=1999-01-04")).startswith(
        "404 there are no"
    )
    assert describe_problem(service.request("GET", f"{path.format(ticker)}?date=soon")).startswith("422")

    example = service.json("GET", "/openapi.json")["components"]["schemas"]["ExplanationResponse"]["examples"][0]
    assert example.keys() == body.keys()


def test_model_that_explains_nothing(world: World, service: Service, versions: dict[str, str], tmp_path: Path) -> None:
    """A baseline's forecast is 409; the network's own is explained by it although another is champion; gone, 503."""
    predict_with(world, service, versions["network"])
    ticker = service.json("GET", "/predictions", headers=JSON)[0]["ticker"]
    path, registry = f"/predictions/{ticker}/explanation", world.folder / "registry"
    Registry(registry).promote(versions["baseline"])
    assert service.json("GET", path)["model_version"] == versions["network"]
    (registry / "versions" / versions["network"]).rename(tmp_path / "away")
    assert describe_problem(service.request("GET", path)).startswith("503 there is no model version")
    (tmp_path / "away").rename(registry / "versions" / versions["network"])
    world.play_session()  # the first forecasts of a session stay
    predict_with(world, service, versions["baseline"])
    assert "is a baseline" in describe_problem(service.request("GET", path))
    assert service.request("GET", path).status_code == 409


def _is_on_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class WatchedBroker:
    """Notes whether its clock is asked for on an event loop."""

    def __init__(self) -> None:
        self.on_a_loop: list[bool] = []

    def moment(self) -> datetime:
        """An evening."""
        self.on_a_loop.append(_is_on_a_loop())
        return datetime(2024, 3, 15, 22, tzinfo=UTC)


class EmptyStore:
    """A store without predictions."""

    def predictions(self, _start: date, _end: date) -> pl.DataFrame:
        """None."""
        return pl.DataFrame()


def test_other_requests_go_on_while_the_broker_is_asked() -> None:
    """The broker's clock is a call over the network: a thread waits for it, not the event loop."""
    services = cast("Any", SimpleNamespace(broker=(broker := WatchedBroker()), data=EmptyStore()))
    with pytest.raises(NotFoundError, match="up to 2024-03-15"):
        asyncio.run(get_explanation(Request({"type": "http", "headers": []}), "A", services))
    assert broker.on_a_loop == [False]
