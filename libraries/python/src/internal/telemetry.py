"""Structured logs, as JSON or coloured text, with secrets masked, and Prometheus metrics."""

import logging
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, cast

import structlog
from prometheus_client import Gauge
from pydantic import SecretStr
from structlog.typing import EventDict, Processor, WrappedLogger

MASK = "***"
SECRET_NAMES = re.compile(r"authorization|api_?key|key_?id|secret|password|token", re.IGNORECASE)
SECRET_TEXTS = re.compile(r"(?i)(bearer\s+|basic\s+|api_?key=|token=)[^\s&\"',;]+")


class SecretMasker:
    """A processor that masks SecretStr values, names such as `api_key`, bearer tokens, and known values in texts."""

    def __init__(self, secrets: Iterable[SecretStr]) -> None:
        self._known = [secret.get_secret_value() for secret in secrets if secret.get_secret_value()]

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """The event with every secret masked."""
        return {name: self._mask(name, value) for name, value in event.items()}

    def _mask(self, name: str, value: object) -> object:
        if value is not None and (isinstance(value, SecretStr) or SECRET_NAMES.search(name)):
            return MASK
        if isinstance(value, Mapping):
            named = cast("Mapping[object, object]", value)
            return {key: self._mask(str(key), inner) for key, inner in named.items()}
        if isinstance(value, list | tuple):
            return [self._mask("", inner) for inner in cast("Sequence[object]", value)]
        return self._mask_text(value) if isinstance(value, str) else value

    def _mask_text(self, text: str) -> str:
        for secret in self._known:
            text = text.replace(secret, MASK)
        return SECRET_TEXTS.sub(rf"\g<1>{MASK}", text)


def configure_logging(service: str, log_format: Literal["json", "console"], secrets: Iterable[SecretStr] = ()) -> None:
    """Send every log of the process, those of libraries included, to standard output in one format.

    Each event carries the service and, where they are bound, `request_id` and `event_id` (structlog's contextvars).
    `secrets` are masked wherever their text occurs, tracebacks included.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="timestamp"),
        structlog.stdlib.ExtraAdder(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_formatter(service, log_format, shared, SecretMasker(secrets)))
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        library = logging.getLogger(name)
        library.handlers, library.propagate = [], name != "uvicorn.access"
    logging.getLogger("httpx").setLevel(logging.WARNING)


def _formatter(
    service: str, log_format: Literal["json", "console"], shared: list[Processor], masker: SecretMasker
) -> logging.Formatter:
    def add_service(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {"service": service, **event}

    renderer: Processor = (
        structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer()
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            add_service,
            structlog.processors.format_exc_info,
            masker,
            renderer,
        ],
    )


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module: `get_logger(__name__).info("bars_synced", date=..., rows=...)`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def last_success_gauge(name: str, description: str) -> Gauge:
    """The gauge `<name>_last_success_timestamp_seconds`; call `.set_to_current_time()` after each success.

    Staleness is then `time() - <name>_last_success_timestamp_seconds`.
    """
    return Gauge(f"{name}_last_success_timestamp_seconds", description)
