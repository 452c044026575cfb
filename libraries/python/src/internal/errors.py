"""The errors of the fund, drawn as a tree; each carries the HTTP status, title and slug that it answers with.

Knows what can go wrong and how to name it. Knows nothing of how an error is sent (`internal.http`) or logged
(`internal.telemetry`).
"""

from typing import ClassVar


class FundError(Exception):
    """The root: an error with one sentence for the person who reads it.

    `detail` says what happened and what to do; it never holds a secret. `status`, `title` and `slug` are the problem
    details (RFC 9457) that the error becomes on HTTP.
    """

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    slug: ClassVar[str] = "internal-error"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class InvalidRequestError(FundError):
    """What was asked for makes no sense: a malformed date, a backwards range, a body that cannot be read."""

    status = 422
    title = "Invalid request"
    slug = "invalid-request"


class UnsupportedMediaTypeError(InvalidRequestError):
    """The body's content type is not one that the endpoint reads."""

    status = 415
    title = "Unsupported media type"
    slug = "unsupported-media-type"


class ContentTooLargeError(InvalidRequestError):
    """The body is larger than the endpoint takes."""

    status = 413
    title = "Content too large"
    slug = "content-too-large"


class UnauthorizedError(FundError):
    """A mutating request came without the bearer token, or with a wrong one."""

    status = 401
    title = "Unauthorized"
    slug = "unauthorized"


class NotFoundError(FundError):
    """The thing asked for is not there."""

    status = 404
    title = "Not found"
    slug = "not-found"


class NotAcceptableError(FundError):
    """None of the representations that the caller accepts can be produced."""

    status = 406
    title = "Not acceptable"
    slug = "not-acceptable"


class ConflictError(FundError):
    """The request contradicts the present state, e.g. another writer or a run in flight."""

    status = 409
    title = "Conflict"
    slug = "conflict"


class SchemaError(FundError):
    """A frame breaks its schema; `failures` names check, column and the first offending rows, one sentence each."""

    status = 422
    title = "Frame does not fit its schema"
    slug = "schema"

    def __init__(self, detail: str, failures: list[str] | None = None) -> None:
        super().__init__(detail)
        self.failures = failures if failures is not None else []


class UpstreamError(FundError):
    """A vendor or broker answered, but wrongly: truncated, malformed, refused."""

    status = 502
    title = "Upstream answered wrongly"
    slug = "upstream"


class UnresolvedOrderError(UpstreamError):
    """An order was sent and its outcome is unknown; it may be at the broker and must be looked up, not sent again."""

    title = "Order unresolved"
    slug = "unresolved-order"


class UnavailableError(FundError):
    """Something needed cannot be reached or used now: a service, the disk, a port that is not ready."""

    status = 503
    title = "Unavailable"
    slug = "unavailable"


class ConfigurationError(FundError):
    """A setting is missing or wrong; the sentence names the setting and what to do, never a secret's value."""

    title = "Wrong configuration"
    slug = "configuration"


class ArtifactError(FundError):
    """A model artifact is missing, tampered with or incompatible with this code."""

    title = "Model artifact unusable"
    slug = "artifact"
