"""Walk-forward folds of a panel, and the data of one fold that a model is fitted on."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Final

import polars as pl

from internal.errors import InvalidRequestError
from internal.features.panel import build_panel
from internal.features.splits import Block, Fold, walk_forward
from internal.features.variables import READ_BY_NETWORKS_ALONE, observe
from internal.features.windows import HORIZON, can_be_origin
from models.dataset import Dataset

MINIMUM_TRAINING_SESSIONS: Final = 60
MINIMUM_VALIDATION_SESSIONS: Final = 20
MINIMUM_TEST_SESSIONS: Final = 20  # two blocks of the bootstrap: with a single one the interval has no width
TEST_SHARE: Final = 0.15
VALIDATION_SHARE: Final = 0.1


@dataclass(frozen=True)
class FoldData:
    """The data that a model is fitted on.

    Attributes:
        frame: The observed panel, test sessions included.
        fold: Its sessions for training, validation and test.
        bars_version: Version of the bars' table.
    """

    frame: pl.DataFrame
    fold: Fold
    bars_version: int


def observe_dataset(dataset: Dataset, *, for_networks: bool = True) -> pl.DataFrame:
    """The observed panel of a dataset: one row a ticker and session, with every variable that models read.

    Args:
        dataset: The bars and details.
        for_networks: Whether a network reads the panel.
    """
    return observe(build_panel(dataset.bars, dataset.details, end=dataset.end).frame, for_networks=for_networks)


def has_network_columns(frame: pl.DataFrame) -> bool:
    """Whether a panel was observed for networks."""
    return set(READ_BY_NETWORKS_ALONE) <= set(frame.columns)


def choose_fold(frame: pl.DataFrame) -> Fold:
    """One fold of the panel's origins: the newest 15 % test, 10 % before them validate, the rest train.

    Raises:
        InvalidRequestError: The panel has too few sessions; the message says how many it needs.
    """
    (fold,) = choose_folds(frame, 1)
    return fold


def choose_folds(
    frame: pl.DataFrame, count: int, *, first: date | None = None, last: date | None = None, embargo: int = 0
) -> list[Fold]:
    """Walk-forward folds of the panel's origins: each tests an equal share of the test sessions, the oldest first.

    Args:
        frame: The observed panel.
        count: Number of folds.
        first: First test session; without it, the newest 15 % of the sessions test.
        last: Last test session; without it, the last one whose whole horizon is known.
        embargo: **Guard:** sessions left out, besides the purge, between training, validation and test.

    Raises:
        InvalidRequestError: Too few sessions to test or to train; the message says how many there are and are needed.
    """
    every = can_be_origin(Block(date.min, date.max))
    origins = frame.select(pl.col("date").filter(every).unique().sort()).to_series().to_list()
    days = [day for day in origins[:-HORIZON] if last is None or day <= last]  # the last ones have no complete label
    tested = max(MINIMUM_TEST_SESSIONS * count, round(TEST_SHARE * len(days)))
    if first is not None:
        tested = sum(day >= first for day in days)
    if tested < MINIMUM_TEST_SESSIONS * count:
        raise InvalidRequestError(
            f"{tested} sessions with a known answer are too few for {count} fold(s): each needs {MINIMUM_TEST_SESSIONS}"
        )
    return walk_forward(
        days,
        fold_count=count,
        test_length=tested // count,
        validation_length=max(MINIMUM_VALIDATION_SESSIONS, round(VALIDATION_SHARE * len(days))),
        horizon=HORIZON,
        purge=HORIZON,
        embargo=embargo,
        minimum_training_length=MINIMUM_TRAINING_SESSIONS,
    )


def fold_to_json(fold: Fold) -> dict[str, str]:
    """The fold's six dates in ISO 8601: `training_first`, `training_last`, and so on."""
    return {f"{name}_{edge}": day.isoformat() for name, block in asdict(fold).items() for edge, day in block.items()}
