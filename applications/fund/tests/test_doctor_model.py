"""The check of `fund doctor` on the champion: missing, damaged, without evidence, and its age in collected sessions."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fund.addresses import Addresses
from fund.broker_record import BrokerRecord
from fund.doctor_model import check_model, describe_age
from fund.folder import FundFolder
from fund.market_settings import MarketSettings
from fund.services import Service
from fund.strategy_choice import DEFAULT, StrategyChoice, find_file
from internal.forecasting.artifact import Artifact, save_artifact
from internal.forecasting.registry import LEAK_GATE, Registry
from internal.lake.store import Lake
from internal.lake.tables import INGESTION_SESSIONS_COLUMNS
from internal.modes import Mode

KIND = "heterogeneous_volatility"
ADDRESSES = Addresses({service: 58081 + number for number, service in enumerate(Service)})
ENOUGH = {"ranks": 1.0, "rank_correlation": 0.1, "spread": 0.01, "spread_error": 0.001, "spread_cost": 0.002}
MIDDLE_OF_MARCH = datetime(2024, 3, 15, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FundFolder:
    """A fund that opened on its own exchange and trades the fund's own strategy, without a model."""
    for name in ("DATA_BUCKET", "REGISTRY_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    opened = FundFolder(tmp_path / "home")
    opened.make_private()
    opened.credentials()
    opened.save_market(MarketSettings(bars=None, details=None, seed=1, tickers=20, session="2024-01-02"))
    opened.save_strategy(StrategyChoice(find_file(DEFAULT)))
    return opened


def promote(folder: FundFolder, held_out: Mapping[str, float] = {}) -> Path:
    """Register a model as the champion; its folder."""
    artifact = folder.root / "artifact"
    metrics = {LEAK_GATE: {"day": "2024-03-18"}, "held_out": {KIND: held_out}}
    fold = {"fold": {"validation_last": "2024-03-01"}}
    save_artifact(artifact, Artifact(KIND, {"weight": np.ones(8)}, fold, {}, {}, metrics, 0, "test"))
    registry = Registry(folder.registry)
    registry.promote(registry.register(artifact))
    return registry.path()


def collect(folder: FundFolder, *days: date) -> None:
    """Write sessions into the lake's log of collections."""
    rows = [(day, "collected", 1, 0, "digest", MIDDLE_OF_MARCH) for day in days]
    Lake(str(folder.lake)).append(
        "ingestion_sessions", pl.DataFrame(rows, schema=INGESTION_SESSIONS_COLUMNS, orient="row")
    )


def test_a_whole_champion(folder: FundFolder) -> None:
    """Its version, evidence and age: 19 more sessions in March 2024, without Good Friday, and the 1st of April."""
    path = promote(folder, ENOUGH)
    collect(folder, date(2024, 3, 28), date(2024, 4, 1))
    before = sorted(folder.root.rglob("*"))
    finding = check_model(folder, ADDRESSES)
    assert finding.healthy
    assert finding.seen.startswith(
        f"champion {path.name}, {KIND}, whole; trained through 2024-03-01, 20 sessions before the last collected one, "
        "2024-04-01. A book of the best and the worst tenth earns more than it costs: +1.00 % before and +0.80 % after"
    )
    assert sorted(folder.root.rglob("*")) == before, "it changes nothing"


@pytest.mark.parametrize("name", ["manifest.json", "weights.safetensors", "metrics.json"])
def test_a_damaged_champion(folder: FundFolder, name: str) -> None:
    """A fault that names the damage and the commands that make another one the champion."""
    file = promote(folder) / name
    file.write_bytes(file.read_bytes()[:-1] + b" ")
    finding = check_model(folder, ADDRESSES)
    assert "was changed after it was" in finding.seen
    assert "`./fund models promote VERSION`" in (finding.remedy or "")
    folder.save_strategy(StrategyChoice(find_file("strategies/equal_weight.py:EqualWeight")))
    finding = check_model(folder, ADDRESSES)
    assert finding.healthy
    assert finding.seen.endswith("the fund's strategy reads no forecasts and needs none")


def test_no_champion(folder: FundFolder, tmp_path: Path) -> None:
    """A fault of a fund that has opened, unless its strategy reads no forecasts; elsewhere nothing is checked."""
    finding = check_model(folder, ADDRESSES)
    assert (finding.seen, finding.healthy) == ("there is no champion", False)
    assert "`./fund up` trains the first model" in (finding.remedy or "")
    folder.save_strategy(StrategyChoice(find_file("strategies/equal_weight.py:EqualWeight")))
    assert check_model(folder, ADDRESSES).healthy
    folder.save_strategy(StrategyChoice(str(tmp_path / "gone.py:Gone")))
    assert not check_model(folder, ADDRESSES).healthy
    unopened = FundFolder(tmp_path / "unopened")
    assert "not checked: No fund in" in check_model(unopened, ADDRESSES).seen
    assert not unopened.root.exists()


def test_what_live_orders_need(folder: FundFolder) -> None:
    """Without enough evidence, how it is named when the fund is armed; a simulated fund needs no arming."""
    promote(folder)
    assert "was not measured" in check_model(folder, ADDRESSES).seen
    folder.settings_file.write_text('mode = "live"\n')
    folder.save_record(BrokerRecord(Mode.LIVE, "https://api.alpaca.markets", "A1"))
    finding = check_model(folder, ADDRESSES)
    assert finding.healthy
    assert f"Live orders on its forecasts need `./fund arm --live --without-evidence {KIND}`" in finding.seen


def test_the_registry_of_the_settings(folder: FundFolder, tmp_path: Path) -> None:
    """That of the fund's settings is read, as `fund models` reads it; a bucket is asked by `models list` alone."""
    path = promote(folder)
    folder.registry.rename(tmp_path / "elsewhere")
    folder.save_record(BrokerRecord(Mode.PAPER, "https://paper-api.alpaca.markets", "A1"))
    folder.settings_file.write_text(f'mode = "paper"\n[storage]\nregistry_directory = "{tmp_path / "elsewhere"}"\n')
    assert path.name in check_model(folder, ADDRESSES).seen
    folder.settings_file.write_text('mode = "paper"\n[storage]\nregistry_directory = "s3://fund/registry"\n')
    finding = check_model(folder, ADDRESSES)
    assert finding.healthy
    assert "in s3://fund/registry, not checked" in finding.seen


@pytest.mark.parametrize(
    ("through", "last", "expected"),
    [
        (None, date(2024, 4, 1), "through which session it was trained is not recorded"),
        (date(2024, 3, 1), None, "trained through 2024-03-01"),
        (date(2024, 3, 28), date(2024, 4, 1), "trained through 2024-03-28, 1 session before the last collected one, "),
        (date(2024, 4, 1), date(2024, 3, 27), "2 sessions after the last collected one, 2024-03-27: forecasts up to "),
    ],
)
def test_age(through: date | None, last: date | None, expected: str) -> None:
    """In sessions of the exchange; a model that saw what the lake does not have forecasts with hindsight."""
    assert expected in describe_age(through, last)
