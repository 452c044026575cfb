"""Earnings features of the sessions ahead of a panel's rows, those of a session adjacent, in a file."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from internal.baselines.ticker_groups import SessionOrder
from internal.features.windows import HORIZON
from internal.scratch_arrays import ScratchArray


@dataclass(frozen=True)
class SessionEarnings:
    """Features of the sessions ahead: those of several rows of a segment have one session ahead between them.

    They are read session by session, as they are in the file, so that few of its pages are in memory.

    Attributes:
        features: f64 [session ahead, feature].
        place: The place of each session ahead in `features`, by segment and session, i32 [session ahead].
        following: The place of the same segment's next session ahead, by place, i32 [session ahead].
        before: How many sessions ahead there are before each row of the panel, and in all, i32 [row + 1].
    """

    features: ScratchArray
    place: np.ndarray
    following: np.ndarray
    before: np.ndarray

    @classmethod
    def of(cls, session: np.ndarray, begins: np.ndarray, continues: np.ndarray, *, features: int) -> Self:
        """An array to be filled.

        Args:
            session: The session of each row of the panel, i64 [row].
            begins: Whether a row is the first of its segment with features ahead of it, bool [row].
            continues: Whether it is a later one, bool [row].
            features: How many.
        """
        added = continues.astype(np.int32)  # one more session ahead with each row of a segment
        added[begins] = HORIZON
        before = np.zeros(len(added) + 1, np.int32)
        np.cumsum(added, out=before[1:])
        adding = np.flatnonzero(added).astype(np.int32)
        place = SessionOrder.of(_find_sessions_ahead(session[adding], added[adding], before[adding])).places
        following = np.empty_like(place)
        following[place] = np.append(place[1:], place[-1:])
        return cls(ScratchArray((len(place), features)), place, following, before)

    def fill(self, row: int, table: np.ndarray) -> np.ndarray:
        """Write the features of whole segments, f64 [session ahead, feature], from a row of the panel on.

        Returns:
            Their places, i32 [session ahead].
        """
        places = self.place[self.before[row] : self.before[row] + len(table)]
        self.features.values[places] = table
        self.features.release()
        return places

    def find_ahead(self, first: np.ndarray) -> list[np.ndarray]:
        """The places of the sessions ahead of some rows by step, i32 [row] each, from those of the first."""
        places = [first]
        while len(places) < HORIZON:
            places.append(self.following[places[-1]])
        return places


def _find_sessions_ahead(session: np.ndarray, count: np.ndarray, before: np.ndarray) -> np.ndarray:
    """The session of each session ahead, i32 [session ahead], in numbers of 32 bits throughout.

    Args:
        session: Of each row that adds some, i64 [row].
        count: How many it adds, i32 [row].
        before: How many the rows before it add, i32 [row].
    """
    ahead = np.arange(1, int(count.sum()) + 1, dtype=np.int32)
    ahead -= np.repeat(before, count)  # the first, second and so on of those that its row adds
    ahead[np.repeat(count < HORIZON, count)] = HORIZON
    ahead += np.repeat(session.astype(np.int32), count)
    return ahead
