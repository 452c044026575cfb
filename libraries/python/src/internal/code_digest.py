"""A digest of source code, so that what was computed can be named by the code that computed it."""

from collections.abc import Sequence
from hashlib import sha256
from importlib import import_module
from pathlib import Path


def digest_code(packages: Sequence[str]) -> str:
    """A digest of every source file of some packages."""
    digest = sha256()
    for package in packages:
        folder = Path(import_module(package).__path__[0])
        for path in sorted(path for path in folder.rglob("*") if path.suffix in {".py", ".c", ".h"}):
            digest.update(f"{package}/{path.relative_to(folder).as_posix()}".encode() + path.read_bytes())
    return digest.hexdigest()
