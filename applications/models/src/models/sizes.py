"""The two sizes of a network: `small` trains in a minute or two on a laptop, `full` is the published size."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Size:
    """One size. Dropout is high and epochs are few, because a network overfits to dates otherwise.

    Attributes:
        hidden_size: Width of every layer.
        head_count: Attention heads.
        dropout: Share of units dropped in training.
        batch_size: Windows in a step.
        learning_rate: Of the optimizer Adam.
        epochs: Maximum number of epochs.
        patience: Epochs without a better validation loss before training stops.
        seeds: Networks that are trained and averaged.
        windows_per_epoch: Maximum number of windows in an epoch; more are thinned evenly, so that every date remains.
    """

    hidden_size: int
    head_count: int
    dropout: float
    batch_size: int
    learning_rate: float
    epochs: int
    patience: int
    seeds: int
    windows_per_epoch: int


SIZES: Final[dict[str, Size]] = {
    "small": Size(16, 2, 0.1, 256, 2e-3, epochs=8, patience=2, seeds=1, windows_per_epoch=24_576),
    "full": Size(64, 4, 0.3, 256, 5e-4, epochs=6, patience=2, seeds=2, windows_per_epoch=98_304),
}
