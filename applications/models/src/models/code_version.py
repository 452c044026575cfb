"""The version of the code that fits a model: its commit for artifacts, a digest of its files for caches."""

import subprocess
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import internal


def read_code_revision(folder: Path = Path(__file__).parent) -> str:
    """The commit of the checkout that contains the folder, with `-dirty` when a file differs from the commit.

    The version of the package where there is no checkout.
    """
    words = ["git", "-C", str(folder), "describe", "--always", "--exclude=*", "--abbrev=40", "--dirty"]
    try:
        ended = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    except FileNotFoundError:
        return version("models")
    return ended.stdout.strip() if ended.returncode == 0 else version("models")


def compute_code_digest() -> str:
    """A digest of every source file of the library and of `models`, committed or not, and of tinygrad's version."""
    digest = sha256(version("tinygrad").encode())
    for folder in (Path(internal.__path__[0]), Path(__file__).parent):
        for path in sorted(path for path in folder.rglob("*") if path.suffix in {".py", ".c", ".h"}):
            digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
