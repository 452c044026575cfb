"""The strategy that a fund trades: the one that STRATEGY names, else that of its last run, else the fund's own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from internal.errors import ConfigurationError

CHECKOUT = Path(__file__).parents[4]
DEFAULT = "strategies/ten_by_ten.py:TenByTen"


@dataclass(frozen=True)
class StrategyChoice:
    """A strategy by its file and class.

    Args:
        address: FILE.py:Class, the file's path absolute.
        parameters: Parameters as `name=value`, separated by spaces.
    """

    address: str
    parameters: str = ""

    @property
    def file(self) -> Path:
        """The file alone."""
        return Path(self.address.rpartition(":")[0])

    @classmethod
    def from_record(cls, address: str, parameters: str = "") -> Self:
        """What `as_record` wrote; a relative path is one in this checkout."""
        path, colon, name = address.rpartition(":")
        return cls(f"{CHECKOUT / path}{colon}{name}" if colon else address, parameters)

    def as_record(self) -> dict[str, str]:
        """What the fund's folder remembers: a file of the checkout by its path there, so that the checkout may move."""
        path, colon, name = self.address.rpartition(":")
        kept = Path(path).relative_to(CHECKOUT) if Path(path).is_relative_to(CHECKOUT) else path
        return {"address": f"{kept}{colon}{name}", "parameters": self.parameters}

    def variables(self) -> dict[str, str]:
        """The settings of the service that loads it."""
        return {"STRATEGY": self.address, "STRATEGY_PARAMETERS": self.parameters}

    def describe(self) -> str:
        """Address and parameters in a few words."""
        return f"{self.address} {self.parameters}".rstrip()


def choose_strategy(last: StrategyChoice | None, environment: Mapping[str, str]) -> StrategyChoice:
    """The strategy that the environment names, else the one of the last run; parameters can be set alone.

    Raises:
        ConfigurationError: The file of the last run's strategy is gone.
    """
    given, parameters = environment.get("STRATEGY"), environment.get("STRATEGY_PARAMETERS")
    if given:
        return StrategyChoice(find_file(given), parameters or "")
    if last is not None and not last.file.is_file():
        raise ConfigurationError(
            f"the strategy of the last run is gone: there is no file {last.file}; put it back, or name the strategy to "
            f"go on with: STRATEGY=FILE.py:Class ./fund up (the fund's own is {DEFAULT})"
        )
    chosen = last or StrategyChoice(find_file(DEFAULT))
    return replace(chosen, parameters=parameters) if parameters else chosen


def find_file(address: str) -> str:
    """The address with an absolute path: from the working directory, else from the checkout."""
    path, colon, name = address.rpartition(":")
    found = next((folder / path for folder in (Path.cwd(), CHECKOUT) if (folder / path).is_file()), Path.cwd() / path)
    return f"{found}{colon}{name}" if colon else address
