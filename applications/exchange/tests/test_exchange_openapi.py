"""The OpenAPI document against the answers: schemathesis draws requests from it and checks every answer by it."""

# schemathesis leaves a type argument of its checks open
# pyright: reportUnknownMemberType=false

from collections.abc import Iterator
from typing import Any, Protocol

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

from applications.exchange.tests.exchange_in_process import HEADERS, MARKET_DATA_KEY, LocalExchange, run_exchange

KEYS = {**HEADERS, "Authorization": f"Bearer {MARKET_DATA_KEY}", "User-Agent": "Fund Tests tests@example.org"}
# of the rows of a table, schemathesis makes a schema that it then refuses
TABLES = {"/files/company_tickers_exchange.json"}


class Case(Protocol):
    """A request that schemathesis has drawn."""

    def call_and_validate(self, *, headers: dict[str, str], checks: list[Any]) -> object:
        """Send the request and check the answer."""
        ...


class Operation(Protocol):
    """A method of a path, as schemathesis reads it from the document."""

    path: str

    def as_strategy(self) -> SearchStrategy[Case]:
        """Requests to it."""
        ...


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalExchange]:
    """A small exchange."""
    with run_exchange(tmp_path_factory.mktemp("exchange")) as running:
        yield running


@pytest.fixture(scope="module")
def operations(exchange: LocalExchange) -> list[Operation]:
    """Every operation of the vendors' interfaces, by the exchange's own document."""
    import schemathesis  # noqa: PLC0415 - it takes seconds, which every worker of the tests would spend

    schema: Any = schemathesis.openapi.from_url(f"{exchange.url}/openapi.json")
    return [result.ok() for result in schema.exclude(path_regex="^/control").get_all_operations()]


def choose_checks(path: str) -> list[Any]:
    """What is checked of the answers of a path."""
    from schemathesis import checks  # noqa: PLC0415 - as above

    named: list[Any] = [checks.not_a_server_error, checks.status_code_conformance, checks.content_type_conformance]
    return named if path in TABLES else [*named, checks.response_schema_conformance]


def check_answers(operation: Operation, headers: dict[str, str], examples: int) -> None:
    """Send so many requests to an operation, and check status, type and body of each answer."""
    wanted = choose_checks(operation.path)

    @given(case=operation.as_strategy())
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    def check(case: Case) -> None:
        case.call_and_validate(headers=headers, checks=wanted)

    check()


def test_refusals_are_documented(operations: list[Operation]) -> None:
    """Without keys every vendor refuses in the words that the document states."""
    for operation in operations:
        check_answers(operation, {}, examples=1)


def test_answers_are_documented(operations: list[Operation]) -> None:
    """With keys, whatever is asked: the document states the answer."""
    for operation in operations:
        check_answers(operation, KEYS, examples=3)


@pytest.mark.parametrize("path", ["/v2/assets/A%0AB", "/v3/reference/tickers/A%0AB"])
def test_name_with_a_line_break_is_refused_by_the_vendor(exchange: LocalExchange, path: str) -> None:
    """No route takes a line break in a name; the answer is the vendor's all the same."""
    answer = exchange.http.get(path, headers=KEYS)
    assert answer.status_code == 404
    assert "type" not in answer.json()


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("start=0001-01-01T00:00:00Z", 422),
        ("period=9999A", 422),
        ("start=0001-01-01T00:00:00Z&period=9999A", 422),
        ("date_end=9999-12-31", 200),
        ("start=9999-12-01T00:00:00Z&period=9A", 422),
        ("end=0001-01-01T00:00:00Z&start=2025-01-01T00:00:00Z", 422),
    ],
)
def test_history_of_the_first_and_last_years(exchange: LocalExchange, query: str, status: int) -> None:
    """The ends of what a date can be are refused, or cut to what the account has: no failure of the server."""
    assert exchange.trade("GET", f"/v2/account/portfolio/history?{query}").status_code == status


@pytest.mark.long
def test_answers_to_many_requests_are_documented(operations: list[Operation]) -> None:
    """The same with 200 requests an operation."""
    for operation in operations:
        check_answers(operation, KEYS, examples=200)
