"""The grid of a sweep: every combination of the values that its parameters may have."""

from collections.abc import Mapping, Sequence
from itertools import product

from internal.errors import InvalidRequestError

LARGEST = 10_000  # variants; more is a mistyped grid


def read_grid(texts: Sequence[str]) -> dict[str, list[str]]:
    """Values by parameter from texts `name=a,b,c`. Raises InvalidRequestError."""
    grid: dict[str, list[str]] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        found = [value.strip() for value in values.split(",")]
        if not (name and equals) or not all(found):
            raise InvalidRequestError(
                f"--grid takes NAME=VALUE,VALUE,..., for example --grid sessions=3,5,10; not {text}"
            )
        if name in grid or len(set(found)) < len(found):
            raise InvalidRequestError(f"--grid {text} repeats a parameter or a value: name each once")
        grid[name] = found
    return grid


def expand_grid(grid: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    """The variants, the last parameter changing fastest. Raises InvalidRequestError for too many."""
    variants = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
    if len(variants) > LARGEST:
        raise InvalidRequestError(f"the grid has {len(variants):,} variants, more than {LARGEST:,}: make it coarser")
    return variants
