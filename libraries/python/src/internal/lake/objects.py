"""Single objects beside the lake's tables, in a folder or a bucket: made once, replaced whole, read, listed.

Knows object stores through obstore, the engine that Delta Lake writes with too. Knows nothing of what an object means.
"""

import builtins
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, S3Store

from internal.errors import UnavailableError

RETRIES = {"max_retries": 2}  # a caller that waits longer is better told


class Objects:
    """The objects under one address: a folder, or `s3://bucket/prefix` with `DataBucketSettings.storage_options`.

    Each write appears whole or not at all. A store that cannot be reached, or refuses, raises UnavailableError.
    """

    def __init__(self, url: str, storage_options: Mapping[str, str] | None = None) -> None:
        self._url, self._options = url, dict(storage_options or {})

    @cached_property
    def _store(self) -> LocalStore | S3Store:
        """Opened with the first object, so that a service starts, and says what is wrong, without its storage."""
        if "://" in self._url:
            return _s3(self._url, self._options)
        return LocalStore(prefix=Path(self._url).absolute(), mkdir=True)

    def create(self, path: str, content: bytes) -> bool:
        """Make an object that is not there yet; False when it is: of several writers one makes it."""
        with self._told():
            try:
                obstore.put(self._store, path, content, mode="create")
            except AlreadyExistsError:
                return False
        return True

    def put(self, path: str, content: bytes) -> None:
        """Make or replace an object; a reader sees the old content or the new."""
        with self._told():
            obstore.put(self._store, path, content)

    def get(self, path: str) -> bytes | None:
        """The content, None when there is no such object."""
        with self._told():
            try:
                return bytes(obstore.get(self._store, path).bytes())
            except FileNotFoundError:
                return None

    def list(self, folder: str) -> list[str]:
        """The paths of all objects under a folder, sorted."""
        with self._told():
            return sorted(found["path"] for found in obstore.list(self._store, folder).collect())

    def list_oldest_first(self, folder: str) -> builtins.list[str]:
        """The paths of all objects under a folder, in the order in which they were last written."""
        with self._told():
            found = obstore.list(self._store, folder).collect()
        return [one["path"] for one in sorted(found, key=lambda one: (one["last_modified"], one["path"]))]

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (BaseError, OSError) as error:
            reason = str(error).split("\n", 1)[0]
            raise UnavailableError(f"the storage at {self._url} cannot be used: {reason}") from error


def _s3(url: str, options: Mapping[str, str]) -> S3Store:
    plain = options.get("AWS_ALLOW_HTTP", "false") == "true"
    return S3Store.from_url(
        url,
        config={name.lower(): value for name, value in options.items() if name != "AWS_ALLOW_HTTP"},  # type: ignore[arg-type] # keys made at run time
        client_options={"allow_http": plain, "timeout": "10s"},
        retry_config=RETRIES,  # type: ignore[arg-type] # the other entries are optional at run time
    )
