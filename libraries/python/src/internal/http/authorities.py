"""The certificate authorities that connections to broker and services trust: certifi's."""

import ssl
from functools import cache

import httpx


@cache
def trusted_authorities() -> ssl.SSLContext:
    """They are read once: it takes some 20 ms of processor time."""
    return httpx.create_ssl_context(trust_env=False)
