"""The errors of the fund as a tree of classes, each with its HTTP status, title and slug."""

from typing import ClassVar


class FundError(Exception):
    """The root: an error with one sentence for the person who reads it.

    `detail` describes what happened and what to do; it never holds a secret. `status`, `title` and `slug` are the
    problem details (RFC 9457) of the error over HTTP.
    """

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    slug: ClassVar[str] = "internal-error"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class InvalidRequestError(FundError):
    """The request is invalid: a malformed date, a range that ends before it starts, a body that cannot be read."""

    status = 422
    title = "Invalid request"
    slug = "invalid-request"


class UnsupportedMediaTypeError(InvalidRequestError):
    """The endpoint does not read the body's content type."""

    status = 415
    title = "Unsupported media type"
    slug = "unsupported-media-type"


class ContentTooLargeError(InvalidRequestError):
    """The body is larger than the endpoint accepts."""

    status = 413
    title = "Content too large"
    slug = "content-too-large"


class UnauthorizedError(FundError):
    """A request that needs a token or a session has none, or a wrong one."""

    status = 401
    title = "Unauthorized"
    slug = "unauthorized"


class ForbiddenError(FundError):
    """Whoever sends the request may not do that, or it comes from a page that may not send it."""

    status = 403
    title = "Forbidden"
    slug = "forbidden"


class TooManyRequestsError(FundError):
    """Somebody has tried too often."""

    status = 429
    title = "Too many requests"
    slug = "too-many-requests"


class MisdirectedRequestError(FundError):
    """The request names another host than this service."""

    status = 421
    title = "Misdirected request"
    slug = "misdirected-request"


class NotFoundError(FundError):
    """What the request names does not exist."""

    status = 404
    title = "Not found"
    slug = "not-found"


class NotAcceptableError(FundError):
    """None of the representations that the caller accepts can be produced."""

    status = 406
    title = "Not acceptable"
    slug = "not-acceptable"


class ConflictError(FundError):
    """The request contradicts the present state, such as another writer or a run in progress."""

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
    """A vendor or broker gave a wrong answer: truncated, malformed or refused."""

    status = 502
    title = "Upstream answered wrongly"
    slug = "upstream"


class UnresolvedOrderError(UpstreamError):
    """An order was sent and its outcome is unknown: it may be at the broker and must be looked up, not sent again."""

    title = "Order unresolved"
    slug = "unresolved-order"


class UnavailableError(FundError):
    """A dependency cannot be reached or used now: a service, the disk, a component that is not ready."""

    status = 503
    title = "Unavailable"
    slug = "unavailable"


class ConfigurationError(FundError):
    """A setting is missing or wrong; the message names the setting and what to do, never a secret's value."""

    title = "Wrong configuration"
    slug = "configuration"


class ArtifactError(FundError):
    """A model artifact is missing, tampered with or incompatible with this code."""

    title = "Model artifact unusable"
    slug = "artifact"
