"""The place of a layer's parameters in one flat vector: names, shapes, offsets, initial values.

Rows are padded to 16 floats, so that C kernels need no tails; the padding is zero, its gradient is zero, and so it
stays zero. One vector a layer keeps the optimizer's list short.
"""
# tinygrad exports its names without __all__ and annotates its methods in part
# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from tinygrad import Tensor

PADDING = 16


def padded(count: int) -> int:
    """Round up to the next multiple of 16."""
    return -(-count // PADDING) * PADDING


@dataclass(frozen=True)
class Matrix:
    """A matrix [rows, blocks, columns]; a bias has one row. `initial` is "uniform", "zeros" or "ones".

    "uniform" draws from +-sqrt(6 / (rows + columns)) (Glorot & Bengio 2010), each block as a matrix of its own.
    """

    rows: int
    columns: int
    blocks: int = 1
    initial: str = "uniform"

    @property
    def size(self) -> int:
        """Floats that it takes, padding included."""
        return self.rows * self.blocks * padded(self.columns)

    def draw(self, random: np.random.Generator) -> np.ndarray:
        """Initial values, f32 [rows, blocks, columns]."""
        shape = (self.rows, self.blocks, self.columns)
        if self.initial == "uniform":
            bound = float(np.sqrt(6.0 / (self.rows + self.columns)))
            return random.uniform(-bound, bound, shape).astype(np.float32)
        return np.full(shape, 1.0 if self.initial == "ones" else 0.0, np.float32)


@dataclass(frozen=True)
class Layout:
    """The matrices of one layer, `groups` times over: vector [groups * group_size]."""

    matrices: tuple[tuple[str, Matrix], ...]
    groups: int = 1

    def matrix(self, name: str) -> Matrix:
        """The shape of one matrix."""
        return dict(self.matrices)[name]

    def has(self, name: str) -> bool:
        """Whether there is a matrix of this name."""
        return name in dict(self.matrices)

    @cached_property
    def offsets(self) -> Mapping[str, int]:
        """Where each matrix begins inside its group."""
        ends = np.cumsum([0, *(matrix.size for _, matrix in self.matrices)])
        return {name: int(begin) for (name, _), begin in zip(self.matrices, ends, strict=False)}

    @cached_property
    def group_size(self) -> int:
        """Floats a group."""
        return sum(matrix.size for _, matrix in self.matrices)

    def macros(self, prefix: str = "") -> dict[str, int]:
        """What the C text calls them: OFFSET_NAME for each matrix, PARAMETERS for a group's size, after the prefix."""
        named = {f"{prefix}OFFSET_{name.upper()}": offset for name, offset in self.offsets.items()}
        return named | {f"{prefix}PARAMETERS": self.group_size}

    def pack(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Flatten f32 arrays [groups, rows, blocks, columns] into the padded vector."""
        parts: list[np.ndarray] = []
        for name, matrix in self.matrices:
            filler = padded(matrix.columns) - matrix.columns
            part = np.pad(values[name].astype(np.float32), [(0, 0), (0, 0), (0, 0), (0, filler)])
            parts.append(part.reshape(self.groups, matrix.size))
        return np.concatenate(parts, axis=1).reshape(-1)

    def unpack(self, vector: np.ndarray) -> dict[str, np.ndarray]:
        """The inverse of `pack`: arrays [groups, rows, blocks, columns] by name."""
        groups = vector.reshape(self.groups, self.group_size)
        return {
            name: groups[:, self.offsets[name] : self.offsets[name] + matrix.size].reshape(
                self.groups, matrix.rows, matrix.blocks, -1
            )[..., : matrix.columns]
            for name, matrix in self.matrices
        }

    def view(self, vector: Tensor, name: str) -> Tensor:
        """One matrix inside the vector: Tensor [groups, rows, blocks, columns]; gradients flow through it."""
        matrix, offset = self.matrix(name), self.offsets[name]
        flat = vector.reshape(self.groups, self.group_size)[:, offset : offset + matrix.size]
        return flat.reshape(self.groups, matrix.rows, matrix.blocks, -1)[..., : matrix.columns]

    def initialise(self, random: np.random.Generator) -> Tensor:
        """Draw the whole vector in NumPy (a kernel for each drawing would cost seconds of compilation)."""
        drawn = {name: np.stack([matrix.draw(random) for _ in range(self.groups)]) for name, matrix in self.matrices}
        return Tensor(self.pack(drawn)).realize()
