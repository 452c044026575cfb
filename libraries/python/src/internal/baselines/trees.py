"""Boosted regression trees as plain arrays: grown by LightGBM, evaluated with NumPy.

LightGBM is imported only where trees are grown, so that a service that only forecasts needs neither it nor its OpenMP
library, and no stored byte is given to a C++ parser.
"""

from collections.abc import Callable, Mapping
from ctypes import CDLL
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from internal.errors import ArtifactError, ConfigurationError
from internal.freed_memory import return_freed_memory

LEAF: Final = -1
BATCH_ROWS: Final = 65_536  # whose inputs are read at once to grow trees
SETTINGS: Final[dict[str, Any]] = {
    "learning_rate": 0.05,
    "num_leaves": 8,
    "min_data_in_leaf": 1000,
    "lambda_l2": 100.0,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.5,
    "bagging_freq": 1,
    "max_bin": 63,
    "seed": 7,
    "num_threads": 1,  # with the next two: the same rows give the same trees on any number of cores
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}


@dataclass(frozen=True)
class Trees:
    """An ensemble whose prediction is the sum of one leaf a tree.

    Attributes:
        roots: i64 [tree], the first node of each tree; its last is the one before the next tree's first.
        features: i64 [node], the input that the node splits on, or -1 for a leaf.
        thresholds: f64 [node]; rows with an input at or below it go to the left child.
        children: i64 [node, (left, right)], node numbers, each larger than the node's own.
        values: f64 [node], a leaf's share of the prediction.
    """

    roots: np.ndarray
    features: np.ndarray
    thresholds: np.ndarray
    children: np.ndarray
    values: np.ndarray

    @classmethod
    def fit(cls, read: Callable[[slice], np.ndarray], target: np.ndarray, *, tree_count: int) -> Self:
        """Grow trees by least squares.

        Args:
            read: The inputs of some rows, f64 [row, input], finite; LightGBM keeps a byte of each, so that they need
                not all be in memory.
            target: f64 [row].
            tree_count: How many.

        Raises:
            ConfigurationError: The machine has no OpenMP library.
        """
        lightgbm = load_lightgbm()
        rows = lightgbm.Dataset(_make_sequence(lightgbm, read, len(target)), target)
        del target  # nor is the sequence held here: LightGBM lets both go once it has its own copies
        booster = lightgbm.train(SETTINGS, rows, tree_count)
        nodes: list[_Node] = []
        roots = [_append(tree["tree_structure"], nodes) for tree in booster.dump_model()["tree_info"]]
        del booster, rows
        return_freed_memory()
        features, thresholds, left, right, values = zip(*nodes, strict=True)
        return cls(
            np.array(roots, np.int64),
            np.array(features, np.int64),
            np.array(thresholds, np.float64),
            np.array([left, right], np.int64).T,
            np.array(values, np.float64),
        )

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """The sum over trees of each row's leaf, f64 [row], of inputs f64 [row, input].

        Nodes are evaluated from the last to the first: a node's value is chosen among its children's, for every row.
        """
        columns, total = np.asfortranarray(inputs), np.zeros(len(inputs))
        for first, end in zip(self.roots, [*self.roots[1:], len(self.features)], strict=True):
            answers: dict[int, np.ndarray | float] = {}
            for node in range(end - 1, first - 1, -1):
                left, right = self.children[node]
                answers[node] = (
                    self.values[node]
                    if self.features[node] == LEAF
                    else np.where(
                        columns[:, self.features[node]] <= self.thresholds[node], answers.pop(left), answers.pop(right)
                    )
                )
            total += answers[first]
        return total

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Everything that was grown."""
        return dict(vars(self))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], *, input_count: int) -> Self:
        """The inverse of `to_arrays`.

        Raises:
            ArtifactError: Something is missing, has another type or shape, or is no tree over so many inputs.
        """
        names = ("roots", "features", "thresholds", "children", "values")
        missing = [name for name in names if name not in arrays]
        if missing:
            raise ArtifactError(f"the trees' array {missing[0]} is missing")
        trees = cls(*(arrays[name] for name in names))
        fault = trees._fault(input_count)
        if fault is not None:
            raise ArtifactError(f"the stored trees cannot be used: {fault}")
        return trees

    def _fault(self, input_count: int) -> str | None:
        """What is wrong with the arrays, in words."""
        count = self.features.size
        integers, floats = (self.roots, self.features, self.children), (self.thresholds, self.values)
        if any(one.dtype != np.int64 for one in integers) or any(one.dtype != np.float64 for one in floats):
            return "an array has another type"
        shapes = (self.features.shape, self.thresholds.shape, self.values.shape, self.children.shape)
        if shapes != ((count,), (count,), (count,), (count, 2)) or self.roots.ndim != 1 or not self.roots.size:
            return "the arrays' shapes do not agree"
        if self.roots[0] != 0 or (np.diff(self.roots) <= 0).any() or self.roots[-1] >= count:
            return "the roots do not rise from the first node"
        if ((self.features < LEAF) | (self.features >= input_count)).any():
            return f"a node splits on an input beyond the {input_count}"
        if not (np.isfinite(self.values).all() and np.isfinite(self.thresholds).all()):
            return "a threshold or a value is no number"
        return None if self._is_forest() else "a node has children that are not its own"

    def _is_forest(self) -> bool:
        """Whether every node but the roots is the child of exactly one earlier node of its own tree."""
        inner = np.flatnonzero(self.features != LEAF)
        children, parents = self.children[inner], inner[:, None]
        count = len(self.features)
        if ((children <= parents) | (children >= count)).any():
            return False
        tree = np.searchsorted(self.roots, np.arange(count), side="right")
        grown = np.setdiff1d(np.arange(count), self.roots)
        return bool((tree[children] == tree[parents]).all() and np.array_equal(np.sort(children, axis=None), grown))


def require_lightgbm() -> None:
    """Check that LightGBM can be imported, by loading its library alone: its modules import scikit-learn and SciPy.

    Raises:
        ConfigurationError: As `load_lightgbm`.
    """
    spec = find_spec("lightgbm")
    folders = () if spec is None else spec.submodule_search_locations or ()
    library = next((path for folder in folders for path in Path(folder).rglob("lib_lightgbm.*")), None)
    if library is None:
        load_lightgbm()
        return
    try:
        CDLL(str(library))
    except OSError as error:
        raise _explain_library(error) from error


def load_lightgbm() -> Any:  # noqa: ANN401 - a module
    """LightGBM, imported when first asked for: it takes seconds, and only a fit needs it.

    Raises:
        ConfigurationError: It is not installed, or the machine has no OpenMP library, which its wheels do not include.
    """
    try:
        return import_module("lightgbm")
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "LightGBM is not installed: run `uv sync --inexact --package models --extra trees` (where ./fund installed "
            "uv, it is .uv/bin/uv)"
        ) from error
    except OSError as error:
        raise _explain_library(error) from error


def _explain_library(error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"LightGBM cannot be loaded ({error}): install the OpenMP library (Debian: libgomp1, macOS: libomp)"
    )


def _make_sequence(lightgbm: Any, read: Callable[[slice], np.ndarray], count: int) -> object:  # noqa: ANN401 - a module
    """Rows as LightGBM asks for them: some one by one and ascending, to choose its bins, then all in batches."""

    class Rows(lightgbm.Sequence):
        batch_size = BATCH_ROWS

        def __init__(self) -> None:
            self._first, self._batch = 0, read(slice(0, BATCH_ROWS))

        def __len__(self) -> int:
            return count

        def __getitem__(self, rows: int | slice) -> np.ndarray:
            if isinstance(rows, slice):
                return np.ascontiguousarray(read(rows))
            first = int(rows) // BATCH_ROWS * BATCH_ROWS
            if first != self._first:
                self._first, self._batch = first, read(slice(first, first + BATCH_ROWS))
            return np.asarray(self._batch[rows - first])

    return Rows()


_Node = tuple[int, float, int, int, float]


def _append(node: Mapping[str, Any], nodes: list[_Node]) -> int:
    """Append a node of LightGBM's dump and all below it; its number."""
    own = len(nodes)
    if "split_feature" not in node:
        nodes.append((LEAF, 0.0, LEAF, LEAF, float(node["leaf_value"])))
        return own
    nodes.append((LEAF, 0.0, LEAF, LEAF, 0.0))  # its place; the children come after it
    left, right = (_append(node[child], nodes) for child in ("left_child", "right_child"))
    nodes[own] = (int(node["split_feature"]), float(node["threshold"]), left, right, 0.0)
    return own
