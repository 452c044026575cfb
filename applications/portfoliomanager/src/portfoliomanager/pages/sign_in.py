"""The page where a person signs in with a token of the fund."""

from dataclasses import dataclass

from internal.http.access import split_url

HOME = "/"


@dataclass(frozen=True)
class SignInView:
    """The page.

    Attributes:
        next_path: Where the person goes then.
        csrf_token: What the form carries.
        problem: Why the last attempt failed; empty for none.
        asks_for_token: Whether a token is configured: without one nobody signs in.
    """

    next_path: str
    csrf_token: str
    asks_for_token: bool
    problem: str = ""


def find_own_path(given: str) -> str:
    """The path to go to after the sign-in: never another address, whatever a link says."""
    parts = split_url(given)
    starts = given.startswith(HOME) and not given.startswith(("//", "/\\"))
    is_own = starts and parts is not None and not parts.netloc and given.isprintable()
    return given if is_own else HOME
