"""Records of decisions in the lake: what is read is what was written, to the bit, and half a record is none."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings

from internal.lake.store import Lake
from internal.trading.decision import decide
from internal.trading.decision_records import DecisionRecord, make_record
from internal.trading.limits import RiskLimits
from internal.trading.situation import Situation
from internal.trading.targets import Target, Targets
from libraries.python.tests.strategies.drawn_situations import situations
from libraries.python.tests.strategies.small_situations import make_situation
from libraries.python.tests.trading.test_limits import Fixed
from portfoliomanager.adapters.lake_decisions import NAMES, LakeDecisions

OTHER_DAY = date(2024, 3, 18)


def record_of(situation: Situation) -> DecisionRecord:
    """A decision that opens or keeps every fifth name."""
    rows = tuple(Target(one, 0.02, "wanted") for one in situation.tickers[::5])
    decision = decide(situation, Fixed(Targets(rows, scores=situation.inputs.price)), RiskLimits())
    return make_record("portfolio-1", situation, decision, None, "rules")


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(situation=situations())
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, situation: Situation) -> None:
    """Every value comes back; stored again, the record is replaced; a record of another day stays."""
    stored = LakeDecisions(Lake(str(tmp_path_factory.mktemp("lake"))))
    record = record_of(situation)
    other = replace(record, portfolio_id="portfolio-2", day=OTHER_DAY, reduction="halted", asset_notes=("a", "b"))
    stored.save(record)
    stored.save(other)
    assert stored.find("portfolio-1", record.day) == record
    changed = replace(record, net_asset_value=record.net_asset_value / 3, names=record.names[1:])
    stored.save(changed)
    assert stored.find("portfolio-1", record.day) == changed
    assert stored.find("portfolio-2", OTHER_DAY) == other
    assert stored.find("portfolio-1", OTHER_DAY) is None


def test_interrupted_save(tmp_path: Path) -> None:
    """Killed between its two writes, a record does not exist; saved again it is whole, and no name is there twice."""
    record = record_of(make_situation({"A": 10.0, "B": 20.0, "C": 30.0}, held={"B": -7.0}))
    whole, half = Lake(str(tmp_path / "whole")), Lake(str(tmp_path / "half"))
    LakeDecisions(whole).save(record)
    half.append(NAMES, whole.scan(NAMES).filter(pl.col("ticker") != record.names[-1].ticker).collect())
    assert LakeDecisions(half).find("portfolio-1", record.day) is None
    LakeDecisions(half).save(record)
    assert LakeDecisions(half).find("portfolio-1", record.day) == record
