"""Builds the five images at this tree's revision, prints their size and digest, and pushes them on request.

python -m infrastructure.images.build                            # mask applications build
IMAGE_PREFIX=registry.example/ python -m infrastructure.images.build --push
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from infrastructure.images import index_settings
from infrastructure.names import IMAGES
from infrastructure.revision import ROOT, revision
from infrastructure.swarm.docker import docker
from internal.errors import ConfigurationError, FundError

PORTS: Mapping[str, int] = {"datamanager": 8080, "portfoliomanager": 8081, "scheduler": 8082, "exchange": 8090}
SYSTEM_PACKAGES: Mapping[str, str] = {"models": "libgomp1"}  # LightGBM's, for one of the baselines
BILLS = "dist/images"
BUILDS_AT_ONCE = 2  # one downloads while the other compiles


@dataclass(frozen=True)
class Built:
    """One image: its name with the tag, its size, how long it took, and what it is made of."""

    name: str
    megabytes: float
    seconds: float
    components: int
    digest: str


def build_arguments(
    application: str, tag: str, root: Path = ROOT, environment: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """The Dockerfile's arguments: the time is the commit's, so that the same commit gives the same labels.

    `BASE_IMAGE` of the environment replaces the base that the Dockerfile names with its digest.
    """
    base = environment.get("BASE_IMAGE")
    member = tomllib.loads((root / "applications" / application / "pyproject.toml").read_text())
    return {
        "APPLICATION": application,
        "SERVICE_PORT": str(PORTS.get(application, "")),
        "SYSTEM_PACKAGES": SYSTEM_PACKAGES.get(application, ""),
        "REVISION": tag,
        "VERSION": member["project"]["version"],
        "CREATED": _git(root, "log", "-1", "--format=%cI"),
        "SOURCE": _source(root),
    } | ({"BASE": base} if base else {})


def _git(root: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", str(root), *words], capture_output=True, check=False, text=True).stdout.strip()  # noqa: S603, S607 (fixed words; the machine's own git)


def _source(root: Path) -> str:
    """Where the code is published: the address of `origin` when that is one for browsers, else nothing."""
    address = _git(root, "remote", "get-url", "origin").removesuffix(".git")
    return address if address.startswith("https://") and "@" not in address else ""


def lay_context(folder: Path, environment: Mapping[str, str], root: Path = ROOT) -> None:
    """Copy tracked and untracked files into a folder, with the package index settings."""
    listed = _git(root, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
    for name in filter(None, listed):
        if (root / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, folder / name)
    index_settings.write(folder / "build-settings", environment)


def build(application: str, tag: str, context: Path, prefix: str = "") -> Built:
    """Build one image from a laid context and take its bill of materials out of it."""
    name = f"{prefix}pocketsizefund/{application}:{tag}"
    start = time.monotonic()
    words = ["build", "--quiet", "--file", str(context / "infrastructure/images/Dockerfile"), "--tag", name]
    words += ["--target", "service" if application in PORTS else "job"]
    for key, value in build_arguments(application, tag).items():
        words += ["--build-arg", f"{key}={value}"]
    docker(*words, str(context))
    seconds = time.monotonic() - start
    bill = docker("run", "--rm", "--network=none", name, "cat", f"/usr/share/sbom/{application}.cdx.json")
    size, digest = docker("image", "inspect", "--format", "{{.Size}} {{.Id}}", name).split()
    _keep_bill(application, tag, bill, digest)
    return Built(name, int(size) / 1e6, seconds, len(json.loads(bill)["components"]), digest)


def build_all(tag: str, context: Path, prefix: str = "") -> list[Built]:
    """Build the five: the first alone, because the others find in the engine's cache what they share with it."""
    names = [image.rpartition("/")[2] for image in IMAGES]
    first = build(names[0], tag, context, prefix)
    with ThreadPoolExecutor(BUILDS_AT_ONCE) as pool:
        return [first, *pool.map(partial(build, tag=tag, context=context, prefix=prefix), names[1:])]


def _keep_bill(application: str, tag: str, bill: str, digest: str) -> None:
    """Write the bill of materials, and beside it which image it describes."""
    folder = ROOT / BILLS
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{application}-{tag}.cdx.json").write_text(bill)
    (folder / f"{application}-{tag}.digest").write_text(digest + "\n")


def push(built: Built) -> None:
    """Send an image to its registry, and return its digest there."""
    docker("push", built.name)
    application, _, tag = built.name.rpartition("/")[2].partition(":")
    known = docker("image", "inspect", "--format", "{{index .RepoDigests 0}}", built.name)
    (ROOT / BILLS / f"{application}-{tag}.digest").write_text(known + "\n")


def refuse_to_push(tag: str, prefix: str) -> None:
    """Production runs what is committed, from a registry that was named.

    Raises:
        ConfigurationError: there are uncommitted changes, or IMAGE_PREFIX is not set.
    """
    if "-dirty" in tag:
        raise ConfigurationError(f"{tag}: production runs committed code only; commit, then build again")
    if not prefix:
        raise ConfigurationError("IMAGE_PREFIX is not set: the registry to push to, such as registry.example/")


def table_of(images: Sequence[Built]) -> Table:
    """Lay the images out for a terminal."""
    table = Table("image", "size", "seconds", "components", "digest")
    for one in images:
        size, seconds = f"{one.megabytes:.0f} MB", f"{one.seconds:.0f}"
        table.add_row(one.name, size, seconds, str(one.components), one.digest.removeprefix("sha256:")[:12])
    return table


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    """Build, tell, and push when asked; 1 and a sentence when something is refused."""
    parser = argparse.ArgumentParser(prog="infrastructure.images.build", description="Build the fund's images.")
    parser.add_argument("--push", action="store_true", help="send them to the registry that IMAGE_PREFIX names")
    asked = parser.parse_args(arguments)
    prefix = environment.get("IMAGE_PREFIX", "")
    try:
        tag = revision(environment)
        if asked.push:
            refuse_to_push(tag, prefix)
        with tempfile.TemporaryDirectory() as folder:
            lay_context(Path(folder), environment)
            images = build_all(tag, Path(folder), prefix)
        for one in images if asked.push else []:
            push(one)
    except FundError as error:
        sys.stderr.write(f"{error.detail}\n")
        return 1
    Console(width=None if sys.stdout.isatty() else 160).print(table_of(images))
    return 0


if __name__ == "__main__":
    sys.exit(main())
