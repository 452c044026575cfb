"""The import contracts hold, and each one breaks when somebody breaks its rule.

Bad imports are planted in a temporary copy of the sources, and import-linter is run there as a user runs it.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = (
    *ROOT.glob("applications/*/src/*"),
    *ROOT.glob("libraries/python/src/*"),
    ROOT / "benchmarks",
    ROOT / "infrastructure",
)
SOURCES = {path.name: path for path in PACKAGES}
PLANTED = [
    ("internal/dates.py", "import datamanager", "The library imports no application"),
    ("models/__init__.py", "import portfoliomanager", "Applications never import one another"),
    ("fund/__init__.py", "import exchange", "The command line starts the services as processes"),
    ("models/__init__.py", "import fund", "Nobody imports the command line"),
    ("infrastructure/names.py", "import models", "Infrastructure runs the applications as processes"),
    ("fund/__init__.py", "import infrastructure", "Nobody imports infrastructure"),
    ("fund/__init__.py", "import benchmarks", "Nobody imports the benchmarks"),
    ("internal/schemas/equity_bars.py", "import internal.features", "The library's layers"),
    ("internal/features/__init__.py", "import internal.networks", "The library's layers"),
    ("internal/kernels/layout.py", "import internal.features", "The library's layers"),
    ("internal/forecasting/scoring.py", "import internal.baselines", "The library's layers"),
    ("internal/forecasting/scoring.py", "import tinygrad", "Forecasts, baselines and features import neither"),
    (
        "internal/forecasting/registry.py",
        "import internal.lake.store",
        "The cores import no HTTP",
    ),
    ("internal/tft/model.py", "import internal.lake.store", "The cores import no HTTP"),
    ("internal/features/__init__.py", "import os", "Pure modules import no network"),
    ("internal/trading/decision.py", "import httpx", "The trading core is pure"),
    ("internal/venue/matching.py", "import sqlite3", "The venue core is pure"),
    ("internal/venue/market/replayed.py", "import internal.telemetry", "The venue core is pure"),
    ("internal/trading/decision.py", "import time", "The trading core works on rows and arrays"),
    ("internal/trading/rebalancing.py", "import internal.lake.store", "The trading core is pure"),
    ("internal/trading/day_table.py", "import polars", "The trading core works on rows and arrays"),
    ("exchange/services.py", "import exchange.adapters", "Adapters are imported only where"),
    ("datamanager/queries.py", "import datamanager.adapters", "Adapters are imported only where"),
]


def lint_imports(sources: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the packages in a folder, with the contracts of the repository's pyproject.toml."""
    tool = Path(sys.executable).with_name("lint-imports")
    command = [str(tool), "--config", str(ROOT / "pyproject.toml"), "--no-cache"]
    environment = os.environ | {"PYTHONPATH": str(sources), "COLUMNS": "200"}
    return subprocess.run(command, cwd=sources, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own tool


def copy_sources(folder: Path) -> Path:
    """Copy every package's Python files into a folder."""
    for name, path in SOURCES.items():
        shutil.copytree(path, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_contracts_hold(tmp_path: Path) -> None:
    """The code as it is keeps every contract."""
    result = lint_imports(copy_sources(tmp_path))
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What import-linter says of each broken contract, by its name, when every bad import is planted at once."""
    sources = copy_sources(tmp_path_factory.mktemp("sources"))
    for file, planted, _ in PLANTED:
        target = sources / file
        assert target.exists(), f"{file} is gone: plant the import elsewhere"
        target.write_text(f"{target.read_text()}\n{planted}\n")
    result = lint_imports(sources)
    assert result.returncode == 1, result.stdout + result.stderr
    parts = re.split(r"^(\S[^\n]*)\n-+\n\n", result.stdout, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize(("file", "planted", "contract"), PLANTED)
def test_planted_import_breaks_its_contract(broken: dict[str, str], file: str, planted: str, contract: str) -> None:
    """One bad import in one file is named under the contract that it breaks."""
    importer = file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    (said,) = (text for name, text in broken.items() if name.startswith(contract))
    assert f"{importer} -> {planted.removeprefix('import ')} " in said
