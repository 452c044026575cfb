"""The fixed names, and the command by which the tasks read them."""

import pytest

from infrastructure.names import NAMES, SECRETS, main


def test_every_kind_prints_its_names(capsys: pytest.CaptureFixture[str]) -> None:
    """Each kind prints one name a line, none twice."""
    for kind, names in NAMES.items():
        assert main([kind]) == 0
        assert capsys.readouterr().out.splitlines() == list(names)
        assert len(set(names)) == len(names)


def test_secrets_that_an_owner_gives() -> None:
    """Ten, the keys of a lake in another cloud, and where messages go, in the spelling of the environment variables."""
    assert len(SECRETS) == 14
    assert all(name == name.upper() and name.replace("_", "").isalpha() for name in SECRETS)


def test_known_name_is_accepted() -> None:
    """A known secret's name is answered with status 0."""
    assert main(["secrets", "DATA_BUCKET"]) == 0


def test_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt secret is refused with the names that exist."""
    assert main(["secrets", "ALPACA_SECRET"]) == 1
    message = capsys.readouterr().err
    assert "ALPACA_SECRET" in message
    assert "ALPACA_API_SECRET" in message


def test_unknown_kind_is_refused() -> None:
    """A kind that does not exist ends with argparse's status 2."""
    with pytest.raises(SystemExit) as caught:
        main(["volumes"])
    assert caught.value.code == 2
