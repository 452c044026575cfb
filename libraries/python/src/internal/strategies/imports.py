"""What a strategy's file may import: the digest covers the file alone, so that no other local file may decide."""

import ast
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

from internal.errors import ConfigurationError

OWN_PACKAGES = frozenset({"pocketsizefund", "internal"})  # of this fund: they may be installed from a working tree
INSTALLED = frozenset({"site-packages", "dist-packages"})


def refuse_local_imports(path: Path) -> None:
    """Raise ConfigurationError where the file, which has been imported, imports another local file.

    A change of that file would change the decisions, while the digest that is written down with them stays the same.
    """
    local = sorted({name for name in _imported_names(path) if _is_local(name)})
    if local:
        raise ConfigurationError(
            f"{path} imports {', '.join(local)}, a file of yours: keep a strategy in one file, because the digest that "
            "every decision records covers that file alone; it may import pocketsizefund, the standard library and "
            "installed packages"
        )


def _imported_names(path: Path) -> Iterator[str]:
    """The first part of each module's name, of the imports inside functions as well; a relative one is a dot."""
    for node in ast.walk(ast.parse(path.read_bytes(), path)):
        if isinstance(node, ast.Import):
            yield from (one.name.partition(".")[0] for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." if node.level or node.module is None else node.module.partition(".")[0]


def _is_local(name: str) -> bool:
    if name in sys.stdlib_module_names or name in OWN_PACKAGES:
        return False
    try:
        found = importlib.util.find_spec(name) if name != "." else None
    except ValueError:  # a module without a specification, such as __main__
        return True
    if found is None:
        return name == "."  # an absent package decides nothing
    places = [found.origin] if found.has_location and found.origin else found.submodule_search_locations or ()
    return not any(INSTALLED & set(Path(place).parts) for place in places)
