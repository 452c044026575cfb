"""Loading a strategy: the file, its class, its parameters, and the digest that every decision records."""

import importlib.util
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any, Self, get_type_hints

from pydantic import TypeAdapter, ValidationError

from internal.errors import ConfigurationError, FundError
from internal.strategies.failures import FAILURES, describe_error, describe_failure
from internal.strategies.history import History
from internal.strategies.imports import refuse_local_imports
from internal.strategies.schedule import Schedule
from internal.strategies.strategy import Strategy
from internal.trading.arrays import FloatArray
from internal.trading.read_only import make_read_only
from internal.trading.situation import Situation
from internal.trading.strategy import DataNeeds, StrategyError, StrategyRecord
from internal.trading.targets import Targets

EXAMPLE = "strategies/five_day_reversal.py:FiveDayReversal"


@dataclass(frozen=True, slots=True)
class LoadedStrategy:
    """A user's strategy as the trading core calls it: `internal.trading.strategy.Strategy`.

    Attributes:
        strategy: An instance of the user's class.
        record: What every decision writes down about it.
        file: Where the class was written; a traceback starts there.
    """

    strategy: Strategy
    record: StrategyRecord
    file: Path

    @property
    def needs(self) -> DataNeeds:
        """What must be loaded for a decision."""
        one = self.strategy
        return DataNeeds(one.universe, one.history_sessions, one.uses_forecasts)

    def is_due(self, day: date) -> bool:
        """Whether the schedule decides at the close of the day."""
        return self.strategy.schedule.is_due(day)

    def next_due(self, day: date) -> date | None:
        """The first session after the day at whose close the schedule decides; None when the calendar ends before."""
        return self.strategy.schedule.next_due(day)

    def decide(self, situation: Situation) -> Targets:
        """What to hold after the day. Raises StrategyError with the traceback of the strategy's own code."""
        try:
            return self.strategy.decide(make_read_only(situation))
        except StrategyError:
            raise
        except FAILURES as error:
            raise StrategyError(describe_failure(self.record.name, situation.day, error, self.file)) from error

    def score_sessions(self, history: History, days: Sequence[date], tickers: tuple[str, ...]) -> FloatArray | None:
        """[S, N] scores of the sessions in one pass; None where the strategy writes `decide` alone.

        Raises StrategyError with the traceback of the strategy's own code.
        """
        if not self.strategy.has_score():
            return None
        try:
            return self.strategy.score_sessions(history, days, tickers)
        except FAILURES as error:
            raise StrategyError(
                f"the score of {self.record.name} failed: nothing is decided\n{describe_error(error, self.file)}"
            ) from error

    def with_parameters(self, given: Mapping[str, str]) -> Self:
        """The strategy with some parameters set from text. Raises ConfigurationError."""
        kind = type(self.strategy)
        present = {one.name: getattr(self.strategy, one.name) for one in fields(self.strategy)}
        strategy = _construct(kind, present | parse_parameters(kind, given))
        return replace(self, strategy=strategy, record=replace(self.record, parameters=parameters_json(strategy)))


def load_strategy(address: str, parameters: Mapping[str, str] | None = None) -> LoadedStrategy:
    """The strategy of `FILE.py:Class`, with parameters set from text.

    Raises ConfigurationError: no such file or class, a class that is no Strategy, a file that cannot be imported (with
    its traceback) or that imports another local file, an unknown parameter or a value of another type.
    """
    path, name = _split_address(address)
    digest = _digest(path)
    found = _find_class(_import_file(path, digest), path, name)
    strategy = _construct(found, parse_parameters(found, parameters or {}))
    return LoadedStrategy(strategy, StrategyRecord(snake_case(name), parameters_json(strategy), digest), path)


def find_strategies(path: Path) -> list[str]:
    """The names of the strategies that a file defines, in its order. Raises ConfigurationError when it defines none."""
    found = _own_strategies(_import_file(path, _digest(path)))
    if not found:
        raise ConfigurationError(f"{path} defines no subclass of pocketsizefund.Strategy")
    return found


def _own_strategies(module: ModuleType) -> list[str]:
    return [
        name
        for name, one in vars(module).items()
        if isinstance(one, type) and issubclass(one, Strategy) and one.__module__ == module.__name__
    ]


def parse_parameters(kind: type[Strategy], given: Mapping[str, str]) -> dict[str, Any]:
    """The values of parameters that were given as text. Raises ConfigurationError, which lists the parameters."""
    hints = {field.name: get_type_hints(kind)[field.name] for field in fields(kind)}
    return {name: _parse(kind, name, text, hints) for name, text in given.items()}


def parameters_json(strategy: Strategy) -> str:
    """All parameters as JSON, keys sorted."""
    return json.dumps(
        {one.name: getattr(strategy, one.name) for one in fields(strategy)}, sort_keys=True, default=_plain
    )


def snake_case(name: str) -> str:
    """`FiveDayReversal` as `five_day_reversal`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def describe_parameters(kind: type[Strategy]) -> str:
    """One parameter a line: name, type and default."""
    return "\n".join(f"  {one.name}: {_type_name(one)} = {_default(one)}" for one in fields(kind))


def _type_name(one: Field[Any]) -> str:
    return one.type.__name__ if isinstance(one.type, type) else str(one.type)


def _default(one: Field[Any]) -> object:
    if one.default is not MISSING:
        return one.default
    return one.default_factory() if one.default_factory is not MISSING else "must be given"


def _construct(kind: type[Strategy], values: Mapping[str, Any]) -> Strategy:
    try:
        return kind(**values)
    except FundError as error:
        raise ConfigurationError(f"{kind.__name__}: {error.detail}") from error
    except TypeError as error:
        raise ConfigurationError(
            f"{kind.__name__} cannot be made: {error}; its parameters, each with a type and a default:\n"
            f"{describe_parameters(kind)}"
        ) from error


def _find_class(module: ModuleType, path: Path, name: str) -> type[Strategy]:
    found = getattr(module, name, None)
    if isinstance(found, type) and issubclass(found, Strategy) and found is not Strategy:
        return found
    others = _own_strategies(module)
    known = f"it has {', '.join(others)}" if others else "it has no strategy at all"
    raise ConfigurationError(f"{path} has no class {name} that is a pocketsizefund.Strategy; {known}")


def _split_address(address: str) -> tuple[Path, str]:
    path, colon, name = address.rpartition(":")
    if not colon or not path or not name.isidentifier():
        raise ConfigurationError(
            f"a strategy is FILE.py:Class, for example {_suggest_addresses(address)}; not {address}"
        )
    return Path(path), name


def _suggest_addresses(address: str) -> str:
    """What may have been meant: the strategies of the file that was named; without such a file, one of the checkout."""
    path = Path(address.rpartition(":")[0] or address)
    if not path.is_file():
        return EXAMPLE
    return " or ".join(f"{path}:{name}" for name in find_strategies(path))


def _digest(path: Path) -> str:
    """The SHA-256 of the file."""
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"there is no file {path}; {_describe_folder(path.parent)}; `./fund new strategy NAME` writes a new one"
        ) from error
    except OSError as error:
        raise ConfigurationError(f"the strategy's file {path} cannot be read: {error.strerror}") from error
    return sha256(content).hexdigest()


def _describe_folder(folder: Path) -> str:
    """The Python files of a folder, in words."""
    if not folder.is_dir():
        return f"there is no folder {folder} either"
    names = sorted(path.name for path in folder.glob("*.py"))
    return f"{folder} has {', '.join(names)}" if names else f"{folder} has no Python file"


def _import_file(path: Path, digest: str) -> ModuleType:
    name = f"strategy_{path.stem}_{digest[:12]}"
    specification = importlib.util.spec_from_file_location(name, path)
    if specification is None or specification.loader is None:
        raise ConfigurationError(f"the strategy's file {path} is no Python file: its name ends with .py")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    try:
        specification.loader.exec_module(module)
    except FAILURES as error:
        del sys.modules[name]
        raise ConfigurationError(f"{path} cannot be imported\n{describe_error(error, path)}") from error
    refuse_local_imports(path)
    return module


def _parse(kind: type[Strategy], name: str, text: str, hints: Mapping[str, Any]) -> object:
    if name not in hints:
        raise ConfigurationError(
            f"{kind.__name__} has no parameter {name}; it has, each with a type and a default:\n"
            f"{describe_parameters(kind)}"
        )
    try:
        return (
            Schedule.parse(text) if hints[name] is Schedule else TypeAdapter[object](hints[name]).validate_strings(text)
        )
    except (ValidationError, FundError) as error:
        detail = error.detail if isinstance(error, FundError) else error.errors()[0]["msg"]
        raise ConfigurationError(f"{name}={text} is no value for {kind.__name__}.{name}: {detail}") from error


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Schedule) else vars(value)
