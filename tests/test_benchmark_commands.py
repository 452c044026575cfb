"""Benchmarks as commands: `--help` of each says what it measures, and measures nothing."""

import ast
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
ASK_EACH = """
import contextlib, io, json, runpy, sys

said = {}
for name in sys.argv[1:]:
    sys.argv, shown = [name, "--help"], io.StringIO()
    with contextlib.redirect_stdout(shown):
        try:
            runpy.run_module(f"benchmarks.{name}", run_name="__main__")
            said[name] = "it ran"
        except SystemExit as end:
            said[name] = f"{end.code} {shown.getvalue()}"
print(json.dumps(said))
"""


def test_help_is_the_docstring() -> None:
    """Of each file that runs; they share a process, whose imports take most of the time."""
    texts = {path.stem: path.read_text() for path in sorted((ROOT / "benchmarks").glob("*.py"))}
    commands = [name for name, text in texts.items() if 'if __name__ == "__main__":' in text]
    ended = subprocess.run([sys.executable, "-c", ASK_EACH, *commands], cwd=ROOT, capture_output=True, check=True)  # noqa: S603 - our own interpreter
    said = json.loads(ended.stdout)
    for name in commands:
        description = " ".join((ast.get_docstring(ast.parse(texts[name])) or "").split())
        shown = " ".join(said[name].split())
        assert shown.startswith("0 usage: "), f"{name}: {shown}"
        assert description.replace("- ", "-") in shown.replace("- ", "-"), f"{name}: {shown}"
    assert len(commands) > 20
