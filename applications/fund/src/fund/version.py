"""The version of the fund: of its packages, and of the checkout that runs."""

import platform
import subprocess
from pathlib import Path
from typing import Final

CHECKOUT: Final = Path(__file__).parents[4]
SECONDS: Final = 5.0


def describe_version() -> str:
    """Version, commit and Python in one line; without git or a checkout the commit is left out."""
    from importlib.metadata import version  # noqa: PLC0415 - `fund halt` does without it

    commit = read_commit(CHECKOUT)
    return (
        f"pocketsizefund {version('fund')}{f', commit {commit}' if commit else ''}, Python {platform.python_version()}"
    )


def read_commit(checkout: Path) -> str | None:
    """The checkout's commit, with `+changes` where files differ from it; None where git cannot say."""
    words = ["git", "-C", str(checkout), "describe", "--always", "--abbrev=12", "--dirty=+changes", "--exclude=*"]
    try:
        answer = subprocess.run(words, capture_output=True, check=False, text=True, timeout=SECONDS)  # noqa: S603 - the machine's git
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None
