"""The tree of errors: each has a message, a status and a slug."""

import pytest

from internal import errors
from internal.errors import FundError, SchemaError

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, FundError)]


def test_slugs_are_unique() -> None:
    """A slug names one kind, for clients raise by it."""
    slugs = [kind.slug for kind in KINDS]
    assert sorted(slugs) == sorted(set(slugs))


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("InvalidRequestError", 422),
        ("NotFoundError", 404),
        ("ConflictError", 409),
        ("NotAcceptableError", 406),
        ("UnauthorizedError", 401),
        ("SchemaError", 422),
        ("UpstreamError", 502),
        ("UnavailableError", 503),
        ("UnresolvedOrderError", 502),
        ("ConfigurationError", 500),
        ("ArtifactError", 500),
        ("UnsupportedMediaTypeError", 415),
        ("ContentTooLargeError", 413),
    ],
)
def test_status_is_the_agreed_one(name: str, status: int) -> None:
    """The statuses are a contract with every caller."""
    assert status == getattr(errors, name).status


def test_detail_is_the_message() -> None:
    """What a log prints is what a caller reads, and a schema's failures stay apart."""
    error = SchemaError("two faults", ["one", "two"])
    assert str(error) == error.detail == "two faults"
    assert error.failures == ["one", "two"]
    assert SchemaError("no list").failures == []
