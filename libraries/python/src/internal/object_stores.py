"""The object stores that a lake may be kept in, by the scheme of its address."""

from enum import StrEnum


class ObjectStore(StrEnum):
    """A cloud's object store; the value is the scheme of its addresses."""

    S3 = "s3"
    AZURE = "az"
    GOOGLE = "gs"


def object_store_of(address: str) -> ObjectStore | None:
    """The store that an address is in; None for a folder.

    Raises:
        ValueError: The scheme is that of no store.
    """
    scheme, separator, _ = address.partition("://")
    return ObjectStore(scheme) if separator else None


def is_bucket(address: str) -> bool:
    """Whether the address is in an object store."""
    return object_store_of(address) is not None
