"""The one retry policy: which failed attempt is repeated, how often, and how long the pauses in between are.

Attempts are made in one place only: whoever calls a function that retries does not retry again.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from internal.errors import FundError


class TransientError(Exception):
    """One attempt failed in a way that another one may cure.

    Args:
        error: What is raised when no attempt is left.
        retry_after: Seconds that the other side asks to wait; None when it does not say.
    """

    def __init__(self, error: FundError, retry_after: float | None = None) -> None:
        super().__init__(error.detail)
        self.error = error
        self.retry_after = retry_after


@dataclass(frozen=True)
class RetryPolicy:
    """How often an attempt is repeated, and the pauses, in seconds: doubled each time, with up to `first_pause` jitter.

    Attributes:
        attempts: At most so many, the first one included.
        first_pause: Before the second attempt.
        longest_pause: No pause is longer, except one that the other side asks for.
        longest_retry_after: The longest pause that the other side may ask for.
    """

    attempts: int = 4
    first_pause: float = 0.2
    longest_pause: float = 8.0
    longest_retry_after: float = 60.0

    def call[Answer](self, attempt: Callable[[], Answer], pause: Callable[[float], None] = time.sleep) -> Answer:
        """The answer of the first attempt that succeeds.

        An attempt that raises TransientError is repeated after a pause; any other error passes at once.

        Args:
            attempt: Makes one attempt.
            pause: Waits so many seconds.

        Raises:
            FundError: The `error` of the last attempt, with that attempt's cause.
        """
        try:
            return attempt()  # most succeed at once, and in memory the machinery below costs more than an attempt
        except TransientError as error:
            failures = [error]

        def repeat() -> Answer:
            if failures:
                raise failures.pop()
            return attempt()

        retrying = Retrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_attempt(self.attempts),
            wait=self._next_pause,
            sleep=pause,
            reraise=True,
        )
        try:
            return retrying(repeat)
        except TransientError as last:
            raise last.error from last.__cause__

    def _next_pause(self, state: RetryCallState) -> float:
        """Exponential backoff, or what the other side asks for if that is longer."""
        backoff = wait_exponential_jitter(multiplier=self.first_pause, max=self.longest_pause, jitter=self.first_pause)
        failure = state.outcome.exception() if state.outcome else None
        asked = failure.retry_after if isinstance(failure, TransientError) else None
        return max(backoff(state), min(asked or 0.0, self.longest_retry_after))
