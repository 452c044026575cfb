"""Who may do what with a service: its owner everything, a reader only look, halt and reduce."""

import base64
import hashlib
import hmac
from enum import StrEnum

READER_PURPOSE = b"pocketsizefund reader"


class Role(StrEnum):
    """What whoever sends a request may do."""

    OWNER = "owner"
    READER = "reader"


def derive_reader_token(token: str) -> str:
    """The token of readers, which follows from the owner's: whoever changes the owner's changes both.

    Nobody finds the owner's token from it: it is an HMAC with SHA-256 (RFC 2104) of a fixed text under that token.
    """
    digest = hmac.digest(token.encode(), READER_PURPOSE, hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
