"""Fixtures of the tests of events."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from fastapi import FastAPI

from libraries.python.tests.loopback import serving


@pytest.fixture
def serve() -> Iterator[Callable[[FastAPI], str]]:
    """Serve an application until the test ends; gives its URL."""
    with ExitStack() as stack:
        yield lambda application: stack.enter_context(serving(application))
