"""Packs and unpacks a message as MessagePack, the second codec of Alpaca's stream (https://msgpack.org)."""

# msgpack's functions have no annotations
# pyright: reportUnknownMemberType=false

from collections.abc import Mapping
from typing import cast

import msgpack


def pack(content: Mapping[str, object]) -> bytes:
    """The message as MessagePack."""
    return cast("bytes", msgpack.packb(content))


def unpack(content: bytes) -> object:
    """What the bytes hold; None where they are no MessagePack."""
    try:
        return cast("object", msgpack.unpackb(content))
    except (ValueError, msgpack.UnpackException):
        return None
