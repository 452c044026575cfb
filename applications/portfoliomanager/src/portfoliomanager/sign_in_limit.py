"""How often a token may be tried on the sign-in page."""

from limits import parse_many
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from internal.errors import TooManyRequestsError

EACH_ADDRESS = parse_many("10 per minute; 50 per hour")


class SignInLimit:
    """Counts the attempts of each address, in this process.

    There is no limit of all addresses together: it would let anybody keep the owner out, and a token of 32 characters
    is not found by trying.
    """

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def count(self, address: str) -> None:
        """Count one attempt. Raises TooManyRequestsError where it is one too many; it is then not looked at."""
        if not all(self._limiter.hit(limit, address) for limit in EACH_ADDRESS):
            raise TooManyRequestsError("too many attempts to sign in: wait some minutes, and look at the token again")
