"""Work beside other work: its result, its error, and its context are those of whoever started it."""

from pathlib import Path
from threading import Event

import pytest

from internal.errors import InvalidRequestError
from internal.scratch_arrays import find_scratch_folder, scratch_folder
from models.side_task import start_beside


def test_context(tmp_path: Path) -> None:
    """Work that is done after the folder was left still uses it: it was started there."""
    left = Event()
    with scratch_folder(tmp_path):
        found = start_beside(lambda: left.wait(10) and find_scratch_folder())
    left.set()
    assert found.result(10) == tmp_path


def test_error() -> None:
    """An error is raised where the result is asked for."""

    def fail() -> None:
        raise InvalidRequestError("no origin")

    with pytest.raises(InvalidRequestError, match="no origin"):
        start_beside(fail).result(10)
