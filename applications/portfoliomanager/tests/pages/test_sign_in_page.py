"""Where a person goes after the sign-in: to a path of the fund's own pages, whatever the link says."""

import pytest

from portfoliomanager.pages.sign_in import find_own_path


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("/book", "/book"),
        ("/decisions/2026-11-27?side=long", "/decisions/2026-11-27?side=long"),
        *((one, "/") for one in ("", "book", "//attacker.example", "/\\attacker.example", "https://attacker.example")),
        *((one, "/") for one in ("javascript:alert(1)", "/\t/attacker.example", "//[", "http://[")),
    ],
)
def test_never_to_another_address(given: str, path: str) -> None:
    """Nor an error for what is no address."""
    assert find_own_path(given) == path
