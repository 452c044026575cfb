"""Defers the import of a heavy package that another library imports and the fund does not use."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import LazyLoader, find_spec
from types import ModuleType
from typing import override


def defer_import(name: str) -> None:
    """Let the next `import NAME` give a module that is loaded when an attribute of it is read; a loaded one stays."""
    if name not in sys.modules:
        sys.meta_path.insert(0, _DeferringFinder(name))


class _DeferringFinder(MetaPathFinder):
    """Finds one package once, as the other finders do, with a loader that waits for the first attribute."""

    def __init__(self, name: str) -> None:
        self._name = name

    @override
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec
