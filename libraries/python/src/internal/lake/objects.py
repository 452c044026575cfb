"""Single objects beside the lake's tables, in a folder or a bucket: created once, replaced whole, read and listed."""

import builtins
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, S3Store

from internal.errors import UnavailableError
from internal.lake.durability import sync_above, sync_files

MAXIMUM_RETRIES = 2  # a caller would rather have the error than wait longer


class Objects:
    """The objects under one address: a folder, or `s3://bucket/prefix` with `DataBucketSettings.storage_options`.

    Each write appears whole or not at all, and is on disk when it returns. A store that cannot be reached, or refuses,
    raises UnavailableError.
    """

    def __init__(self, url: str, storage_options: Mapping[str, str] | None = None) -> None:
        self._url, self._options = url, dict(storage_options or {})
        self._folder = None if "://" in url else Path(url).absolute()
        self._is_folder_synced = False

    @cached_property
    def _store(self) -> LocalStore | S3Store:
        """Opened with the first object, so that a service starts, and says what is wrong, without its storage."""
        if self._folder is None:
            return _s3(self._url, self._options)
        return LocalStore(prefix=self._folder, mkdir=True)

    def create(self, path: str, content: bytes) -> bool:
        """Create an object; False when it exists: of several writers one creates it."""
        with self._translate_errors():
            try:
                obstore.put(self._store, path, content, mode="create")
            except AlreadyExistsError:
                return False
            self._sync(path)
        return True

    def put(self, path: str, content: bytes) -> None:
        """Create or replace an object; a reader sees the old content or the new."""
        with self._translate_errors():
            obstore.put(self._store, path, content)
            self._sync(path)

    def get(self, path: str) -> bytes | None:
        """The content; None when there is no such object."""
        with self._translate_errors():
            try:
                return bytes(obstore.get(self._store, path).bytes())
            except FileNotFoundError:
                return None

    def list(self, folder: str) -> list[str]:
        """The paths of all objects under a folder, sorted."""
        with self._translate_errors():
            return sorted(found["path"] for found in obstore.list(self._store, folder).collect())

    def list_oldest_first(self, folder: str) -> builtins.list[str]:
        """The paths of all objects under a folder, in the order in which they were last written."""
        with self._translate_errors():
            found = obstore.list(self._store, folder).collect()
        return [one["path"] for one in sorted(found, key=lambda one: (one["last_modified"], one["path"]))]

    def _sync(self, path: str) -> None:
        """Wait until an object of a folder is on disk, with the folders that hold it."""
        if self._folder is None:
            return
        sync_files([self._folder / path], self._folder)
        if not self._is_folder_synced:
            sync_above(self._folder)
            self._is_folder_synced = True

    @contextmanager
    def _translate_errors(self) -> Generator[None]:
        try:
            yield
        except (BaseError, OSError) as error:
            reason = str(error).split("\n", 1)[0]
            raise UnavailableError(f"the storage at {self._url} cannot be used: {reason}") from error


def _s3(url: str, options: Mapping[str, str]) -> S3Store:
    plain = options.get("AWS_ALLOW_HTTP", "false") == "true"
    named = {name.lower(): value for name, value in options.items() if name != "AWS_ALLOW_HTTP"}
    return S3Store.from_url(
        url,
        config=named,  # pyright: ignore[reportArgumentType]  # a TypedDict whose keys are made here
        client_options={"allow_http": plain, "timeout": "10s"},
        retry_config={"max_retries": MAXIMUM_RETRIES},
    )
