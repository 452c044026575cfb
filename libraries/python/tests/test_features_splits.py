"""Splits: blocks in order, apart by the purge, and refused when they cannot be."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from internal.dates import sessions
from internal.errors import InvalidRequestError
from internal.features.splits import walk_forward

DAYS = sessions(date(2020, 1, 2), date(2022, 12, 30))


@given(
    fold_count=st.integers(1, 5),
    test_length=st.integers(1, 60),
    validation_length=st.integers(1, 60),
    purge=st.integers(7, 20),
    embargo=st.integers(0, 20),
)
def test_labels_never_reach_the_next_block(
    fold_count: int, test_length: int, validation_length: int, purge: int, embargo: int
) -> None:
    """Seven sessions after a block's last origin still lie before the next block's first, in every fold."""
    folds = walk_forward(
        DAYS,
        fold_count=fold_count,
        test_length=test_length,
        validation_length=validation_length,
        horizon=7,
        purge=purge,
        embargo=embargo,
    )
    place = {day: index for index, day in enumerate(DAYS)}
    for fold in folds:
        for earlier, later in ((fold.training, fold.validation), (fold.validation, fold.test)):
            assert place[earlier.last] + 7 < place[later.first]
            assert place[later.first] - place[earlier.last] - 1 == purge + embargo
        assert place[fold.test.last] - place[fold.test.first] + 1 == test_length
        assert fold.training.first == DAYS[0]
    assert folds[-1].test.last == DAYS[-1]
    assert all(place[one.test.last] + 1 == place[two.test.first] for one, two in pairwise(folds))


def test_purge_below_horizon_is_refused() -> None:
    """A purge of six sessions would let a label of seven reach over."""
    with pytest.raises(InvalidRequestError, match="at least the horizon"):
        walk_forward(DAYS, fold_count=1, test_length=20, validation_length=20, horizon=7, purge=6)


def test_too_few_sessions_say_how_many() -> None:
    """The sentence says how many sessions are needed: 60 + 7 + 20 + 7 + 20."""
    with pytest.raises(InvalidRequestError, match="114 are needed"):
        walk_forward(
            DAYS[:113],
            fold_count=1,
            test_length=20,
            validation_length=20,
            horizon=7,
            purge=7,
            minimum_training_length=60,
        )


def test_empty_block_is_refused() -> None:
    """A block of no session is a mistake."""
    with pytest.raises(InvalidRequestError, match="at least one session"):
        walk_forward(DAYS, fold_count=1, test_length=0, validation_length=20, horizon=7, purge=7)
