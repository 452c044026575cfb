"""The guard on a strategy's source: it may not read a clock, the environment, files, the network or random numbers."""

import ast
from collections.abc import Iterator
from pathlib import Path

from research.guards.findings import Finding, Guard, failed, passed

MODULES = frozenset(
    {
        *(
            "aiohttp",
            "asyncio",
            "builtins",
            "ctypes",
            "http",
            "httpx",
            "importlib",
            "io",
            "multiprocessing",
            "os",
            "pathlib",
        ),
        *("random", "requests", "secrets", "shutil", "socket", "subprocess", "sys", "tempfile", "threading", "time"),
        *("urllib", "uuid"),
    }
)
CALLS = frozenset({"__import__", "breakpoint", "compile", "eval", "exec", "globals", "input", "open"})
ATTRIBUTES = frozenset(
    {
        *(
            "now",
            "today",
            "utcnow",
            "read_csv",
            "read_parquet",
            "scan_csv",
            "scan_parquet",
            "read_database",
            "read_json",
        ),
        *(
            "random",
            "default_rng",
            "shuffle",
            "sample",
            "write_csv",
            "write_parquet",
            "sink_parquet",
            "load",
            "loadtxt",
        ),
    }
)


def check_source(path: Path) -> Finding:
    """The first import or call of the file that reads the outside world; none is found in a strategy that may run."""
    problem = next(_problems(ast.parse(path.read_text())), None)
    if problem is None:
        return passed(Guard.OUTSIDE_WORLD, "no clock, environment, file, network or random number")
    hint = "a decision must be a function of what it is given: a restart asks again"
    return failed(Guard.OUTSIDE_WORLD, f"{path.name}:{problem}; {hint}")


def _problems(tree: ast.AST) -> Iterator[str]:
    """`line: what`, in the order of the file."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (f"{node.lineno}: import {one.name}" for one in names if _is_outside(one.name))
            case ast.ImportFrom(module=str(module)) if _is_outside(module):
                yield f"{node.lineno}: from {module} import ..."
            case ast.Call(func=ast.Name(id=name)) if name in CALLS:
                yield f"{node.lineno}: {name}()"
            case ast.Call(func=ast.Attribute(attr=name)) if name in ATTRIBUTES:
                yield f"{node.lineno}: .{name}()"
            case _:
                pass


def _is_outside(module: str) -> bool:
    return module.partition(".")[0] in MODULES
