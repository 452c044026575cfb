"""Earnings features of the sessions ahead of a panel's rows, those of a session adjacent, in a file."""

from dataclasses import dataclass
from typing import Self

import numpy as np

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
        before = np.concatenate([[0], np.cumsum(added)], dtype=np.int32)
        adding = np.flatnonzero(added)
        count = added[adding]
        nth = np.arange(int(before[-1])) - np.repeat(before[adding], count)  # among those that its row adds
        ahead = np.where(np.repeat(count == HORIZON, count), nth + 1, HORIZON)
        ahead += np.repeat(session[adding], count)
        by_session = np.argsort(ahead.astype(np.uint16), kind="stable")  # two bytes are sorted without comparisons
        place = np.empty(len(by_session), np.int32)
        place[by_session] = np.arange(len(place), dtype=np.int32)
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
