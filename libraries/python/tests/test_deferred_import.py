"""A deferred package is loaded by its first use, and then is the package itself."""

import importlib
import sys
from pathlib import Path

import pytest

from internal.deferred_import import defer_import


def test_loaded_when_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing runs none of its code; the first attribute runs it once; deferred again, it stays loaded."""
    (tmp_path / "heavy_package.py").write_text("import sys\nsys.modules['heavy_package_ran'] = sys\nanswer = 42\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    finders = list(sys.meta_path)
    try:
        defer_import("heavy_package")
        heavy = importlib.import_module("heavy_package")

        assert "heavy_package_ran" not in sys.modules
        assert heavy.answer == 42
        assert "heavy_package_ran" in sys.modules
        defer_import("heavy_package")
        assert sys.meta_path == finders
    finally:
        sys.modules.pop("heavy_package", None)
        sys.modules.pop("heavy_package_ran", None)


def test_a_package_that_is_not_installed() -> None:
    """The import fails as ever."""
    defer_import("no_such_package")
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        importlib.import_module("no_such_package")
