"""The images' files without an engine: arguments, context, package index settings, what may be pushed."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from infrastructure.images import build, index_settings, pin
from infrastructure.names import IMAGES
from infrastructure.revision import ROOT
from infrastructure.swarm.docker import DockerError
from infrastructure.swarm.variables import SETTINGS

DOCKERFILE = (ROOT / "infrastructure/images/Dockerfile").read_text()


def read_by_a_shell(folder: Path, name: str) -> str:
    """What a shell sees of one variable after it has read the file, as the Dockerfile has it do."""
    script = f'set -a; . "$1/environment"; printf %s "${{{name}-unset}}"'
    return subprocess.run(["sh", "-c", script, "sh", str(folder)], capture_output=True, text=True, check=True).stdout  # noqa: S603, S607 (fixed words)


def test_settings_of_the_index_come_from_variables_over_pips_files(tmp_path: Path) -> None:
    """A variable wins over pip's file; a value keeps its blanks and quotes; a bundle is copied and named."""
    bundle, pip = tmp_path / "bundle.pem", tmp_path / "pip.conf"
    bundle.write_text("authorities")
    pip.write_text(
        f"[global]\nindex-url = https://one.example/simple\ntrusted-host = a.example\n  b.example\ncert = {bundle}\n"
    )
    environment = {
        "PIP_CONFIG_FILE": str(pip),
        "PIP_INDEX_URL": "https://user:it's a 'secret'@two.example/simple",
        "SSL_CERT_FILE": "/nowhere.pem",
        "ALPACA_API_SECRET": "never",
    }
    folder = tmp_path / "settings"
    index_settings.write(folder, environment)
    assert read_by_a_shell(folder, "PIP_INDEX_URL") == environment["PIP_INDEX_URL"]
    assert read_by_a_shell(folder, "PIP_TRUSTED_HOST") == "a.example b.example"
    assert read_by_a_shell(folder, "SSL_CERT_FILE") == index_settings.BUNDLE_THERE
    assert read_by_a_shell(folder, "PIP_CERT") == index_settings.BUNDLE_THERE
    assert (folder / "authorities.pem").read_text() == "authorities"
    assert "ALPACA" not in (folder / "environment").read_text()


def test_the_context_holds_what_git_knows_or_would_add(tmp_path: Path) -> None:
    """No history, no ignored file, nothing from outside; an uncommitted file is there."""
    root, folder = tmp_path / "tree", tmp_path / "context"
    root.mkdir()
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)  # noqa: S603, S607 (a folder of the test's own)
    (root / ".gitignore").write_text("ignored\n")
    (root / "ignored").write_text("a secret")
    (root / "part").mkdir()
    (root / "part/new.py").write_text("new")
    build.lay_context(folder, {}, root)
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {".gitignore", "part/new.py", "build-settings/environment"} == {name for name in found if "pem" not in name}


@pytest.mark.parametrize("image", IMAGES)
def test_arguments_are_the_commits_and_the_same_twice(image: str) -> None:
    """The time is the commit's, as git prints it, so that labels are the same on every machine."""
    application = image.rpartition("/")[2]
    arguments = build.build_arguments(application, "0123456789ab")
    words = ["git", "-C", str(ROOT), "show", "--no-patch", "--format=%cI"]
    shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 (fixed words)
    assert arguments["CREATED"] == shown
    assert arguments == build.build_arguments(application, "0123456789ab")
    assert all(f"ARG {name}" in DOCKERFILE for name in arguments)


def test_every_member_of_the_workspace_is_in_the_dockerfile() -> None:
    """The tool uv needs each member's file before it installs one of them."""
    workspace = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["workspace"]["members"]
    members = [path.relative_to(ROOT) for member in workspace for path in ROOT.glob(f"{member}/pyproject.toml")]
    assert len(members) == 9
    assert [member for member in members if f"COPY {member} {member.parent}/" not in DOCKERFILE] == []


def test_the_strategies_are_in_the_services_images() -> None:
    """Where the stack names them, relative to the root as in this tree; the context lets them in."""
    assert "COPY strategies /strategies" in DOCKERFILE
    assert "!strategies" in (ROOT / ".dockerignore").read_text().splitlines()
    default = SETTINGS["STRATEGY"]
    assert f"STRATEGY=/{default}" in DOCKERFILE
    assert (ROOT / default.partition(":")[0]).is_file()


def test_the_classic_builder_can_read_the_dockerfile() -> None:
    """BuildKit's mounts, which it lacks, are not used; nor is an image's newest version, whatever that is."""
    assert "--mount" not in DOCKERFILE.replace("`RUN --mount`", "")
    assert ":latest" not in DOCKERFILE


@pytest.mark.parametrize(
    ("tag", "prefix", "sentence"),
    [("0123456789ab-dirty-01234567", "registry.example/", "committed"), ("0123456789ab", "", "IMAGE_PREFIX")],
)
def test_what_may_not_be_pushed_is_refused_before_anything_is_built(
    tag: str, prefix: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Production runs committed code, from a registry that was named."""
    assert build.main(["--push"], {"REVISION": tag, "IMAGE_PREFIX": prefix}) == 1
    assert sentence in capsys.readouterr().err


def test_images_are_pinned(tmp_path: Path) -> None:
    """Every image of a stack but our own gets the digest that its registry has; a failing registry changes nothing."""
    one, two = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
    ours = "    image: ${IMAGE_PREFIX}pocketsizefund/fund:${REVISION}\n"
    text = f"    image: traefik:v3.7.15\n    image: prom/prometheus:v3.5.0@{two}\n{ours}ARG BASE=python:3\n"
    digests = {"traefik:v3.7.15": one, "prom/prometheus:v3.5.0": two, "python:3": one}
    pinned = text.replace("v3.7.15", f"v3.7.15@{one}").replace("python:3", f"python:3@{one}")
    assert pin.pin(text, digests.__getitem__) == pinned
    path = tmp_path / "stack.yaml"
    path.write_text(text)
    with pytest.raises(DockerError):
        pin.pin_files([path])  # no registry is reached, or no buildx is there
    assert path.read_text() == text
    assert pin.find_unpinned([path]) == ["traefik:v3.7.15", "python:3"]


def test_what_has_no_digest_yet(capsys: pytest.CaptureFixture[str]) -> None:
    """Portainer alone, for which no digest was to be had; the check names each and fails."""
    assert pin.check_files(pin.list_files()) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["portainer/portainer-ce", "portainer/agent"]


def test_another_base() -> None:
    """BASE_IMAGE replaces the Dockerfile's base; without it none is passed, and the pinned one is used."""
    assert build.build_arguments("models", "tag", environment={"BASE_IMAGE": "python:3"})["BASE"] == "python:3"
    assert "BASE" not in build.build_arguments("models", "tag", environment={})
    assert re.search(r"(?m)^ARG BASE=python:3\.12-slim-bookworm@sha256:[0-9a-f]{64}$", DOCKERFILE)
