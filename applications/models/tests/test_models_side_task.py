"""Work beside other work: its result, its error, and its context are those of whoever started it."""

from pathlib import Path
from threading import Event

import numpy as np
import pytest

from internal import scratch_arrays
from internal.errors import InvalidRequestError
from internal.scratch_arrays import ScratchArray, find_scratch_folder, scratch_folder
from models.side_task import start_beside


def test_context(tmp_path: Path) -> None:
    """Work has the scratch folder in which it was started."""
    with scratch_folder(tmp_path):
        found = start_beside(find_scratch_folder)
    assert found.result(10) == tmp_path


def test_work_that_goes_on_after_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds its arrays in memory: the folder that the failed training removed does not come back."""
    monkeypatch.setattr(scratch_arrays, "SMALLEST_FILE", 0)
    failed = Event()

    def fill_after_the_failure() -> np.ndarray:
        ScratchArray((10,))
        failed.wait(10)
        array = ScratchArray((10,))
        array.values[:] = 1
        array.release()
        return array.values

    with scratch_folder(tmp_path / "scratch"):
        found = start_beside(fill_after_the_failure)
    failed.set()
    assert found.result(10).tolist() == [1] * 10
    assert list(tmp_path.iterdir()) == []


def test_error() -> None:
    """An error is raised where the result is asked for."""

    def fail() -> None:
        raise InvalidRequestError("no origin")

    with pytest.raises(InvalidRequestError, match="no origin"):
        start_beside(fail).result(10)
