"""Writes the digest of each image that the stacks run, and of the base of our own, beside its version.

python -m infrastructure.images.pin     # mask development pin-images; needs the registries and docker's buildx
python -m infrastructure.images.pin --check     # names the images without a digest; asks nobody
"""

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from infrastructure.swarm.docker import docker, run_command, say
from infrastructure.swarm.variables import FOLDER
from internal.atomic_files import write_atomically
from internal.errors import UpstreamError

IMAGE = re.compile(r"(?m)^(    image: |ARG BASE=)([^\s$@]+:[^\s@]+)(?:@(sha256:[0-9a-f]{64}))?$")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
DOCKERFILE = FOLDER.parent / "images" / "Dockerfile"


def read_digest(image: str) -> str:
    """The digest of an image's manifest list, which covers all architectures; UpstreamError when there is none."""
    found = docker("buildx", "imagetools", "inspect", image, "--format", "{{.Manifest.Digest}}")
    if not DIGEST.fullmatch(found):
        raise UpstreamError(f"the registry of {image} gave {found[:80]!r} instead of a digest")
    return found


def pin(text: str, read: Callable[[str], str] = read_digest) -> str:
    """A stack file or the Dockerfile with the digest of each image that is not our own; what has changed is shown."""

    def replace(found: re.Match[str]) -> str:
        image, before, digest = found[2], found[3], read(found[2])
        if digest != before:
            say(f"{image}: {digest}, before {before or 'none'}")
        return f"{found[1]}{image}@{digest}"

    return IMAGE.sub(replace, text)


def list_files(folder: Path = FOLDER, dockerfile: Path = DOCKERFILE) -> list[Path]:
    """The files that name images."""
    return [*sorted(folder.glob("*.yaml")), dockerfile]


def pin_files(files: Sequence[Path]) -> None:
    """Pin every file; nothing is written unless each registry has answered."""
    pinned = {path: pin(path.read_text()) for path in files}
    for path, text in pinned.items():
        if text != path.read_text():
            write_atomically(path, text)


def find_unpinned(files: Sequence[Path]) -> list[str]:
    """The images that have a version and no digest: a registry could put another image under their names."""
    return [found[2] for path in files for found in IMAGE.finditer(path.read_text()) if not found[3]]


def check_files(files: Sequence[Path]) -> int:
    """Show the images without a digest; 1 where there is one."""
    unpinned = find_unpinned(files)
    for image in unpinned:
        say(f"{image}: no digest; `mask development pin-images` asks its registry")
    return 1 if unpinned else 0


def main() -> int:
    """Run the command line; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m infrastructure.images.pin", description=__doc__)
    parser.add_argument("--check", action="store_true", help="name the images without a digest, and change nothing")
    if parser.parse_args().check:
        return check_files(list_files())
    return run_command(lambda: pin_files(list_files()))


if __name__ == "__main__":
    sys.exit(main())
