"""The files that the pages load: read once, compressed once, at addresses that change with their content."""

import gzip
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType

PREFIX = "/static"
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
COMPRESSED_ALREADY = {".woff2"}


@dataclass(frozen=True)
class StaticFile:
    """One file.

    Attributes:
        content: Its bytes.
        compressed: The same with gzip; None where that makes it no smaller.
        media_type: For the header Content-Type.
        etag: A strong validator made of the content.
    """

    content: bytes
    compressed: bytes | None
    media_type: str
    etag: str


@dataclass(frozen=True)
class StaticFiles:
    """All files by their path below `static/`.

    Attributes:
        version: A digest of all of them. It is part of every address, so that addresses within the style sheet may be
            relative and a browser may keep what it has for ever.
        files: The files by path.
    """

    version: str
    files: MappingProxyType[str, StaticFile]

    def address(self, path: str) -> str:
        """The address of a file; raises KeyError for one that there is not."""
        self.files[path]
        return f"{PREFIX}/{self.version}/{path}"


@cache
def read_static_files() -> StaticFiles:
    """The files of the package."""
    found = {path: _read(path, entry) for path, entry in _list(files("internal.pages") / "static", "")}
    version = sha256("".join(f"{path} {file.etag}\n" for path, file in sorted(found.items())).encode())
    return StaticFiles(version.hexdigest()[:12], MappingProxyType(found))


def static_address(path: str) -> str:
    """The address of a file of `static/`, for templates."""
    return read_static_files().address(path)


def _list(folder: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _list(entry, f"{prefix}{entry.name}/")
        elif _suffix(entry.name) in MEDIA_TYPES:
            found.append((prefix + entry.name, entry))
    return found


def _read(path: str, entry: Traversable) -> StaticFile:
    content, suffix = entry.read_bytes(), _suffix(path)
    compressed = None if suffix in COMPRESSED_ALREADY else gzip.compress(content, mtime=0)
    return StaticFile(content, compressed, MEDIA_TYPES[suffix], f'"{sha256(content).hexdigest()[:16]}"')


def _suffix(name: str) -> str:
    return "." + name.rpartition(".")[2]
