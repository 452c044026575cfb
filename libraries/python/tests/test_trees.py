"""Trees as arrays: they answer what LightGBM answers, find a planted step, and are refused when they are no trees."""

# LightGBM is typed in part:
# pyright: reportUnknownMemberType=false

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from internal.baselines.catalogue import BASELINES, fittable_baselines
from internal.baselines.trees import LEAF, SETTINGS, Trees, load_lightgbm, require_lightgbm
from internal.errors import ArtifactError, ConfigurationError

ROWS = 12_000


@pytest.fixture(name="rows", scope="module")
def _rows() -> tuple[np.ndarray, np.ndarray]:
    """Inputs [row, 4]; a target of 1.4 where the second is above 0.5 and 0.8 elsewhere, times noise of mean one."""
    random = np.random.default_rng(1)
    inputs = random.normal(size=(ROWS, 4))
    return inputs, np.where(inputs[:, 1] > 0.5, 1.4, 0.8) * random.exponential(size=ROWS)


@pytest.fixture(name="trees", scope="module")
def _trees(rows: tuple[np.ndarray, np.ndarray]) -> Trees:
    return Trees.fit(rows[0].__getitem__, rows[1], tree_count=80)


def test_lightgbms_own_answer(rows: tuple[np.ndarray, np.ndarray], trees: Trees) -> None:
    """The arrays answer what the booster that they were read from answers."""
    import lightgbm  # noqa: PLC0415 - one worker compares, all collect

    booster = lightgbm.train(SETTINGS, lightgbm.Dataset(*rows), 80)
    assert trees.predict(rows[0]) == pytest.approx(np.asarray(booster.predict(rows[0])), rel=1e-12)


def test_one_tree_by_hand() -> None:
    """Left where an input is at or below the threshold, right above it; two trees add up."""
    trees = Trees(
        roots=np.array([0, 3]),
        features=np.array([1, LEAF, LEAF, LEAF]),
        thresholds=np.array([2.0, 0.0, 0.0, 0.0]),
        children=np.array([[1, 2], [LEAF, LEAF], [LEAF, LEAF], [LEAF, LEAF]]),
        values=np.array([0.0, 10.0, 20.0, 5.0]),
    )
    assert trees.predict(np.array([[9.0, 2.0], [9.0, 2.1]])).tolist() == [15.0, 25.0]


def test_planted_step(rows: tuple[np.ndarray, np.ndarray], trees: Trees) -> None:
    """More than half of the planted distance comes back, none of it from the wrong side, and little else moves."""
    answer, above = trees.predict(rows[0]), rows[0][:, 1] > 0.5
    middle = rows[1].mean()
    assert (middle + 1.4) / 2 < answer[above].mean() < 1.42
    assert 0.78 < answer[~above].mean() < (middle + 0.8) / 2
    assert answer[above].std() < 0.06


def test_the_same_rows_the_same_trees(rows: tuple[np.ndarray, np.ndarray], trees: Trees) -> None:
    """Grown again, every array is equal bit for bit."""
    again = Trees.fit(rows[0].__getitem__, rows[1], tree_count=80).to_arrays()
    assert {name: array.tobytes() for name, array in again.items()} == {
        name: array.tobytes() for name, array in trees.to_arrays().items()
    }


def test_arrays_restore(rows: tuple[np.ndarray, np.ndarray], trees: Trees) -> None:
    """What is stored answers the same bits."""
    restored = Trees.from_arrays(trees.to_arrays(), input_count=4)
    assert restored.predict(rows[0]).tobytes() == trees.predict(rows[0]).tobytes()


def test_without_openmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no OpenMP library, the sentence says what to install, and comparisons leave trees out."""
    (tmp_path / "lightgbm").mkdir()
    (tmp_path / "lightgbm" / "__init__.py").write_text("import ctypes; ctypes.CDLL('libgomp-that-is-missing.so.1')")
    (tmp_path / "lightgbm" / "lib_lightgbm.so").write_bytes(b"no library")
    monkeypatch.delitem(sys.modules, "lightgbm", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    for ask in (load_lightgbm, require_lightgbm):
        with pytest.raises(ConfigurationError, match="libgomp1"):
            ask()
    assert BASELINES.keys() - fittable_baselines().keys() == {"boosted_volatility", "expert_aggregation"}


def test_lightgbm_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without LightGBM the error says which extra to install, and comparisons leave trees out."""
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(ConfigurationError, match="--extra trees"):
        load_lightgbm()
    assert BASELINES.keys() - fittable_baselines().keys() == {"boosted_volatility", "expert_aggregation"}


def _loop(arrays: dict[str, np.ndarray]) -> None:
    arrays["children"][0] = (0, 0)


def _far_child(arrays: dict[str, np.ndarray]) -> None:
    arrays["children"][0, 1] = len(arrays["features"])


def _other_tree(arrays: dict[str, np.ndarray]) -> None:
    arrays["children"][0, 1] = arrays["roots"][1]


def _unknown_input(arrays: dict[str, np.ndarray]) -> None:
    arrays["features"][0] = 4


def _no_number(arrays: dict[str, np.ndarray]) -> None:
    arrays["values"][-1] = np.nan


def _short(arrays: dict[str, np.ndarray]) -> None:
    arrays["values"] = arrays["values"][:-1]


def _bytes(arrays: dict[str, np.ndarray]) -> None:
    arrays["features"] = arrays["features"].astype(np.uint8)


def _roots(arrays: dict[str, np.ndarray]) -> None:
    arrays["roots"] = arrays["roots"][::-1].copy()


def _missing(arrays: dict[str, np.ndarray]) -> None:
    del arrays["thresholds"]


@pytest.mark.parametrize(
    ("tamper", "reason"),
    [
        (_loop, "children that are not its own"),
        (_far_child, "children that are not its own"),
        (_other_tree, "children that are not its own"),
        (_unknown_input, "beyond the 4"),
        (_no_number, "no number"),
        (_short, "shapes do not agree"),
        (_bytes, "another type"),
        (_roots, "roots do not rise"),
        (_missing, "thresholds is missing"),
    ],
)
def test_what_is_no_tree_is_refused(trees: Trees, tamper: Callable[[dict[str, np.ndarray]], None], reason: str) -> None:
    """Tampered arrays are refused with a reason, before any row is read."""
    arrays = {name: array.copy() for name, array in trees.to_arrays().items()}
    tamper(arrays)
    with pytest.raises(ArtifactError, match=reason):
        Trees.from_arrays(arrays, input_count=4)
