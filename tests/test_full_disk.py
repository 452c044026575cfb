"""A full disk: every limit on a file's size ends `fund up` with a sentence and exit code 1, and leaves no process."""

import re
import resource
import subprocess
import sys
from collections.abc import Callable
from functools import partial

import pytest
from fund_command import FundCommand


@pytest.mark.parametrize("kibibytes", [0, 40, pytest.param(400, marks=pytest.mark.long)])
def test_full_disk(make_fund: Callable[[], FundCommand], kibibytes: int) -> None:
    """Nothing can be written at all; the exchange's state cannot; the dataset cannot: each is said, none is a crash.

    The command is not measured: coverage, too, would write its file to the full disk. Nor does it write bytecode:
    Python 3.12 keeps the first part of a file that cannot be written whole, and later imports fail.
    """
    fund, size = make_fund(), kibibytes * 1024
    variables = {name: value for name, value in fund.variables.items() if not name.startswith("COVERAGE_")}
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (size, size))
    ended = subprocess.run(
        [sys.executable, "-m", "fund", "up", "--once", "--tickers", "40"],
        env=variables | {"PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=limit,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    printed = ended.stdout + ended.stderr

    assert ended.returncode == 1, printed
    assert re.search("free some|disk is full|free disk space", printed), printed
    assert "Traceback" not in printed
    code, said = fund.run("down")
    assert (code, said.splitlines()[-1]) == (0, "Nothing was running.")
