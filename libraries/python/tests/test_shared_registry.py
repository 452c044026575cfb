"""The registry in a bucket, over real HTTP: whole or not there, seen by every machine, checked to the byte."""

import time
from dataclasses import replace
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from internal.errors import ArtifactError, UnavailableError
from internal.forecasting.artifact import FILES, Artifact, load_artifact, save_artifact
from internal.forecasting.registry import LEAK_GATE, Registry
from internal.lake.objects import Objects
from internal.model_registry import open_registry
from internal.settings import DataBucketSettings
from libraries.python.tests.full_disk import limit_files

ARTIFACT = Artifact(
    kind="blended_volatility",
    arrays={"b": np.full((2, 3), 1.5)},
    configuration={"size": "small"},
    scaler={},
    vocabulary={"sector": ["Energy"]},
    metrics={"loss": 0.25, LEAK_GATE: {"day": "2024-01-02"}},
    bars_version=3,
    code_revision="abc",
)


class Shared:
    """One address, and machines that reach it."""

    def __init__(self, settings: DataBucketSettings, folder: Path) -> None:
        self.address = f"s3://fund/{folder.name}/registry"
        self.objects = Objects(self.address, settings.storage_options_for(self.address))
        self._settings, self._folder = settings, folder

    def machine(self, name: str) -> Registry:
        """The registry as a machine with another folder reads it."""
        return open_registry(self.address, self._settings.storage_options_for(self.address), self._folder / name)

    def artifact(self, name: str, loss: float = 0.25) -> Path:
        """An artifact as a training leaves it, in a folder."""
        save_artifact(self._folder / name, replace(ARTIFACT, metrics={**ARTIFACT.metrics, "loss": loss}))
        return self._folder / name


@pytest.fixture
def shared(bucket: DataBucketSettings, tmp_path: Path) -> Shared:
    """An address of a test's own."""
    return Shared(bucket, tmp_path)


def test_what_one_machine_registers_another_reads(shared: Shared) -> None:
    """Promoted on one, loaded on the other, to the bit; a later promotion is seen without a restart."""
    trainer, trader = shared.machine("trainer"), shared.machine("trader")
    first = trainer.register(shared.artifact("one"))
    trainer.promote(first)
    assert trader.path().name == first
    assert load_artifact(trader.path()).arrays["b"].tobytes() == ARTIFACT.arrays["b"].tobytes()
    time.sleep(1.1)  # a bucket's clock counts whole seconds
    second = trainer.register(shared.artifact("two", 0.2))
    trainer.promote(second)
    assert trader.path().name == second
    assert [(one.version, one.aliases) for one in trader.list()] == [(first, ()), (second, ("champion",))]
    assert trader.path(first).is_relative_to(trader.path(second).parent)


def test_an_empty_one_says_what_to_do(shared: Shared) -> None:
    """By its address; nothing is listed, and nothing is known."""
    registry = shared.machine("new")
    assert not registry.has_alias()
    assert registry.list() == []
    with pytest.raises(ArtifactError, match=f"no model 'champion' in {shared.address}: run `models train`"):
        registry.path()


def test_a_version_without_its_manifest_is_not_there(shared: Shared) -> None:
    """A writer that died before its last object: no reader sees the version, and registering again completes it."""
    folder = shared.artifact("one")
    registry = shared.machine("writer")
    whole = Registry(folder.parent / "local").register(folder)
    for name in FILES[:-1]:
        shared.objects.put(f"versions/{whole}/{name}", (folder / name).read_bytes())
    assert registry.list() == []
    with pytest.raises(ArtifactError, match="no model version"):
        registry.promote(whole)
    assert registry.register(folder) == whole
    registry.promote(whole)
    assert shared.machine("reader").path().name == whole


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_a_changed_object_is_refused(shared: Shared, name: str) -> None:
    """One byte of any object: the reader names the version and the address, and keeps no copy of it."""
    writer = shared.machine("writer")
    version = writer.register(shared.artifact("one"))
    writer.promote(version)
    path = f"versions/{version}/{name}"
    content = shared.objects.get(path)
    assert content is not None
    shared.objects.put(path, content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])
    reader = shared.machine("reader")
    with pytest.raises(ArtifactError, match=f"{shared.address}/versions/{version} was changed"):
        reader.path()
    assert shared.machine("another").register(shared.artifact("again")) == version  # trained again, it is repaired
    assert shared.objects.get(path) == content
    assert reader.path().name == version


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
@pytest.mark.parametrize("is_lost", [False, True])
def test_a_damaged_copy_is_fetched_again(shared: Shared, name: str, *, is_lost: bool) -> None:
    """A byte changed in any file of a machine's copy, or the file lost: the next use has the bucket's bytes again."""
    shared.machine("writer").promote(shared.machine("writer").register(shared.artifact("one")))
    reader = shared.machine("reader")
    file = reader.path() / name
    content = file.read_bytes()
    file.unlink()
    if not is_lost:
        file.write_bytes(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])
    assert [one.damage for one in reader.list()] == [""]
    assert load_artifact(reader.path()).metrics == ARTIFACT.metrics
    assert file.read_bytes() == content == (shared.machine("another").path() / name).read_bytes()
    assert [folder.name for folder in reader.path().parent.iterdir()] == [reader.champion()]


def test_a_damaged_copy_of_a_damaged_version(shared: Shared) -> None:
    """Neither is used; the message names the bucket's objects, and registering on that machine repairs both."""
    registry = shared.machine("one")
    version = registry.register(shared.artifact("one"))
    (registry.path(version) / "scaler.json").write_bytes(b"{ }")
    shared.objects.put(f"versions/{version}/scaler.json", b"{ }")
    (damaged,) = registry.list()
    assert f"{shared.address}/versions/{version} was changed" in damaged.damage
    assert registry.register(shared.artifact("again")) == version
    assert [one.damage for one in (*registry.list(), *shared.machine("two").list())] == ["", ""]


def test_a_lost_object_is_reported(shared: Shared) -> None:
    """A version whose manifest is there and whose weights are not."""
    version = shared.machine("writer").register(shared.artifact("one"))
    manifest = shared.objects.get(f"versions/{version}/manifest.json")
    assert manifest is not None
    shared.objects.put("versions/0123456789abcdef/manifest.json", manifest)
    with pytest.raises(ArtifactError, match=r"0123456789abcdef is no complete artifact: it has no weights"):
        shared.machine("reader").path("0123456789abcdef")


def test_only_what_passed_the_gate_is_champion(shared: Shared, tmp_path: Path) -> None:
    """By `promote`, and by an alias that was written into the bucket."""
    registry = shared.machine("one")
    save_artifact(tmp_path / "ungated", replace(ARTIFACT, metrics={"loss": 0.1}))
    ungated = registry.register(tmp_path / "ungated")
    with pytest.raises(ArtifactError, match="cannot be champion"):
        registry.promote(ungated)
    shared.objects.put("aliases/champion", ungated.encode())
    with pytest.raises(ArtifactError, match="cannot be champion"):
        shared.machine("two").path()
    shared.objects.put("aliases/champion", b"../../etc/passwd")
    with pytest.raises(ArtifactError, match="no model version"):
        shared.machine("two").path()


def test_a_reader_always_finds_a_champion(shared: Shared) -> None:
    """While two machines promote back and forth, every read of a third finds one of the two."""
    versions = [shared.machine("a").register(shared.artifact(f"artifact-{place}", place)) for place in (1.0, 2.0)]
    shared.machine("a").promote(versions[0])

    def promote(name: str, version: str) -> None:
        machine = shared.machine(name)
        for _ in range(15):
            machine.promote(version)

    threads = [Thread(target=promote, args=pair) for pair in zip("ab", versions, strict=True)]
    for thread in threads:
        thread.start()
    reader = shared.machine("reader")
    found = {reader.path().name for _ in range(15)}
    for thread in threads:
        thread.join()
    assert found <= set(versions)


def test_full_disk(shared: Shared) -> None:
    """A copy that cannot be written is an error that names its folder; nothing is left, and a later read fetches it."""
    version, reader = shared.machine("writer").register(shared.artifact("one")), shared.machine("reader")
    with limit_files(20), pytest.raises(UnavailableError, match=f"reader/versions/{version} .* free some disk space"):
        reader.path(version)
    assert list(reader.path(version).parent.iterdir()) == [reader.path(version)]


def test_a_missing_bucket_is_reported(bucket: DataBucketSettings, tmp_path: Path) -> None:
    """UnavailableError with the address and without the keys; nothing half-made is called registered."""
    address = "s3://nowhere/registry"
    registry = open_registry(address, bucket.storage_options_for(address), tmp_path / "copies")
    save_artifact(tmp_path / "one", ARTIFACT)
    for attempt in (registry.path, registry.list, lambda: registry.register(tmp_path / "one")):
        with pytest.raises(UnavailableError, match=address) as raised:
            attempt()
        assert "hunter2" not in raised.value.detail
