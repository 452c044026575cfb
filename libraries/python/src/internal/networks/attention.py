"""Interpretable multi-head attention, section 4.4 of arXiv 1912.09363: heads share their values; none looks ahead."""
# tinygrad exports its names without __all__ and annotates its methods in part
# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false

from dataclasses import dataclass

import numpy as np
from tinygrad import Tensor

from internal.kernels.attention import attention_kernel
from internal.kernels.launch import launch
from internal.kernels.layout import Layout, Matrix
from internal.networks.dropout import Dropout, drop

_MASKED = -1e30  # the score of a step that a query must not see


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
        """W_Q and W_K for each head, one W_V for all heads, and W_H (equations 13 and 14)."""
        return Layout(
            (
                ("query_weight", Matrix(self.hidden, self.depth, self.heads)),
                ("key_weight", Matrix(self.hidden, self.depth, self.heads)),
                ("value_weight", Matrix(self.hidden, self.depth)),
                ("out_weight", Matrix(self.depth, self.hidden)),
            )
        )


def attend(x: Tensor, parameters: Tensor, sizes: AttentionSizes, control: Tensor) -> Tensor:
    """Attend, step t to the steps up to itself (equation 19).

    With Q = K = V = x and m_H heads::

        InterpretableMultiHead(Q, K, V) = H W_H                             equation 13
        H = 1/m_H sum_h A(Q W_Q(h), K W_K(h)) V W_V                         equations 14 to 16

    Args:
        x: f32 [batch, step, hidden].
        parameters: The vector of `sizes.layout`.
        sizes: The widths, and how many of the last steps ask.
        control: Of the dropout of the attention weights.

    Returns:
        f32 [batch, query, hidden].
    """
    batch, steps = int(x.shape[0]), int(x.shape[1])
    kernel = attention_kernel(sizes.layout, batch, steps, sizes.queries, sizes.site)
    if kernel.runs_on(x.device):
        return launch(kernel, (batch, sizes.queries, sizes.hidden), [x, parameters], control)[0]

    w_v, w_h = (sizes.layout.view(parameters, name)[0, :, 0] for name in ("value_weight", "out_weight"))
    a = drop(attention_weights(x, parameters, sizes), control, sizes.site)  # [batch, head, query, step]
    return a.mean(1) @ (x @ w_v) @ w_h


def attention_weights(x: Tensor, parameters: Tensor, sizes: AttentionSizes) -> Tensor:
    """A(Q, K) = softmax(Q K^T / sqrt(d)), equation 10, masked: f32 [batch, head, query, step], rows sum to one."""
    batch, steps = int(x.shape[0]), int(x.shape[1])
    w_q, w_k = (sizes.layout.view(parameters, name)[0].flatten(1) for name in ("query_weight", "key_weight"))
    query = (x[:, -sizes.queries :] @ w_q).reshape(batch, sizes.queries, sizes.heads, -1)
    key = (x @ w_k).reshape(batch, steps, sizes.heads, -1)
    scores = query.transpose(1, 2) @ key.permute(0, 2, 3, 1) * sizes.depth**-0.5  # [batch, head, query, step]
    visible = Tensor.ones(sizes.queries, steps).tril(steps - sizes.queries)
    return (visible > 0).where(scores, _MASKED).softmax(-1)


class InterpretableAttention:
    """Only the last `queries` steps ask; every step up to their own may answer."""

    def __init__(self, sizes: AttentionSizes, dropout: Dropout, random: np.random.Generator) -> None:
        self.sizes, self.layout = sizes, sizes.layout
        self.parameters = self.layout.initialise(random)
        self._dropout = dropout

    def __call__(self, x: Tensor) -> Tensor:
        """Attend: x [batch, step, hidden] -> [batch, query, hidden]."""
        return attend(x, self.parameters, self.sizes, self._dropout.control)

    def weights(self, x: Tensor) -> Tensor:
        """How much each query looks at each step, averaged over heads: [batch, query, step], rows sum to one."""
        return attention_weights(x, self.parameters, self.sizes).mean(1)
