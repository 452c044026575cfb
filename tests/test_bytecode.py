"""Where tests keep the bytecode of what they start."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_tests_run_without_a_cache_of_pytest() -> None:
    """Where bytecode is forbidden beside the sources, and pytest keeps no cache for it either."""
    words = ["pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "--collect-only", "tests/test_no_proxies.py"]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    ended = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
