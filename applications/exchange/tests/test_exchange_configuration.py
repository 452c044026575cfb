"""What the exchange needs before it listens for other machines."""

from pathlib import Path

import pytest

from applications.exchange.tests.exchange_in_process import configure
from exchange.server import create_application


@pytest.mark.parametrize(("token", "guarded"), [("", False), ("a-token-of-32-characters-or-more", True)])
def test_other_machines_are_let_in_with_a_token_alone(token: str, guarded: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a column of the table
    """`internal.http.run` refuses to listen beyond loopback unless the service asks for a token."""
    application = create_application(configure(tmp_path, fund_api_token=token))
    assert application.state.has_token is guarded
