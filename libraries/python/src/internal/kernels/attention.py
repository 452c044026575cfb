"""Interpretable multi-head attention with a causal mask, equations 13-16 and 19 of arXiv 1912.09363.

It knows the kernel `attention.c` and the plain form that it must equal; it knows no model.
"""

from dataclasses import dataclass

from tinygrad import Tensor

from internal.kernels.dropout import drop
from internal.kernels.launch import Kernel, launch, macros, runs_kernels, shares_of
from internal.kernels.layout import Layout, Matrix, padded


@dataclass(frozen=True)
class AttentionSizes:
    """`queries`: only the last steps ask, because nothing reads the others' answers; `depth`: numbers a head."""

    hidden: int
    heads: int
    depth: int
    queries: int
    site: int = 0

    @property
    def layout(self) -> Layout:
        """Queries and keys for each head, one set of values for all (equation 14), and the way back."""
        return Layout(
            (
                ("query_weight", Matrix(self.hidden, self.depth, self.heads)),
                ("key_weight", Matrix(self.hidden, self.depth, self.heads)),
                ("value_weight", Matrix(self.hidden, self.depth)),
                ("out_weight", Matrix(self.depth, self.hidden)),
            )
        )


def attention(x: Tensor, parameters: Tensor, sizes: AttentionSizes, control: Tensor) -> Tensor:
    """Attend: f32 [batch, step, hidden] -> f32 [batch, query, hidden]; step t sees the steps up to itself."""
    batch, steps = int(x.shape[0]), int(x.shape[1])
    shares, layout = shares_of(batch), sizes.layout
    inner, head, keys = padded(sizes.hidden), padded(sizes.depth), padded(steps)
    values = {
        "BATCH": batch, "STEPS": steps, "QUERIES": sizes.queries, "HIDDEN": sizes.hidden, "HEADS": sizes.heads,
        "DEPTH": sizes.depth, "SHARES": shares, "SITE": sizes.site,
    }  # fmt: skip
    per_query = 2 * sizes.heads * head + sizes.heads * keys + 3 * keys + 2 * head + 2 * inner
    kernel = Kernel(
        "attention",
        macros(values | layout.macros()),
        scratch=inner * head * (2 * sizes.heads + 2) + shares * layout.group_size,
        stack=4 * (sizes.queries * per_query + steps * (2 * sizes.heads * head + 2 * head + inner) + head * keys),
    )
    if not runs_kernels(x.device, stack=kernel.stack):
        return plain_attention(x, parameters, sizes, control)
    return launch(kernel, (batch, sizes.queries, sizes.hidden), [x, parameters], control)[0]


def attention_weights(x: Tensor, parameters: Tensor, sizes: AttentionSizes) -> Tensor:
    """Who looks where: f32 [batch, head, query, step], each row sums to one, nothing ahead of the query's own step."""
    steps = int(x.shape[1])
    query_weight, key_weight = (sizes.layout.view(parameters, name)[0] for name in ("query_weight", "key_weight"))
    query = (x[:, -sizes.queries :] @ query_weight.flatten(1)).reshape(x.shape[0], sizes.queries, sizes.heads, -1)
    key = (x @ key_weight.flatten(1)).reshape(x.shape[0], steps, sizes.heads, -1)
    scores = query.transpose(1, 2) @ key.permute(0, 2, 3, 1) * sizes.depth**-0.5  # [batch, head, query, step]
    visible = Tensor.ones(sizes.queries, steps).tril(steps - sizes.queries)
    return (visible > 0).where(scores, -1e30).softmax(-1)


def plain_attention(x: Tensor, parameters: Tensor, sizes: AttentionSizes, control: Tensor) -> Tensor:
    """`attention` in plain tinygrad: its oracle, and its form on other devices."""
    value_weight, out_weight = (sizes.layout.view(parameters, name)[0, :, 0] for name in ("value_weight", "out_weight"))
    weights = drop(attention_weights(x, parameters, sizes), control, sizes.site)
    return weights.mean(1) @ (x @ value_weight) @ out_weight
