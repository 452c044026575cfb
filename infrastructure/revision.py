"""The revision of this working tree: the tag of the images that are built from it, and that the stacks run.

`REVISION` in the environment wins, so that a machine without the repository's history can name a tag.
"""

import hashlib
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from internal.errors import ConfigurationError

ROOT = Path(__file__).parents[1]


def revision(environment: Mapping[str, str] = os.environ, root: Path = ROOT) -> str:
    """12 digits of the commit; with uncommitted changes, `-dirty-` and 8 digits of what they are.

    Raises:
        ConfigurationError: there is neither `REVISION` nor a git repository.
    """
    if given := environment.get("REVISION"):
        return given
    commit = _git(root, "rev-parse", "--short=12", "HEAD").decode().strip()
    changes = _git(root, "diff", "HEAD", "--binary")
    for name in sorted(filter(None, _git(root, "ls-files", "--others", "--exclude-standard", "-z").split(b"\0"))):
        path = root / os.fsdecode(name)
        changes += name + (path.read_bytes() if path.is_file() else b"")
    return f"{commit}-dirty-{hashlib.sha256(changes).hexdigest()[:8]}" if changes else commit


def _git(root: Path, *arguments: str) -> bytes:
    try:
        return subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, check=True).stdout  # noqa: S603, S607 - fixed words; the machine's own git
    except (OSError, subprocess.CalledProcessError) as error:
        raise ConfigurationError("this is no git repository: set REVISION to the tag of the images") from error
