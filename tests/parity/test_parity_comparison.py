"""The comparison accepts the same recording and finds what was planted, without running a fund."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from parity.cases import CASES
from parity.comparison import Kind, compare
from parity.exceptions import REAL_CLOCK, RECONCILED_AT_START, DocumentedDifference
from parity.recording import Recording, load, save
from parity.tables import ALL, Row, Scalar

NEVER_EMPTY = {table.name for table in ALL} - {"splits", "dividends"}


@pytest.fixture(scope="module")
def recorded() -> Recording:
    """The recording of the first simulated market."""
    return load("seed-1")


def changed(recording: Recording, table: str, field: str, change: Callable[[Scalar], Scalar]) -> Recording:
    """The recording with one field of a table's last row changed."""
    *rows, last = recording.tables[table]
    row: Row = {**last, field: change(last[field])}
    return replace(recording, tables={**recording.tables, table: [*rows, row]})


def test_same_recording(recorded: Recording) -> None:
    """A recording does not differ from itself."""
    assert compare(recorded, recorded) == []


def test_file_keeps_every_value(recorded: Recording, tmp_path: Path) -> None:
    """A recording that was saved and loaded is the same, and saved again has the same bytes."""
    first = save(recorded, tmp_path / "first").read_bytes()
    loaded = load("seed-1", tmp_path / "first")

    assert compare(recorded, loaded) == []
    assert save(loaded, tmp_path / "second").read_bytes() == first


@pytest.mark.parametrize(("table", "field"), [("portfolios", "quantity"), ("journal_orders", "filled_quantity")])
def test_one_share(recorded: Recording, table: str, field: str) -> None:
    """A quantity that is one share larger is the only difference, and it is reported with both values."""
    quantity = float(str(recorded.tables[table][-1][field]))
    (found,) = compare(recorded, changed(recorded, table, field, lambda _: quantity + 1))

    assert (found.kind, found.table, found.field) == (Kind.FAILURE, table, field)
    assert found.sentence().endswith(f"field {field}: was {quantity}, is now {quantity + 1}.")


def test_one_cent(recorded: Recording) -> None:
    """A net asset value that is one cent larger is a difference."""
    value = float(str(recorded.tables["account_snapshots"][-1]["net_asset_value"]))
    (found,) = compare(recorded, changed(recorded, "account_snapshots", "net_asset_value", lambda _: value + 0.01))

    assert found.kind is Kind.FAILURE


@pytest.mark.parametrize("other_way", [False, True])
def test_missing_and_additional_order(recorded: Recording, *, other_way: bool) -> None:
    """An order that is missing, or that was not there before, is a difference."""
    fewer = replace(recorded, tables={**recorded.tables, "exchange_orders": recorded.tables["exchange_orders"][:-1]})
    (found,) = compare(fewer, recorded) if other_way else compare(recorded, fewer)

    assert (found.kind, found.field) == (Kind.FAILURE, "(row)")
    assert {found.before, found.after} == {"present", "absent"}


def test_reworded_reason_is_a_note(recorded: Recording) -> None:
    """A reason in other words does not fail the comparison, but it is reported."""
    (found,) = compare(recorded, changed(recorded, "portfolios", "reason", lambda _: "other words"))

    assert found.kind is Kind.NOTE


def test_rounding_is_a_note(recorded: Recording) -> None:
    """A sum in another order, different in its last binary digits alone, does not fail the comparison."""
    value = float(str(recorded.tables["account_snapshots"][-1]["slippage"]))
    (found,) = compare(recorded, changed(recorded, "account_snapshots", "slippage", lambda _: value + 1e-12))

    assert found.kind is Kind.NOTE


def test_documented_exception(recorded: Recording) -> None:
    """A difference with a documented reason does not fail the comparison; the same one in another field does."""
    exception = DocumentedDifference("seed-1", "rebalances", "lease_number", "an example")
    lease = compare(recorded, changed(recorded, "rebalances", "lease_number", lambda _: 99), [exception])
    state = compare(recorded, changed(recorded, "rebalances", "state", lambda _: "filled"), [exception])

    assert [difference.kind for difference in [*lease, *state]] == [Kind.DOCUMENTED, Kind.FAILURE]


@pytest.mark.parametrize("name", CASES)
def test_every_case_is_recorded(name: str) -> None:
    """Each case has a recording of every session, and no table without rows but those of corporate actions."""
    recording = load(name)

    assert len(recording.tables["rebalances"]) == CASES[name].sessions + 1
    assert all(recording.tables[table] for table in NEVER_EMPTY)


def test_killed_fund_ends_as_the_undisturbed(recorded: Recording) -> None:
    """A portfoliomanager that was killed five times leaves what the one that was never killed leaves."""
    restarts = (
        DocumentedDifference("seed-1", "rebalances", "lease_number", "each start takes the lease again"),
        DocumentedDifference("seed-1", "account_snapshots", "portfolio_id", "a restart writes the last snapshot again"),
        DocumentedDifference("seed-1", "rebalances", "known_at", REAL_CLOCK),
        DocumentedDifference("seed-1", "rebalances", "updated_at", RECONCILED_AT_START),
    )
    found = compare(recorded, replace(load("killed"), case="seed-1"), restarts)

    assert [difference.sentence() for difference in found if difference.kind is Kind.FAILURE] == []
    assert {difference.field for difference in found} <= {
        "known_at",
        "lease_number",
        "portfolio_id",
        "slippage",
        "updated_at",
    }
