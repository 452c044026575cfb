"""The libraries of the C files: what a person reads who lacks its compiler, or whose temporary folder runs nothing."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from internal.bar_kernels.compiler import BARS, SOURCES, VOLATILITY, compile_shared
from internal.errors import ConfigurationError


def test_a_source_that_does_not_compile(tmp_path: Path) -> None:
    """The compiler's own words are in the error, and no library is left."""
    broken = tmp_path / "broken.c"
    broken.write_text("int half(\n")
    with pytest.raises(ConfigurationError, match=r"broken\.c, which computes with bars, cannot be compiled: .*error"):
        compile_shared(broken, tmp_path)
    assert list(tmp_path.iterdir()) == [broken]


def test_a_missing_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is named, and what installs it."""

    def find_nothing(_name: str) -> None:
        return None

    monkeypatch.setattr("importlib.util.find_spec", find_nothing)
    with pytest.raises(ConfigurationError, match=r"ziglang, .* is missing: run `uv sync`"):
        compile_shared(BARS, tmp_path)


@pytest.fixture(name="package")
def _package(tmp_path: Path) -> Path:
    """A copy of the package with nothing compiled."""
    package = tmp_path / "internal"
    shutil.copytree(BARS.parent, package / "bar_kernels", ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    for module in ("__init__.py", "errors.py"):
        shutil.copy(BARS.parents[1] / module, package)
    return package


def _run(package: Path, *words: str) -> str:
    """What Python prints that imports the copy."""
    command = [sys.executable, *words]
    return subprocess.run(command, cwd=package.parent, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603 - ours


def test_compiled_once(package: Path) -> None:
    """The first process that needs a file keeps it for those after it, unless it may not write beside the source."""
    load = "from internal.bar_kernels.library import load_variables; load_variables()"
    _run(package, "-c", f"import os; os.access = lambda *_: False; {load}")
    assert not list(package.rglob("*.so"))
    _run(package, "-c", load)
    (kept,) = (package / "bar_kernels").glob("variables-*")
    assert kept.suffix == ".so"
    _run(package, "-c", f"import importlib.util; importlib.util.find_spec = lambda name: None; {load}")


def test_as_images_hold_it(package: Path) -> None:
    """Files compiled beside their source are loaded without a compiler or a temporary folder; a changed one is not."""
    load = (
        "import importlib.util; importlib.util.find_spec = lambda name: None; "
        "from internal.bar_kernels.library import BARS, load, load_panel, load_variables, load_volatility; "
        "from internal.errors import ConfigurationError\n"
        "try: load(); load_panel(); load_variables(); load_volatility(); print('loaded from', BARS.parents[1])\n"
        "except ConfigurationError as error: print(error)"
    )
    without_folder = f"import tempfile; tempfile.tempdir = 'missing'; {load}"
    _run(package, "-m", "internal.bar_kernels.compiler")
    assert _run(package, "-c", without_folder) == f"loaded from {package}\n"
    (package / "bar_kernels" / "volatility.c").write_text(f"{VOLATILITY.read_text()}\n")
    assert "ziglang" in _run(package, "-c", load)
    assert re.fullmatch(
        "what computes with bars cannot be loaded .*missing.*; set TMPDIR to a folder .*\n",
        _run(package, "-c", without_folder),
    )


@pytest.mark.parametrize("source", SOURCES)
def test_warnings(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text compiles with every warning as an error."""
    flags = ("cc", "-shared", "-nostdlib", "-O3", "-Wall", "-Wextra", "-Werror")
    monkeypatch.setattr("internal.bar_kernels.compiler.FLAGS", flags)
    assert compile_shared(source, tmp_path).exists()
