"""Embeddings of real and of categorical inputs, section 4.2 of arXiv 1912.09363.

It knows the kernel `embedding.c` for categories and the plain form that it must equal. Real numbers have no kernel
here, because `variable_selection.c` never builds their vectors. It knows no model.
"""

from tinygrad import Tensor

from internal.kernels.launch import Kernel, launch, macros, runs_kernels
from internal.kernels.layout import Layout, Matrix


def real_layout(variables: int, hidden: int) -> Layout:
    """A weight and a bias vector for each variable."""
    return Layout((("weight", Matrix(variables, hidden)), ("bias", Matrix(variables, hidden))))


def category_layout(cardinalities: tuple[int, ...], hidden: int) -> Layout:
    """One table that holds every variable's vocabulary, one after the other; each counts its index 0, "unknown"."""
    return Layout((("table", Matrix(sum(cardinalities), hidden)),))


def embed_reals(x: Tensor, parameters: Tensor, hidden: int) -> Tensor:
    """Give each number its vector, in plain tinygrad: f32 [row, variable] -> f32 [row, variable, hidden]."""
    layout = real_layout(int(x.shape[1]), hidden)
    weight, bias = (layout.view(parameters, name).reshape(-1, hidden) for name in ("weight", "bias"))
    return x.unsqueeze(2) * weight + bias


def _first_rows(cardinalities: tuple[int, ...]) -> list[int]:
    return [sum(cardinalities[:variable]) for variable in range(len(cardinalities))]


def embed_categories(
    x: Tensor, parameters: Tensor, cardinalities: tuple[int, ...], hidden: int, control: Tensor
) -> Tensor:
    """Look each index up: i32 [row, variable] -> f32 [row, variable, hidden].

    The caller guarantees 0 <= index < cardinality; a kernel cannot raise.
    """
    if not runs_kernels(x.device):
        return plain_embed_categories(x, parameters, cardinalities, hidden)
    rows, layout = int(x.shape[0]), category_layout(cardinalities, hidden)
    first = "{" + ",".join(map(str, _first_rows(cardinalities))) + "}"
    sizes: dict[str, int | str] = {
        "ROWS": rows,
        "VARIABLES": len(cardinalities),
        "WIDE": hidden,
        "FIRST_ROWS": first,
    }
    kernel = Kernel("embedding", macros(sizes | layout.macros()))
    return launch(kernel, (rows, len(cardinalities), hidden), [parameters], control, constants=[x])[0]


def plain_embed_categories(x: Tensor, parameters: Tensor, cardinalities: tuple[int, ...], hidden: int) -> Tensor:
    """`embed_categories` in plain tinygrad."""
    table = category_layout(cardinalities, hidden).view(parameters, "table").reshape(-1, hidden)
    return table[x + Tensor(_first_rows(cardinalities))]
