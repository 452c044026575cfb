"""What each application's image needs: no compiler where no network runs, by the lock and by an import without them."""

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
COMPILERS = frozenset({"tinygrad", "ziglang"})
FITTING = frozenset({"lightgbm", "scipy", "matplotlib", "wandb"})
ABSENT = {
    "datamanager": COMPILERS | FITTING,
    "exchange": COMPILERS | FITTING,
    "scheduler": COMPILERS | FITTING,
    "portfoliomanager": FITTING,
    "models": frozenset[str](),
}


def locked(application: str, *, extras: bool = True) -> set[str]:
    """Every package that the lock installs for an application, without groups; its image has all of its extras."""
    packages: dict[str, dict[str, Any]] = {
        package["name"]: package for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    }
    found: set[tuple[str, str]] = set()
    own_extras: dict[str, object] = packages[application].get("optional-dependencies", {}) if extras else {}
    waiting = [(application, extra) for extra in ["", *own_extras]]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in found:
            continue
        found.add((name, extra))
        package = packages[name]
        needed = package.get("optional-dependencies", {}).get(extra, []) if extra else package.get("dependencies", [])
        for one in needed:
            waiting += [(one["name"], wanted) for wanted in ["", *one.get("extra", [])]]
    return {name for name, _ in found}


@pytest.mark.parametrize("application", ABSENT)
def test_the_lock(application: str) -> None:
    """What must not be there is not; models, which trains, has all of it, so that the names here are right."""
    assert locked(application).isdisjoint(ABSENT[application])
    assert locked("models") >= COMPILERS | FITTING


def test_trees_and_tracking_are_optional() -> None:
    """Without its extras `models` needs neither LightGBM nor Weights & Biases."""
    assert locked("models", extras=False).isdisjoint({"lightgbm", "scipy", "wandb"})


@pytest.mark.parametrize("application", ["datamanager", "exchange", "portfoliomanager", "scheduler"])
def test_the_service_is_imported_without_them(application: str) -> None:
    """The server's module, and so everything that it wires, imports where those packages cannot be; pandas waits."""
    words = f"import sys; sys.modules.update(dict.fromkeys({sorted(ABSENT[application])})); import {application}.server"
    words += "; print('pandas.core' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=False, timeout=120)  # noqa: S603 - our own interpreter
    assert (ended.returncode, ended.stdout) == (0, "False\n"), ended.stderr
