"""Writes the digest of each image that the stacks run beside its version, as its registry has it at this moment.

python -m infrastructure.images.pin     # mask development pin-images; needs the registries and docker's buildx
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path

from infrastructure.swarm.docker import docker, run_command, say
from infrastructure.swarm.variables import FOLDER
from internal.atomic_files import write_atomically
from internal.errors import UpstreamError

IMAGE = re.compile(r"(?m)^(    image: )([^\s$@]+:[^\s@]+)(?:@(sha256:[0-9a-f]{64}))?$")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def read_digest(image: str) -> str:
    """The digest of an image's manifest list, which covers all architectures; UpstreamError when there is none."""
    found = docker("buildx", "imagetools", "inspect", image, "--format", "{{.Manifest.Digest}}")
    if not DIGEST.fullmatch(found):
        raise UpstreamError(f"the registry of {image} gave {found[:80]!r} instead of a digest")
    return found


def pin(text: str, read: Callable[[str], str] = read_digest) -> str:
    """A stack file with the digest of each image that is not our own; what has changed is shown."""

    def replace(found: re.Match[str]) -> str:
        image, before, digest = found[2], found[3], read(found[2])
        if digest != before:
            say(f"{image}: {digest}, before {before or 'none'}")
        return f"{found[1]}{image}@{digest}"

    return IMAGE.sub(replace, text)


def pin_files(folder: Path = FOLDER) -> None:
    """Pin every stack file; nothing is written unless each registry has answered."""
    pinned = {path: pin(path.read_text()) for path in sorted(folder.glob("*.yaml"))}
    for path, text in pinned.items():
        if text != path.read_text():
            write_atomically(path, text)


if __name__ == "__main__":
    sys.exit(run_command(pin_files))
