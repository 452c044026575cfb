"""Code, command line and docs use standard terms; the private words of earlier versions stay out."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
WORDS = re.compile(
    r"\b(?:doors?|roads?|deaf|mend(?:s|ed)?|staircases?|anew|knows|lies|stands|told|rooms|hears)\b", re.IGNORECASE
)
NAMES = re.compile(r"\b(?:Kept|Ground|Touch|Standing|Workshop|Circumstances|learned)\b")
CHECKED = ("*.py", "*.c", "*.h", "*.md", "*.html", "*.toml", "*.yaml", "*.yml", "*.json", "fund", ".ci/run")


def tracked() -> list[str]:
    """Every text file of the repository that a person reads, except this test and generated files."""
    listed = subprocess.run(["git", "ls-files", *CHECKED], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603, S607 - the git of this machine
    this = str(Path(__file__).relative_to(ROOT))
    return [
        path for path in listed.stdout.splitlines() if path != this and not path.startswith("tests/parity/recorded")
    ]


def dialect(text: str) -> list[str]:
    """The lines that hold a word of the list, with their numbers."""
    found = [
        (number, line.strip())
        for number, line in enumerate(text.splitlines(), 1)
        if WORDS.search(line) or NAMES.search(line)
    ]
    return [f"{number}: {line[:120]}" for number, line in found]


def test_standard_terms() -> None:
    """No file uses the private vocabulary; one test lists the lines of all files, since 1,700 tests take seconds."""
    paths = tracked()
    assert "README.md" in paths
    found = [f"{path}:{line}" for path in paths for line in dialect((ROOT / path).read_text())]
    assert not found, "\n".join(found)


def test_a_planted_word_is_found() -> None:
    """The check finds a word of the list, a name of the list, and nothing in plain text."""
    planted = "This module Knows nothing.\nclass Kept:\nThe router is removed when its last task stops."
    assert dialect(planted) == ["1: This module Knows nothing.", "2: class Kept:"]
