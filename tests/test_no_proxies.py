"""No HTTP client of the fund uses a proxy of the environment: its services, vendors and broker are called directly."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = [*ROOT.glob("applications/*/src"), ROOT / "libraries/python/src", ROOT / "infrastructure"]
SENDING = {"Client", "AsyncClient", "get", "post", "put", "request", "stream"}


def calls_of_httpx(path: Path) -> list[ast.Call]:
    """The calls that open a client of httpx, or send a request without one."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return [
        call
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "httpx"
        and call.func.attr in SENDING
    ]


def ignores_the_environment(call: ast.Call) -> bool:
    """Whether the call has `trust_env=False`."""
    given = {one.arg: one.value for one in call.keywords}
    value = given.get("trust_env")
    return isinstance(value, ast.Constant) and value.value is False


def test_every_client() -> None:
    """Each call of httpx has `trust_env=False`, tests aside."""
    files = [path for folder in SOURCES for path in folder.rglob("*.py") if "tests" not in path.parts]
    found = {(path, call.lineno): ignores_the_environment(call) for path in files for call in calls_of_httpx(path)}
    assert len(found) >= 8
    assert [str(place) for place, ignores in found.items() if not ignores] == []
