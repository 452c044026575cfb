"""docs/strategies.md runs as it is, and every public name of `pocketsizefund` says what it is."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import pocketsizefund
from internal.strategies.constructions.rules import PortfolioRules
from internal.strategies.strategy import Construction, Strategy
from pocketsizefund import constructions

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "strategies.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
PUBLIC = [(module, name) for module in (pocketsizefund, constructions) for name in module.__all__]


def test_the_blocks_run() -> None:
    """All blocks in order, in one namespace, as a reader would type them."""
    namespace: dict[str, Any] = {"__name__": "docs_strategies"}
    for block in BLOCKS:
        exec(compile(block, "docs/strategies.md", "exec"), namespace)  # noqa: S102 - the page is ours
    assert issubclass(namespace["Reversal"], Strategy)
    assert namespace["MostTraded"]().has_score() is False


def test_the_tutorial_is_the_template() -> None:
    """The tutorial's class is that of strategies/five_day_reversal.py but for its name and comments."""

    def code(text: str) -> list[str]:
        """Lines of code, without docstrings and `del`."""
        body = re.sub(r'"""(?:.|\n)*?"""', "", text).replace("FiveDayReversal", "Reversal")
        return [line for line in body.splitlines() if line.strip() and "del history" not in line]

    assert code(BLOCKS[0]) == code((ROOT / "strategies" / "five_day_reversal.py").read_text())


def test_the_page_names_everything() -> None:
    """Every construction, every field of a strategy and every example is on the page."""
    names = [one.name for one in Construction] + list(Strategy.__dataclass_fields__)
    examples = [path.name for path in (ROOT / "strategies").glob("*.py")]
    assert [name for name in (*names, *examples) if f"`{name}`" not in PAGE] == []
    assert PortfolioRules().exit_band == Strategy().exit_band == 1.5


@pytest.mark.parametrize(("module", "name"), PUBLIC, ids=[name for _, name in PUBLIC])
def test_public_names_have_docstrings(module: Any, name: str) -> None:  # noqa: ANN401 - a module
    """A class or function says what it is; constants and types of arrays are described where they are used."""
    value = getattr(module, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert len(inspect.getdoc(value) or "") > 20
