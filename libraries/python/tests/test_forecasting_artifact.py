"""Artifact and registry: one folder whose name is its content, in the registry wholly or not at all."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from internal.errors import ArtifactError, UnavailableError
from internal.forecasting.artifact import Artifact, artifact_version, load_artifact, save_artifact
from internal.forecasting.registry import DAMAGED, LEAK_GATE, Registry


def _artifact(value: float = 1.0) -> Artifact:
    return Artifact(
        kind="blended_volatility",
        arrays={"b": np.full((2, 3), value), "a": np.arange(4, dtype=np.float32)},
        configuration={"size": "small"},
        scaler={},
        vocabulary={"sector": ["Energy"]},
        metrics={"loss": 0.25, LEAK_GATE: {"day": "2024-01-02"}},
        bars_version=3,
        code_revision="abc",
    )


def test_round_trip(tmp_path: Path) -> None:
    """What is saved is loaded, to the bit."""
    save_artifact(tmp_path / "one", _artifact())
    loaded = load_artifact(tmp_path / "one")
    assert {name: array.tobytes() for name, array in loaded.arrays.items()} == {
        name: array.tobytes() for name, array in _artifact().arrays.items()
    }
    assert replace(loaded, arrays={}) == replace(_artifact(), arrays={})


def test_version_is_the_content(tmp_path: Path) -> None:
    """The same content has the same version wherever it is; one weight more makes another."""
    first, second = save_artifact(tmp_path / "a", _artifact()), save_artifact(tmp_path / "b", _artifact())
    assert first == second == artifact_version(tmp_path / "a")
    assert save_artifact(tmp_path / "c", _artifact(1.0000001)) != first


def test_every_flipped_byte_is_seen(tmp_path: Path) -> None:
    """A changed byte in any file is refused and the file is named."""
    folder = tmp_path / "one"
    save_artifact(folder, _artifact())
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        if path.name == "manifest.json":
            continue
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(ArtifactError, match=path.name):
            load_artifact(folder)
        path.write_bytes(content)
    assert load_artifact(folder).bars_version == 3


def test_missing_file_is_named(tmp_path: Path) -> None:
    """Without its scaler an artifact is incomplete; without a folder there is none."""
    save_artifact(tmp_path / "one", _artifact())
    (tmp_path / "one" / "scaler.json").unlink()
    with pytest.raises(ArtifactError, match=r"scaler\.json"):
        load_artifact(tmp_path / "one")
    with pytest.raises(ArtifactError, match=r"manifest\.json"):
        load_artifact(tmp_path / "none")


@pytest.mark.parametrize("content", ["not json", "[]", '{"format": 99}'])
def test_other_manifest_is_refused(tmp_path: Path, content: str) -> None:
    """Text, a list, or another format is no manifest of ours."""
    save_artifact(tmp_path / "one", _artifact())
    (tmp_path / "one" / "manifest.json").write_text(content)
    with pytest.raises(ArtifactError, match=r"not JSON|no object|format 99"):
        load_artifact(tmp_path / "one")


def test_not_plain_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    """A metric that is no number is refused, and no half folder stays."""
    with pytest.raises(ArtifactError, match="metrics"):
        save_artifact(tmp_path / "one", replace(_artifact(), metrics={"loss": float("nan")}))
    assert list(tmp_path.iterdir()) == []


def test_never_over_another(tmp_path: Path) -> None:
    """A folder that is there is not written over."""
    save_artifact(tmp_path / "one", _artifact())
    with pytest.raises(ArtifactError, match="exists already"):
        save_artifact(tmp_path / "one", _artifact(2.0))


def _registered(tmp_path: Path, value: float = 1.0) -> tuple[Registry, str]:
    registry, folder = Registry(tmp_path / "registry"), tmp_path / f"artifact-{value}"
    save_artifact(folder, _artifact(value))
    return registry, registry.register(folder)


def test_register_promote_path(tmp_path: Path) -> None:
    """Two versions, the champion moves from one to the other, and the list says so."""
    registry, first = _registered(tmp_path)
    _, second = _registered(tmp_path, 2.0)
    registry.promote(first)
    assert registry.path() == registry.path(first)
    registry.promote(second)
    assert registry.path("champion").name == second
    assert [(one.version, one.aliases, one.size) for one in registry.list()] == [
        (first, (), "small"),
        (second, ("champion",), "small"),
    ]


def test_register_twice_is_one(tmp_path: Path) -> None:
    """The same content registered again is the same version."""
    registry, version = _registered(tmp_path)
    assert registry.register(tmp_path / "artifact-1.0") == version
    assert len(registry.list()) == 1


def test_empty_registry_says_what_to_do(tmp_path: Path) -> None:
    """Without a champion the message says `models train`; an empty registry lists nothing."""
    registry = Registry(tmp_path / "registry")
    with pytest.raises(ArtifactError, match="models train"):
        registry.path()
    assert registry.list() == []


@pytest.mark.parametrize("name", ["../../etc", "0123456789abcdef", "", "Champion", "/tmp"])  # noqa: S108 - a name, not a file
def test_names_cannot_leave_the_registry(tmp_path: Path, name: str) -> None:
    """Paths, unknown versions and odd words are no names."""
    registry, version = _registered(tmp_path)
    with pytest.raises(ArtifactError):
        registry.path(name)
    with pytest.raises(ArtifactError):
        registry.promote(name)
    if name != "0123456789abcdef":
        with pytest.raises(ArtifactError):
            registry.promote(version, alias=name)


def test_tampered_in_the_registry(tmp_path: Path) -> None:
    """A version whose manifest was rewritten to fit changed weights is no longer its name's content."""
    registry, version = _registered(tmp_path)
    registry.promote(version)
    manifest = registry.path() / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"bars_version": 4}))
    with pytest.raises(ArtifactError, match="changed after it was registered"):
        registry.path()


def test_every_byte_in_the_registry(tmp_path: Path) -> None:
    """No byte of any file of a champion, the manifest's included, can be changed without the change being seen."""
    registry, version = _registered(tmp_path)
    registry.promote(version)
    for path in sorted(registry.path().iterdir()):
        content = path.read_bytes()
        for place in range(0, len(content), 7):
            path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
            with pytest.raises(ArtifactError, match="changed after it was"):
                load_artifact(registry.path())
        path.write_bytes(content)
    assert load_artifact(registry.path()).bars_version == 3


def test_a_damaged_version_hides_no_other(tmp_path: Path) -> None:
    """A cut file of one version: the list names it beside the others, and it cannot be promoted."""
    registry, version = _registered(tmp_path)
    _, other = _registered(tmp_path, 2.0)
    registry.promote(other)
    weights = registry.path(version) / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-7])
    damaged, whole = registry.list()
    assert (damaged.version, damaged.kind, damaged.aliases, damaged.metrics) == (version, DAMAGED, (), {})
    assert "weights.safetensors was changed after it was written" in damaged.damage
    assert (whole.version, whole.aliases, whole.damage) == (other, ("champion",), "")
    with pytest.raises(ArtifactError, match=r"weights\.safetensors was changed"):
        registry.promote(version)
    assert registry.champion() == other
    assert registry.register(tmp_path / "artifact-1.0") == version  # registered again, it is repaired
    registry.promote(version)
    assert [one.damage for one in registry.list()] == ["", ""]
    assert sorted(one.name for one in (tmp_path / "registry" / "versions").iterdir()) == sorted([version, other])


@pytest.mark.parametrize("fault", ["kill", "full"])
@pytest.mark.parametrize("state", ["damaged", "without its manifest", "not registered"])
def test_a_version_is_never_lost_while_it_is_written(tmp_path: Path, state: str, fault: str) -> None:
    """Killed, or refused by a full disk, before each change of a file: the version stays, and the next writer tidies.

    What was there before is listed at every moment, damaged or whole; another version stays whole and champion.
    """
    registry, version = _registered(tmp_path)
    _, other = _registered(tmp_path, 2.0)
    registry.promote(other)
    if state == "damaged":
        weights = registry.path(version) / "weights.safetensors"
        weights.write_bytes(weights.read_bytes()[:-7])
    elif state == "without its manifest":
        (registry.path(version) / "manifest.json").unlink()
    else:
        shutil.rmtree(registry.path(version))
    module = "libraries.python.tests.interrupted_register"
    words = [sys.executable, "-m", module, str(tmp_path / "registry"), str(tmp_path / "artifact-1.0"), fault]
    ended = subprocess.run(words, capture_output=True, text=True, check=True)  # noqa: S603 - our own interpreter
    *codes, last = [int(line) for line in ended.stdout.split()]
    assert last == 0
    assert len(codes) >= 8, "each file of the artifact is written, and the folder made, moved or emptied"
    assert set(codes) == {-9 if fault == "kill" else 3}
    for step in range(1, len(codes) + 1):
        folder = tmp_path / f"registry-{step}"
        interrupted = Registry(folder)
        listed = {one.version: one.damage for one in interrupted.list()}
        assert listed.keys() - {version} == {other}
        assert version in listed or state == "not registered"
        assert listed[other] == ""
        assert not listed.get(version) or state != "not registered"
        assert interrupted.path().name == other
        assert interrupted.has_version(version) is (listed.get(version) == "")
        if fault == "full":
            assert _hidden(folder / "versions") == []
        assert interrupted.register(tmp_path / "artifact-1.0") == version
        assert {one.version: one.damage for one in interrupted.list()} == {version: "", other: ""}
        assert _hidden(folder / "versions") == []


def _hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_leftovers_are_removed_by_the_next_writer(tmp_path: Path) -> None:
    """A killed writer's folder and file are no model and no alias; what is not a writer's own stays."""
    registry, version = _registered(tmp_path)
    registry.promote(version)
    folder, number = tmp_path / "registry", "0123456789abcdef" * 2
    shutil.copytree(registry.path(), folder / "versions" / f".{version}-{number}")
    (folder / "aliases" / f".champion-{number}").write_text("half")
    (folder / "versions" / ".keep").write_text("")
    assert [(one.version, one.aliases) for one in registry.list()] == [(version, ("champion",))]
    assert not registry.has_version(f".{version}-{number}")
    registry.promote(version)
    assert _hidden(folder / "versions") == [".keep"]
    assert _hidden(folder / "aliases") == []


def test_only_what_passed_the_gate_is_champion(tmp_path: Path) -> None:
    """A model that never passed the leak gate is no champion by `promote`, nor by an alias written by hand."""
    registry, version = _registered(tmp_path)
    registry.promote(version)
    save_artifact(tmp_path / "other", replace(_artifact(2.0), metrics={"loss": 0.2}))
    ungated = registry.register(tmp_path / "other")
    with pytest.raises(ArtifactError, match=r"cannot be champion.*leak gate.*models train"):
        registry.promote(ungated)
    assert registry.path().name == version
    registry.promote(ungated, alias="candidate")
    assert registry.path("candidate").name == registry.path(ungated).name == ungated
    (tmp_path / "registry" / "aliases" / "champion").write_text(ungated)
    with pytest.raises(ArtifactError, match="cannot be champion"):
        registry.path()
    metrics = registry.path(ungated) / "metrics.json"
    metrics.write_text(json.dumps({LEAK_GATE: {"day": "2024-01-02"}}))
    with pytest.raises(ArtifactError, match=r"metrics\.json was changed"):
        registry.path()


def test_damaged_artifact_is_not_registered(tmp_path: Path) -> None:
    """An artifact with a cut file is refused, and the registry stays as it was."""
    registry, folder = Registry(tmp_path / "registry"), tmp_path / "one"
    save_artifact(folder, _artifact())
    weights = folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-7])
    with pytest.raises(ArtifactError, match="weights"):
        registry.register(folder)
    assert registry.list() == []


def test_full_disk_leaves_nothing(tmp_path: Path) -> None:
    """When a file cannot be written (its size is limited, as on a full disk), no version and no part appears."""
    registry, version = _registered(tmp_path)
    save_artifact(tmp_path / "two", _artifact(5.0))
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from internal.forecasting.registry import DAMAGED, LEAK_GATE, Registry\n"
        "sys.dont_write_bytecode = True\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))\n"
        "Registry(Path(sys.argv[1])).register(Path(sys.argv[2]))"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "registry"), str(tmp_path / "two")]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - our own interpreter
    assert "File too large" in ended.stderr
    assert "free some disk space and run the same command again" in ended.stderr
    assert [one.version for one in registry.list()] == [version]
    assert [path.name for path in (tmp_path / "registry" / "versions").iterdir()] == [version]


def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    """An artifact whose folder's place is a file, and an alias likewise: what, where, and what to do."""
    (tmp_path / "file").write_text("")
    with pytest.raises(
        UnavailableError, match=r"artifact \S*file/one cannot be written \(Not a directory\): free some"
    ):
        save_artifact(tmp_path / "file" / "one", _artifact(5.0))
    registry, version = _registered(tmp_path)
    aliases = tmp_path / "registry" / "aliases"
    aliases.write_text("")
    with pytest.raises(UnavailableError, match=rf"aliases/champion cannot be written .*models promote {version}`"):
        registry.promote(version)
    aliases.unlink()
    (aliases / "champion").mkdir(parents=True)  # no file can be renamed to it
    with pytest.raises(UnavailableError, match="aliases/champion cannot be written"):
        registry.promote(version)
    assert [path.name for path in aliases.iterdir()] == ["champion"]


def test_stray_files_stay_outside(tmp_path: Path) -> None:
    """Only the artifact's own files are registered."""
    save_artifact(tmp_path / "one", _artifact())
    (tmp_path / "one" / "notes.txt").write_text("mine")
    registry = Registry(tmp_path / "registry")
    assert "notes.txt" not in {path.name for path in registry.path(registry.register(tmp_path / "one")).iterdir()}


def test_reader_always_finds_a_champion(tmp_path: Path) -> None:
    """While two threads promote back and forth, every read finds one of the two."""
    registry, first = _registered(tmp_path)
    _, second = _registered(tmp_path, 2.0)
    registry.promote(first)

    def promote(version: str) -> None:
        for _ in range(100):
            registry.promote(version)

    threads = [Thread(target=promote, args=(version,)) for version in (first, second)]
    for thread in threads:
        thread.start()
    found = {registry.path().name for _ in range(100)}
    for thread in threads:
        thread.join()
    assert found <= {first, second}
