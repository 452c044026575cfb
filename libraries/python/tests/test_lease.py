"""The lease in one process, by its own turns: who takes it, who waits, and that a late sign counts nothing."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from internal.errors import UnavailableError
from internal.lake.lease import Identity, Lease, StandbyError
from internal.lake.objects import Objects
from internal.settings import DataBucketSettings

LONG = 600.0  # a lease whose thread does nothing during a test


@pytest.fixture(params=["folder", "bucket"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    """Objects of a test's own, in a folder and in a bucket."""
    if request.param == "folder":
        return Objects(str(tmp_path / "lake"))
    bucket: DataBucketSettings = request.getfixturevalue("bucket")
    return Objects(f"s3://fund/{tmp_path.name}", bucket.storage_options())


def test_objects(objects: Objects) -> None:
    """Made once, replaced whole, listed in order; what is not there is None."""
    assert objects.create("a/2", b"two")
    assert not objects.create("a/2", b"again")
    objects.put("a/1", b"one")
    objects.put("a/1", b"uno")
    assert [b"uno", b"two"] == [objects.get(path) for path in objects.list("a")]
    assert objects.get("a/3") is None
    assert objects.list("b") == []


def test_of_many_one_gets_it(objects: Objects, tmp_path: Path) -> None:
    """Eight ask at the same moment; after the holder gave it back, one of those that wait does."""
    leases = [Lease(objects, "trader", tmp_path / str(place), 1.0) for place in range(8)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(Lease.__enter__, leases))
    holders = [lease for lease in leases if lease.held()]
    assert [1] == [lease.require() for lease in holders]
    waiting = [lease for lease in leases if lease not in holders]
    for lease in waiting:
        with pytest.raises(StandbyError, match="number 1, last sign at 20"):
            lease.require()
    holders[0].__exit__(None, None, None)
    deadline = time.monotonic() + 5
    while not any(lease.held() for lease in waiting):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert [2] == [lease.require() for lease in waiting if lease.held()]
    for lease in waiting:
        lease.__exit__(None, None, None)


def test_renewed_while_held(objects: Objects, tmp_path: Path) -> None:
    """A holder that lives keeps it far beyond its seconds."""
    with (
        Lease(objects, "trader", tmp_path / "one", 0.6) as held,
        Lease(objects, "trader", tmp_path / "two", 0.6) as other,
    ):
        time.sleep(2.5)
        assert held.require() == 1
        assert not other.held()


def test_a_dead_holder_loses_it(objects: Objects, tmp_path: Path) -> None:
    """No sign comes any more: the other waits as long as the dead one's lease lasts, by its own clock, and takes it."""
    dead = Lease(objects, "trader", tmp_path / "dead", 1.0)
    dead._take()
    assert dead.held()
    with Lease(objects, "trader", tmp_path / "heir", 1.0) as heir:
        started = time.monotonic()
        while not heir.held():
            assert time.monotonic() < started + 5
            assert not (dead.held() and heir.held())
            time.sleep(0.01)
        assert time.monotonic() - started >= 1.0
        assert heir.require() == 2
        assert not dead.held()
        dead._turn()  # it wakes up: somebody else has it
        with pytest.raises(StandbyError):
            dead.require()


def test_a_late_sign_counts_nothing(objects: Objects, tmp_path: Path) -> None:
    """A holder that was stopped too long before its sign does not hold; it takes the lease anew, as number 2."""
    slow = Lease(objects, "trader", tmp_path, 1.0)
    with slow:
        assert slow._holding is not None
        slow._until = 0.0
        slow._renew(slow._holding)
        assert not slow.held()
        slow._turn()
        assert slow.require() == 2


def test_its_own_former_lease(objects: Objects, tmp_path: Path) -> None:
    """A process that died takes it again at once; a second one beside it, in the same directory, is somebody else."""
    killed = Lease(objects, "trader", tmp_path, LONG)
    killed.__enter__()
    assert killed._identity is not None
    killed._identity.close()  # as the kernel does with the files of a killed process
    with Lease(objects, "trader", tmp_path, LONG) as again:
        assert again.require() == 2
        with Lease(objects, "trader", tmp_path, LONG) as beside, pytest.raises(StandbyError):
            beside.require()


def test_the_word_goes_to_the_one_that_stays(objects: Objects, tmp_path: Path) -> None:
    """Two over one directory: the second one stays, signs with the directory's word, and a restart has it at once."""
    old = Lease(objects, "trader", tmp_path, LONG).__enter__()
    new = Lease(objects, "trader", tmp_path, LONG).__enter__()
    word = old._word()
    assert new._word() != word
    old.__exit__(None, None, None)
    new._turn()
    assert new.require() == 2
    assert new._word() == word
    assert new._identity is not None
    new._identity.close()  # as the kernel does with the files of a killed process
    with Lease(objects, "trader", tmp_path, LONG) as again:
        assert again.require() == 3


def test_taken_before_the_word_was_free(objects: Objects, tmp_path: Path) -> None:
    """The first process stands still: the second one holds as itself, and signs anew when the first is gone."""
    still = Identity(tmp_path)
    held = Lease(objects, "trader", tmp_path, LONG).__enter__()
    own = held._word()
    assert own != still.word
    still.close()
    held._turn()
    stored = objects.get("leases/trader/000000000001.json") or b""
    assert json.loads(stored)["holder"] == still.word
    assert held.require() == 1


def test_a_store_that_is_away(tmp_path: Path) -> None:
    """Without the store nobody holds anything, and the sentence names it."""
    settings = DataBucketSettings(
        data_bucket="s3://fund/lake",
        aws_endpoint_url="http://127.0.0.1:9",
        duckdb_access_key="key",
        duckdb_secret="hunter2",  # noqa: S106 - opens nothing
    )
    lease = Lease(Objects(settings.data_bucket, settings.storage_options()), "trader", tmp_path, LONG)
    with lease, pytest.raises(UnavailableError, match="s3://fund/lake cannot be used"):
        lease.require()
