"""The version of the fund: of its packages, and of the checkout that runs."""

import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CHECKOUT: Final = Path(__file__).parents[4]
SECONDS: Final = 5.0


@dataclass(frozen=True)
class Version:
    """What runs; the commit is None without git or a checkout."""

    version: str
    commit: str | None
    python: str

    def describe(self) -> str:
        """All of it in one line."""
        commit = f", commit {self.commit}" if self.commit else ""
        return f"pocketsizefund {self.version}{commit}, Python {self.python}"


def read_version() -> Version:
    """The version of the packages, the checkout's commit and the interpreter."""
    from importlib.metadata import version  # noqa: PLC0415 - `fund halt` does without it

    return Version(version("fund"), read_commit(CHECKOUT), platform.python_version())


def read_commit(checkout: Path) -> str | None:
    """The checkout's commit, with `+changes` where files differ from it; None where git cannot say."""
    words = ["git", "-C", str(checkout), "describe", "--always", "--abbrev=12", "--dirty=+changes", "--exclude=*"]
    try:
        answer = subprocess.run(words, capture_output=True, check=False, text=True, timeout=SECONDS)  # noqa: S603 - the machine's git
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None
