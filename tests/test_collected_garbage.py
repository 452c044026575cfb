"""Tests are collected without Python's collector, and run with it: in workers, and in the process that starts them."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
REPORT = """
def pytest_sessionfinish():
    print("the collector is on:", gc.isenabled(), file=sys.stderr)
"""
TEST = """
import gc
AT_COLLECTION = gc.isenabled()
def test_collector():
    assert (AT_COLLECTION, gc.isenabled()) == (False, True)
"""


def test_the_collector_is_on_after_the_collection(tmp_path: Path) -> None:
    """In a worker, and in the process that leaves the collection to it."""
    shutil.copy(ROOT / "conftest.py", tmp_path)
    with (tmp_path / "conftest.py").open("a") as file:
        file.write(REPORT)
    (tmp_path / "test_collector.py").write_text(TEST)
    words = [sys.executable, "-m", "pytest", "-q", "-n", "1", "-p", "no:schemathesis", "-p", "no:nbmake", "."]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, check=False, text=True)  # noqa: S603 (the file above)
    assert "1 passed" in done.stdout, done.stdout
    assert "the collector is on: True" in done.stderr
    assert "the collector is on: False" not in done.stderr
