"""The lease in one process, turn by turn: who takes it, who waits, and that neither a late renewal nor sleep counts."""

import builtins
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import override

import pytest
from pydantic import SecretStr

from internal.clock import elapsed_seconds
from internal.errors import UnavailableError
from internal.lake.lease import RENEWALS, Lease, StandbyError
from internal.lake.objects import Objects
from internal.lake.process_identity import ProcessIdentity
from internal.settings import DataBucketSettings

LONG = 600.0  # a lease whose thread does nothing during a test


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        """The seconds now."""
        return self.seconds


@pytest.fixture(params=["folder", "bucket"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    """Empty objects, in a folder and in a bucket."""
    if request.param == "folder":
        return Objects(str(tmp_path / "lake"))
    bucket: DataBucketSettings = request.getfixturevalue("bucket")
    return Objects(f"s3://fund/{tmp_path.name}", bucket.storage_options())


def id_of(lease: Lease) -> str:
    """The id under which the lease's process holds it."""
    assert lease.identity is not None
    return lease.identity.id


def test_objects(objects: Objects) -> None:
    """Created once, replaced whole, listed in order; an object that does not exist is None."""
    assert objects.create("a/2", b"two")
    assert not objects.create("a/2", b"again")
    objects.put("a/1", b"one")
    objects.put("a/1", b"uno")
    assert [b"uno", b"two"] == [objects.get(path) for path in objects.list("a")]
    assert objects.get("a/3") is None
    assert objects.list("b") == []


def test_of_many_one_gets_it(objects: Objects, tmp_path: Path) -> None:
    """Eight ask at the same moment; after the holder released it, one of those that wait has it."""
    leases = [Lease(objects, "trader", tmp_path / str(place), 6.0) for place in range(8)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(Lease.__enter__, leases))
    holders = [lease for lease in leases if lease.held()]
    assert [1] == [lease.require() for lease in holders]
    waiting = [lease for lease in leases if lease not in holders]
    for lease in waiting:
        with pytest.raises(StandbyError, match="number 1, last renewed at 20"):
            lease.require()
    holders[0].__exit__(None, None, None)
    deadline = time.monotonic() + 60
    while not any(lease.held() for lease in waiting):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert [2] == [lease.require() for lease in waiting if lease.held()]
    for lease in waiting:
        lease.__exit__(None, None, None)


def test_renewed_while_held(objects: Objects, tmp_path: Path) -> None:
    """A living holder keeps the lease beyond its seconds: its thread renews it."""
    with (
        Lease(objects, "trader", tmp_path / "one", 2.0) as held,
        Lease(objects, "trader", tmp_path / "two", 2.0) as other,
    ):
        deadline = time.monotonic() + 60
        while renewals(objects) < 2 * RENEWALS:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert held.require() == 1
        assert not other.held()


def renewals(objects: Objects) -> int:
    """How often the first holding was renewed."""
    return int(json.loads(objects.get("leases/trader/000000000001.json") or b"{}").get("signs", 0))


def test_a_dead_holder_loses_it(objects: Objects, tmp_path: Path) -> None:
    """Without renewals the other waits as long as the dead one's lease lasts, by its own clock, and takes it."""
    dead = Lease(objects, "trader", tmp_path / "dead", 1.0)
    dead.turn()
    assert dead.held()
    with Lease(objects, "trader", tmp_path / "heir", 1.0) as heir:
        started = time.monotonic()
        while not heir.held():
            assert time.monotonic() < started + 60
            assert not (dead.held() and heir.held())
            time.sleep(0.01)
        assert time.monotonic() - started >= 1.0
        assert heir.require() == 2
        assert not dead.held()
        dead.turn()  # it wakes up: another process has it
        with pytest.raises(StandbyError):
            dead.require()


class SlowObjects(Objects):
    """Objects during whose listing the clock moves on, as in a process that is stopped there."""

    def __init__(self, url: str, clock: Clock, seconds: float) -> None:
        super().__init__(url)
        self._clock, self._seconds = clock, seconds

    @override
    def list(self, folder: str) -> builtins.list[str]:
        """The paths, late."""
        self._clock.seconds += self._seconds
        return super().list(folder)


def test_a_late_renewal_does_not_count(tmp_path: Path) -> None:
    """A holder that was stopped too long before its renewal does not hold; it takes the lease again, as number 2."""
    clock = Clock()
    lease = Lease(SlowObjects(str(tmp_path / "lake"), clock, LONG * 0.9), "trader", tmp_path, LONG, clock)
    with lease:
        assert lease.require() == 1
        clock.seconds += LONG * 0.05
        assert lease.held()
        lease.turn()
        assert not lease.held()
        lease.turn()
        assert lease.require() == 2


def test_own_lease_of_before_a_restart(objects: Objects, tmp_path: Path) -> None:
    """A process that died takes it again at once; a second one in the same directory is another process."""
    killed = Lease(objects, "trader", tmp_path, LONG)
    killed.__enter__()
    assert killed.identity is not None
    killed.identity.close()  # as the kernel does with the files of a killed process
    with Lease(objects, "trader", tmp_path, LONG) as again:
        assert again.require() == 2
        with Lease(objects, "trader", tmp_path, LONG) as beside, pytest.raises(StandbyError):
            beside.require()


def test_the_id_goes_to_the_process_that_stays(objects: Objects, tmp_path: Path) -> None:
    """Of two in one directory the second stays, renews with the directory's id, and after a restart has it at once."""
    old = Lease(objects, "trader", tmp_path, LONG).__enter__()
    new = Lease(objects, "trader", tmp_path, LONG).__enter__()
    identifier = id_of(old)
    assert id_of(new) != identifier
    old.__exit__(None, None, None)
    new.turn()
    assert new.require() == 2
    assert id_of(new) == identifier
    assert new.identity is not None
    new.identity.close()  # as the kernel does with the files of a killed process
    with Lease(objects, "trader", tmp_path, LONG) as again:
        assert again.require() == 3


def test_taken_before_the_id_was_free(objects: Objects, tmp_path: Path) -> None:
    """While the first process is stopped, the second holds under its own id; it renews under the directory's later."""
    still = ProcessIdentity(tmp_path)
    held = Lease(objects, "trader", tmp_path, LONG).__enter__()
    own = id_of(held)
    assert own != still.id
    still.close()
    held.turn()
    stored = objects.get("leases/trader/000000000001.json") or b""
    assert json.loads(stored)["holder"] == still.id
    assert held.require() == 1


def test_a_store_that_cannot_be_reached(tmp_path: Path) -> None:
    """Without the store nobody holds the lease, and the error names the store."""
    settings = DataBucketSettings(
        data_bucket="s3://fund/lake",
        aws_endpoint_url="http://127.0.0.1:9",
        duckdb_access_key=SecretStr("key"),
        duckdb_secret=SecretStr("hunter2"),
    )
    lease = Lease(Objects(settings.data_bucket, settings.storage_options()), "trader", tmp_path, LONG)
    with lease, pytest.raises(UnavailableError, match="s3://fund/lake cannot be used"):
        lease.require()


def test_sleep_counts(objects: Objects, tmp_path: Path) -> None:
    """The machine sleeps longer than the lease lasts: at once nothing is held; then it is taken as the next number."""
    clock = Clock()
    with Lease(objects, "trader", tmp_path, LONG, clock) as lease:
        assert lease.require() == 1
        clock.seconds += LONG - 1
        assert lease.held()
        clock.seconds += 1
        assert not lease.held()
        with pytest.raises(UnavailableError, match=r"leases/trader is not held: it was not renewed for 600 s"):
            lease.require()
        lease.turn()
        assert lease.require() == 2


def test_taken_over_during_sleep(objects: Objects, tmp_path: Path) -> None:
    """Another process took the lease while the holder slept: after waking it is on standby."""
    clock = Clock()
    sleeper = Lease(objects, "trader", tmp_path / "sleeper", LONG, clock)
    with sleeper:
        heir = Lease(objects, "trader", tmp_path / "heir", LONG, clock)
        heir.turn()
        clock.seconds += LONG * 1.2
        heir.turn()
        assert heir.require() == 2
        with pytest.raises(UnavailableError):
            sleeper.require()
        sleeper.turn()
        with pytest.raises(StandbyError, match="number 2"):
            sleeper.require()


def test_the_clock_counts_sleep() -> None:
    """On Linux it is the kernel's clock since boot, suspended time included, and it goes forward."""
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert before <= elapsed_seconds() <= time.clock_gettime(time.CLOCK_BOOTTIME)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"number": 1}', b"\xff\xfe"])
def test_a_damaged_holding_is_taken_over(objects: Objects, tmp_path: Path, content: bytes) -> None:
    """An empty or garbled object holds the lease no longer than a dead holder would; the numbers go on."""
    objects.put("leases/trader/000000000007.json", content)
    clock = Clock()
    with Lease(objects, "trader", tmp_path, 30, clock) as lease:
        assert not lease.held()
        clock.seconds += 34
        lease.turn()
        assert lease.require() == 8
