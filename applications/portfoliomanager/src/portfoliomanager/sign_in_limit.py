"""How often a token may be tried on the sign-in page."""

from limits import parse_many
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from internal.errors import TooManyRequestsError

EACH_ADDRESS = parse_many("10 per minute; 50 per hour")
ALL_ADDRESSES = parse_many("100 per minute")


class SignInLimit:
    """Counts the attempts of each address, and of all together, in this process."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def count(self, address: str) -> None:
        """Count one attempt. Raises TooManyRequestsError where it is one too many; it is then not looked at."""
        counted = [(limit, address) for limit in EACH_ADDRESS] + [(limit, "all") for limit in ALL_ADDRESSES]
        if not all(self._limiter.hit(limit, key) for limit, key in counted):
            raise TooManyRequestsError("too many attempts to sign in: wait some minutes, and look at the token again")
