"""The sequence-to-sequence layer, section 4.5.1 of arXiv 1912.09363: an LSTM over the past and one over the future."""
# tinygrad exports its names without __all__ and annotates its methods in part
# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false

import numpy as np
from tinygrad import Tensor

from internal.kernels.launch import launch
from internal.kernels.layout import Layout, Matrix
from internal.kernels.lstm import lstm_kernel
from internal.networks.dropout import Dropout


def lstm_layout(inputs: int, hidden: int) -> Layout:
    """The weights W, U and b of both sides, encoder and decoder; blocks are the gates i, f, g, o."""
    matrices = (
        ("input_weight", Matrix(inputs, hidden, 4)),  # W
        ("hidden_weight", Matrix(hidden, hidden, 4)),  # U
        ("bias", Matrix(1, hidden, 4, "zeros")),  # b
    )
    return Layout(matrices, groups=2)


def run_lstm(x: Tensor, first: tuple[Tensor, Tensor], parameters: Tensor, switch: int, control: Tensor) -> Tensor:
    """Run the recurrence (Hochreiter & Schmidhuber 1997, forget gate of Gers et al. 2000).

    For each step t, with the encoder's W, U and b before the switch and the decoder's from there on::

        i = sigmoid(W_i x + U_i h + b_i)        input gate
        f = sigmoid(W_f x + U_f h + b_f)        forget gate
        g = tanh(W_g x + U_g h + b_g)           candidate
        o = sigmoid(W_o x + U_o h + b_o)        output gate
        c = f c + i g                           cell
        h = o tanh(c)                           hidden state

    Args:
        x: f32 [batch, step, input].
        first: h and c before the first step, f32 [batch, hidden] each.
        parameters: The vector of `lstm_layout`.
        switch: The first step of the decoder.
        control: Of the dropout; this layer drops nothing.

    Returns:
        f32 [batch, step, hidden], the hidden state after each step.
    """
    h, c = first
    batch, steps, inputs = (int(size) for size in x.shape)
    hidden = int(h.shape[1])
    layout = lstm_layout(inputs, hidden)
    kernel = lstm_kernel(layout, batch, steps, switch)
    if kernel.runs_on(x.device):
        return launch(kernel, (batch, steps, hidden), [x, h, c, parameters], control)[0]

    w, u, b = (layout.view(parameters, name).flatten(2) for name in ("input_weight", "hidden_weight", "bias"))
    states: list[Tensor] = []
    for t in range(steps):
        side = int(t >= switch)  # 0 encoder, 1 decoder
        i, f, g, o = (x[:, t] @ w[side] + h @ u[side] + b[side]).chunk(4, dim=1)  # [batch, hidden] each
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        states.append(h)
    return Tensor.stack(*states, dim=1)


class EncoderDecoder:
    """An LSTM whose weights change at the first future step, while its state runs through."""

    def __init__(self, hidden: int, past_length: int, dropout: Dropout, random: np.random.Generator) -> None:
        self.layout = lstm_layout(hidden, hidden)
        self.parameters = self.layout.initialise(random)
        self._past_length, self._dropout = past_length, dropout

    def __call__(self, x: Tensor, hidden: Tensor, cell: Tensor) -> Tensor:
        """Run: x [batch, past + future, hidden], first states [batch, hidden] -> [batch, past + future, hidden]."""
        return run_lstm(x, (hidden, cell), self.parameters, self._past_length, self._dropout.control)
