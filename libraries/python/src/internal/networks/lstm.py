"""The sequence-to-sequence layer, section 4.5.1 of arXiv 1912.09363: encoder over the past, decoder over the future.

It knows where the past ends; its first state comes from the static contexts.
"""

import numpy as np
from tinygrad import Tensor

from internal.kernels.dropout import Dropout
from internal.kernels.lstm import lstm, lstm_layout


class EncoderDecoder:
    """An LSTM whose weights change at the first future step, while its state runs through."""

    def __init__(self, hidden: int, past_length: int, dropout: Dropout, random: np.random.Generator) -> None:
        self.layout = lstm_layout(hidden, hidden)
        self.parameters = self.layout.initialise(random)
        self._past_length, self._dropout = past_length, dropout

    def __call__(self, x: Tensor, hidden: Tensor, cell: Tensor) -> Tensor:
        """Walk: x [batch, past + future, hidden], first states [batch, hidden] -> [batch, past + future, hidden]."""
        return lstm(x, (hidden, cell), self.parameters, self._past_length, self._dropout.control)
