"""The LSTM encoder-decoder over a whole sequence, section 4.5.1 of arXiv 1912.09363.

It knows the kernel `lstm.c` and the plain form that it must equal; it knows no model.
"""

from tinygrad import Tensor

from internal.kernels.launch import Kernel, launch, macros, runs_kernels, shares_of
from internal.kernels.layout import Layout, Matrix, padded

_WINDOWS = 18  # sequences that lstm.c walks together


def lstm_layout(inputs: int, hidden: int) -> Layout:
    """The encoder's parameters and the decoder's; gates in the order input, forget, candidate, output."""
    return Layout(
        (
            ("input_weight", Matrix(inputs, hidden, 4)),
            ("hidden_weight", Matrix(hidden, hidden, 4)),
            ("bias", Matrix(1, hidden, 4, "zeros")),
        ),
        groups=2,
    )


def lstm(x: Tensor, first: tuple[Tensor, Tensor], parameters: Tensor, switch: int, control: Tensor) -> Tensor:
    """Walk the sequences.

    Args:
        x: f32 [batch, step, input].
        first: hidden state and cell before the first step, f32 [batch, hidden] each.
        parameters: the vector of `lstm_layout`.
        switch: the step at which the decoder's weights take over from the encoder's.
        control: passed on to the kernel, which drops nothing.

    Returns:
        f32 [batch, step, hidden], the hidden state after each step.
    """
    batch, steps, inputs = (int(size) for size in x.shape)
    size = int(first[0].shape[1])
    layout, shares, inner = lstm_layout(inputs, size), shares_of(batch), padded(size)
    sizes = {"BATCH": batch, "STEPS": steps, "SWITCH": switch, "INPUT": inputs, "HIDDEN": size, "SHARES": shares}
    states = _WINDOWS * (steps * 4 * inner + 2 * (steps + 1) * inner)
    kernel = Kernel(
        "lstm",
        macros(sizes | layout.macros()),
        scratch=2 * 4 * inner * (padded(inputs) + inner) + shares * (2 * layout.group_size + states),
        stack=4 * _WINDOWS * (6 * inner + padded(inputs)),
    )
    if not runs_kernels(x.device, stack=kernel.stack):
        return plain_lstm(x, first, parameters, switch)
    return launch(kernel, (batch, steps, size), [x, *first, parameters], control)[0]


def plain_lstm(x: Tensor, first: tuple[Tensor, Tensor], parameters: Tensor, switch: int) -> Tensor:
    """`lstm` in plain tinygrad: its oracle, and its form on other devices."""
    hidden, cell = first
    layout = lstm_layout(int(x.shape[2]), int(hidden.shape[1]))
    input_weight, hidden_weight, bias = (
        layout.view(parameters, name).flatten(2) for name in ("input_weight", "hidden_weight", "bias")
    )  # [encoder or decoder, rows, 4 * hidden]
    states = []
    for step in range(int(x.shape[1])):
        side = int(step >= switch)
        gates = x[:, step] @ input_weight[side] + hidden @ hidden_weight[side] + bias[side]
        enter, forget, candidate, leave = gates.chunk(4, dim=1)
        cell = forget.sigmoid() * cell + enter.sigmoid() * candidate.tanh()
        hidden = leave.sigmoid() * cell.tanh()
        states.append(hidden)
    return Tensor.stack(*states, dim=1)
