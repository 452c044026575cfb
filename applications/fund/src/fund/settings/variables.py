"""The settings as environment variables of the services: each key's name in capitals."""

from collections.abc import Iterable
from enum import Enum

from fund.settings.fund_settings import SECTIONS, FundSettings

OWN_SECTIONS = frozenset({"services", "simulation"})  # read by `fund run` itself, not by the services


def service_variables(settings: FundSettings) -> dict[str, str]:
    """What the services read of the settings; a setting without a value is left out."""
    return {key.upper(): text for key, text in _set_values(settings) if text}


def _set_values(settings: FundSettings) -> Iterable[tuple[str, str]]:
    for name, section in SECTIONS.items():
        if name in OWN_SECTIONS:
            continue
        values = getattr(settings, name)
        for key in section.model_fields:
            yield key, as_text(getattr(values, key))


def as_text(value: object) -> str:
    """A value as an environment variable holds it; no value is an empty text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value.value if isinstance(value, Enum) else value)
