"""Imports tinygrad's runtime for CPUs without its bindings of Mesa: 0.2 s and 33 MB for a renderer that is not used."""

import sys
from importlib import import_module
from types import ModuleType
from typing import Final

_RUNTIME: Final = "tinygrad.runtime.ops_cpu"
_MESA_RENDERER: Final = "tinygrad.renderer.nir"


def LVPRenderer(*arguments: object) -> object:  # noqa: N802 (the runtime reads the name of tinygrad's class)
    """Make tinygrad's renderer of this name, which is imported when `DEV=CPU:LVP` asks for it."""
    return import_module(_MESA_RENDERER).LVPRenderer(*arguments)


def import_cpu_runtime() -> None:
    """Import the runtime unless it or the renderer is there; a later import of the renderer finds the real one."""
    if _RUNTIME in sys.modules or _MESA_RENDERER in sys.modules:
        return
    stand_in = ModuleType(_MESA_RENDERER)
    vars(stand_in)[LVPRenderer.__name__] = LVPRenderer
    sys.modules[_MESA_RENDERER] = stand_in
    try:
        import_module(_RUNTIME)
    finally:
        del sys.modules[_MESA_RENDERER]
