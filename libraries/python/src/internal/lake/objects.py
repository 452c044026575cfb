"""Single objects beside the lake's tables, in a folder or a bucket: created once, replaced whole, read and listed."""

import builtins
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import AzureStore, GCSStore, LocalStore, S3Store

from internal.errors import UnavailableError
from internal.lake.durability import sync_above, sync_files
from internal.object_stores import ObjectStore, object_store_of

if TYPE_CHECKING:
    from obstore.store import AzureConfig, GCSConfig, S3Config

MAXIMUM_RETRIES = 2  # a caller would rather have the error than wait longer


class Objects:
    """The objects under one address: a folder or a bucket, with `DataBucketSettings.storage_options`.

    Each write appears whole or not at all, and is on disk when it returns. A store that cannot be reached, or refuses,
    raises UnavailableError.
    """

    def __init__(self, url: str, storage_options: Mapping[str, str] | None = None) -> None:
        self._url, self._options = url, dict(storage_options or {})
        self._folder = None if "://" in url else Path(url).absolute()
        self._is_folder_synced = False

    @cached_property
    def _store(self) -> LocalStore | S3Store | AzureStore | GCSStore:
        """Opened with the first object, so that a service starts, and says what is wrong, without its storage."""
        if self._folder is not None:
            return LocalStore(prefix=self._folder, mkdir=True)
        match object_store_of(self._url):
            case ObjectStore.AZURE:
                return _azure(self._url, self._options)
            case ObjectStore.GOOGLE:
                return _google(self._url, self._options)
            case _:
                return _s3(self._url, self._options)

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

    def delete(self, path: str) -> None:
        """Remove an object; there may be none."""
        with self._translate_errors(), suppress(FileNotFoundError):
            obstore.delete(self._store, path)

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
        config=cast("S3Config", named),
        client_options={"allow_http": plain, "timeout": "10s"},
        retry_config={"max_retries": MAXIMUM_RETRIES},
    )


def _azure(url: str, options: Mapping[str, str]) -> AzureStore:
    return AzureStore.from_url(
        url,
        config=cast("AzureConfig", dict(options)),
        client_options={"timeout": "10s", "allow_http": "use_emulator" in options},
        retry_config={"max_retries": MAXIMUM_RETRIES},
    )


def _google(url: str, options: Mapping[str, str]) -> GCSStore:
    return GCSStore.from_url(
        url,
        config=cast("GCSConfig", {name.removeprefix("google_"): value for name, value in options.items()}),
        client_options={"timeout": "10s", "allow_http": "disable_oauth" in str(options)},
        retry_config={"max_retries": MAXIMUM_RETRIES},
    )
