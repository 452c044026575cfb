"""Walk-forward splits: which sessions may be origins of training, of validation (after it) and of test (after both)."""

from dataclasses import dataclass
from datetime import date

from internal.errors import InvalidRequestError


@dataclass(frozen=True)
class Block:
    """Origins from `first` to `last`, both included."""

    first: date
    last: date


@dataclass(frozen=True)
class Fold:
    """One walk forward: fit on `training`, choose on `validation`, judge on `test`."""

    training: Block
    validation: Block
    test: Block


def walk_forward(  # noqa: PLR0913 - every guard is an argument of its own
    days: list[date],
    *,
    fold_count: int,
    test_length: int,
    validation_length: int,
    horizon: int,
    purge: int,
    embargo: int = 0,
    minimum_training_length: int = 1,
) -> list[Fold]:
    """Folds whose test blocks follow each other up to the last usable origin; training expands from the first day.

    Args:
        days: The sessions that can be origins, ascending.
        fold_count: Number of folds; test blocks are adjacent and never overlap.
        test_length: Sessions in a test block.
        validation_length: Sessions in the validation block before it.
        horizon: Sessions that a label reaches beyond its origin.
        purge: **Guard:** sessions left out between the last origin of a block and the first origin of the next. A label
            at t is made of returns to t + horizon; with `purge >= horizon` no label of a block reaches the next one's
            first origin, so that nothing fitted or chosen on a block has seen a return that the next is judged on.
        embargo: **Guard:** sessions left out beyond the purge, for what labels do not show: volatility clusters, so
            that the days after a block resemble it. Zero is right for forecasting (the live model has no such gap);
            raise it to see how much of a result is memory of the latest days.
        minimum_training_length: Fewest origins that the first fold may be fitted on.

    Raises:
        InvalidRequestError: purge below horizon, a length below one, or too few sessions; the sentence says how many
            are needed.
    """
    if purge < horizon:
        raise InvalidRequestError(f"purge must be at least the horizon ({horizon} sessions), not {purge}")
    if min(fold_count, test_length, validation_length, minimum_training_length) < 1 or embargo < 0:
        raise InvalidRequestError(
            "folds, blocks and training need at least one session, and an embargo is not negative"
        )
    gap = purge + embargo
    needed = minimum_training_length + gap + validation_length + gap + fold_count * test_length
    if len(days) < needed:
        raise InvalidRequestError(
            f"{len(days)} sessions are too few for {fold_count} fold(s): {needed} are needed "
            f"({minimum_training_length} training, {validation_length} validation, {test_length} test, gaps of {gap})"
        )
    starts = [len(days) - (fold_count - fold) * test_length for fold in range(fold_count)]
    return [_fold(days, start, test_length, validation_length, gap) for start in starts]


def _fold(days: list[date], test: int, test_length: int, validation_length: int, gap: int) -> Fold:
    validation = test - gap - validation_length
    return Fold(
        training=Block(days[0], days[validation - gap - 1]),
        validation=Block(days[validation], days[test - gap - 1]),
        test=Block(days[test], days[test + test_length - 1]),
    )
