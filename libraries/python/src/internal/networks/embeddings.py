"""Embeddings, section 4.2 of arXiv 1912.09363: a vector for each real number and for each category."""
# tinygrad exports its names without __all__ and annotates its methods in part
# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false

import numpy as np
from tinygrad import Tensor

from internal.kernels.embedding import embedding_kernel
from internal.kernels.launch import launch
from internal.kernels.layout import Layout, Matrix
from internal.networks.dropout import Dropout


def real_layout(variables: int, hidden: int) -> Layout:
    """A weight and a bias vector for each variable."""
    return Layout((("weight", Matrix(variables, hidden)), ("bias", Matrix(variables, hidden))))


def category_layout(cardinalities: tuple[int, ...], hidden: int) -> Layout:
    """One table that holds every variable's vocabulary, one after the other; each counts its index 0, "unknown"."""
    return Layout((("table", Matrix(sum(cardinalities), hidden)),))


def embed_reals(x: Tensor, parameters: Tensor, hidden: int) -> Tensor:
    """Give each number its vector x w + b: f32 [row, variable] -> f32 [row, variable, hidden].

    There is no kernel for it, because `variable_selection.c` never builds these vectors.
    """
    layout = real_layout(int(x.shape[1]), hidden)
    w, b = (layout.view(parameters, name).reshape(-1, hidden) for name in ("weight", "bias"))  # [variable, hidden]
    return x.unsqueeze(2) * w + b


def embed_categories(
    x: Tensor, parameters: Tensor, cardinalities: tuple[int, ...], hidden: int, control: Tensor
) -> Tensor:
    """Look each index up: i32 [row, variable] -> f32 [row, variable, hidden].

    The caller guarantees 0 <= index < cardinality; a kernel cannot raise.
    """
    layout = category_layout(cardinalities, hidden)
    first_rows = [sum(cardinalities[:variable]) for variable in range(len(cardinalities))]
    kernel = embedding_kernel(layout, int(x.shape[0]), first_rows)
    if kernel.runs_on(x.device):
        shape = (int(x.shape[0]), len(cardinalities), hidden)
        return launch(kernel, shape, [parameters], control, constants=[x])[0]

    return layout.view(parameters, "table").reshape(-1, hidden)[x + Tensor(first_rows)]


class RealEmbedding:
    """One weight and one bias vector a variable; `RealVariableSelection` applies them as part of its one operation."""

    def __init__(self, variables: int, hidden: int, random: np.random.Generator) -> None:
        self.layout = real_layout(variables, hidden)
        self.parameters = self.layout.initialise(random)


class CategoryEmbedding:
    """One table a variable, index 0 for what was never seen: x [row, variable] -> [row, variable, hidden]."""

    def __init__(
        self, cardinalities: tuple[int, ...], hidden: int, dropout: Dropout, random: np.random.Generator
    ) -> None:
        self.layout = category_layout(cardinalities, hidden)
        self.parameters = self.layout.initialise(random)
        self._cardinalities, self._hidden, self._dropout = cardinalities, hidden, dropout

    def __call__(self, x: Tensor) -> Tensor:
        """Embed i32 [row, variable]; the caller guarantees 0 <= index < cardinality."""
        return embed_categories(x, self.parameters, self._cardinalities, self._hidden, self._dropout.control)
