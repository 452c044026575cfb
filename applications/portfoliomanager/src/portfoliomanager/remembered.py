"""Remembers an answer that changes rarely for a while, so that one page after another need not ask for it again."""

from collections.abc import Callable
from threading import Lock

from internal.clock import elapsed_seconds


class Remembered[T]:
    """An answer that is asked for once in so many seconds; callers at the same time share it.

    Args:
        ask: The question; what it raises is raised, and nothing is remembered.
        seconds: How long the answer is remembered.
    """

    def __init__(self, ask: Callable[[], T], seconds: float) -> None:
        self._ask, self._seconds, self._one_at_a_time = ask, seconds, Lock()
        self._answer: tuple[float, T] | None = None

    def read(self) -> T:
        """The answer, remembered or asked for now."""
        with self._one_at_a_time:
            asked_at = elapsed_seconds()
            if self._answer is not None and asked_at - self._answer[0] < self._seconds:
                return self._answer[1]
            answer = self._ask()
            self._answer = asked_at, answer
            return answer
