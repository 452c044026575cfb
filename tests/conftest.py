"""Fixtures that the whole-fund tests share."""

from collections.abc import Callable, Iterator

import pytest
from fund_command import FundCommand

from fund.folder import FundFolder
from fund.processes import end_leftovers

collect_ignore = ["clients"]  # a project of its own: tests/clients/run_clients.py


@pytest.fixture(scope="session")
def make_fund(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], FundCommand]]:
    """A factory of new funds; each is ended when the tests are."""
    made: list[FundCommand] = []

    def make() -> FundCommand:
        made.append(FundCommand(tmp_path_factory.mktemp("fund") / "home"))
        return made[-1]

    yield make
    for fund in made:
        end_leftovers(FundFolder(fund.home))
