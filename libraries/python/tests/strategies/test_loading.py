"""Loading strategies: what can be wrong in a file or a parameter, and what a failing one says, at 80 columns."""

import sys
from pathlib import Path

import pytest

from internal.errors import ConfigurationError
from internal.strategies.history import window_history
from internal.strategies.loading import LoadedStrategy, load_strategy
from internal.strategies.schedule import WEEKLY
from internal.trading.strategy import StrategyError
from libraries.python.tests.strategies.small_situations import make_situation

ROOT = Path(__file__).parents[4]
HEAD = "import polars as pl\nfrom pocketsizefund import *\n\n\n"
GOOD = f"""{HEAD}class Own(Strategy):
    sessions: int = 5
    threshold: float = 0.5
    names_per_side = 30
    schedule = WEEKLY
    history_sessions = 1

    def score(self, history):
        return pl.col("close")
"""


def write(folder: Path, text: str) -> Path:
    """A strategy's file."""
    path = folder / "own.py"
    path.write_text(text)
    return path


def load(folder: Path, text: str = GOOD, **parameters: str) -> LoadedStrategy:
    """The class Own of the text."""
    return load_strategy(f"{write(folder, text)}:Own", parameters)


def failure(folder: Path, body: str) -> str:
    """What is said when the body of `decide` fails."""
    text = f"{HEAD}class Own(Strategy):\n    history_sessions = 1\n\n    def decide(self, situation):\n        {body}\n"
    with pytest.raises(StrategyError) as caught:
        load(folder, text).decide(make_situation({"A": 10.0}))
    return caught.value.detail


def test_parameters_are_fields(tmp_path: Path) -> None:
    """Own fields with types, inherited ones with another default and no type, and text that sets them."""
    strategy = load(tmp_path, sessions="3", gross_exposure="0.8").strategy
    assert {"sessions": 3, "names_per_side": 30, "gross_exposure": 0.8, "schedule": WEEKLY} == {
        name: getattr(strategy, name) for name in ("sessions", "names_per_side", "gross_exposure", "schedule")
    }


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"session": "3"}, "Own has no parameter session; it has, each with a type and a default:\n"),
        ({"session": "3"}, "  threshold: float = 0.5"),
        ({"session": "3"}, "  schedule: Schedule = weekly"),
        ({"sessions": "three"}, "sessions=three is no value for Own.sessions: Input should be a valid integer"),
        ({"schedule": "yearly"}, "schedule=yearly is no value for Own.schedule: a schedule is daily, weekly"),
        ({"construction": "best"}, "construction=best is no value for Own.construction"),
        ({"names_per_side": "-1"}, "Own: names_per_side is 0, which opens nothing, or more, not -1"),
        ({"gross_exposure": "50"}, "Own: gross_exposure is above 0 and at most 10, a multiple of capital, not 50"),
        ({"exit_band": "0.5"}, "Own: exit_band is at least 1"),
        ({"rebalance_threshold": "nan"}, "Own: rebalance_threshold is a fraction"),
    ],
)
def test_wrong_parameters(tmp_path: Path, given: dict[str, str], said: str) -> None:
    """An unknown name lists all parameters with types and defaults; a wrong value says what is expected."""
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, **given)
    assert said in caught.value.detail


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("class Own:\n    pass\n", "has no class Own that is a pocketsizefund.Strategy; it has no strategy at all"),
        (GOOD.replace("class Own(", "class Other("), "it has Other"),
        (f"{HEAD}class Own(Strategy:\n", "SyntaxError"),
        ("import no_such_package\n", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("raise SystemExit(3)\n", "SystemExit: 3"),
        (f"{HEAD}class Own(Strategy):\n    sessions: int\n", "missing 1 required keyword-only argument: 'sessions'"),
        (f"{HEAD}class Own(Strategy):\n    names: list = []\n", "mutable default"),
    ],
)
def test_wrong_files(tmp_path: Path, text: str, said: str) -> None:
    """A file that cannot be read as a strategy says what is wrong with it."""
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, text)
    assert said in caught.value.detail
    assert "importlib" not in caught.value.detail


@pytest.mark.parametrize("address", ["own.py", "own.py:", ":Own", "own.py:Not A Name"])
def test_a_wrong_address(address: str) -> None:
    """The address is a file, a colon and a class."""
    with pytest.raises(ConfigurationError, match=r"a strategy is FILE\.py:Class"):
        load_strategy(address)


def test_an_absent_file(tmp_path: Path) -> None:
    """A file that is not there is named, with those that are, and with the command that writes one."""
    written = "`./fund new strategy NAME` writes a new one"
    for folder, found in (
        (tmp_path, f"{tmp_path} has no Python file"),
        (tmp_path / "no", f"there is no folder {tmp_path}/no either"),
    ):
        assert refusal(f"{folder}/absent.py:Own") == f"there is no file {folder}/absent.py; {found}; {written}"
    for name in ("b.py", "a.py", "notes.txt"):
        (tmp_path / name).touch()
    expected = f"there is no file {tmp_path}/absent.py; {tmp_path} has a.py, b.py; {written}"
    assert refusal(f"{tmp_path}/absent.py:Own") == expected


def test_a_forgotten_class(tmp_path: Path) -> None:
    """The classes of the file are suggested; without such a file, a strategy that the checkout has."""
    path = tmp_path / "own.py"
    path.write_text(f"{HEAD}class Own(Strategy):\n    pass\n\n\nclass Other(Strategy):\n    pass\n")
    for address in (f"{path}", f"{path}:", f"{path}:Not A Name"):
        suggested = f"for example {path}:Own or {path}:Other; not {address}"
        assert refusal(address) == f"a strategy is FILE.py:Class, {suggested}"
    example = (
        refusal("absent.py").removeprefix("a strategy is FILE.py:Class, for example ").removesuffix("; not absent.py")
    )
    assert load_strategy(f"{ROOT}/{example}").record.name == "five_day_reversal"


def refusal(address: str) -> str:
    """What is said of an address."""
    with pytest.raises(ConfigurationError) as caught:
        load_strategy(address)
    return caught.value.detail


def test_a_traceback_starts_in_the_strategy(tmp_path: Path) -> None:
    """One sentence, the frames of the user's file, the error; none of the fund's frames before them."""
    said = failure(tmp_path, "return Targets.of({'A': 1 / len(situation.positions)}, 'x')")
    assert said.splitlines() == [
        "the strategy own failed on 2024-03-15: nothing is decided or sent for this session",
        "Traceback (most recent call last):",
        f'  File "{tmp_path}/own.py", line 9, in decide',
        "    return Targets.of({'A': 1 / len(situation.positions)}, 'x')",
        "ZeroDivisionError: division by zero",
    ]


def test_a_long_message_is_wrapped(tmp_path: Path) -> None:
    """Lines of code and of the error fit a terminal of 80 columns; the first sentence and the path are as they are."""
    said = failure(tmp_path, f"raise ValueError('{'many words ' * 30}')").splitlines()
    assert max(len(line) for line in said[3:]) <= 80


def test_an_error_inside_a_library_shows_where(tmp_path: Path) -> None:
    """The user's frame and the last one, not the frames between."""
    said = failure(tmp_path, "pl.DataFrame({'a': [1]}).select(pl.col('b'))")
    assert said.count("  File ") == 2
    assert "ColumnNotFoundError" in said


def test_an_unknown_column_of_a_score_is_named(tmp_path: Path) -> None:
    """The expression fails when it is evaluated, outside the user's file: the error alone is shown."""
    strategy = load(tmp_path, GOOD.replace('pl.col("close")', 'pl.col("closee")'))
    with pytest.raises(StrategyError) as caught:
        strategy.decide(make_situation({"A": 10.0, "B": 11.0}, history_sessions=3))
    assert "closee" in caught.value.detail
    assert "  File " not in caught.value.detail


def test_neither_score_nor_decide(tmp_path: Path) -> None:
    """A class that writes neither says so in one sentence."""
    strategy = load(tmp_path, f"{HEAD}class Own(Strategy):\n    history_sessions = 1\n")
    with pytest.raises(StrategyError, match="neither a score nor a decide"):
        strategy.decide(make_situation({"A": 10.0}))


PANICS = 'pl.col("close").rolling_mean(3, weights=[0.5, 0.5]).over("ticker")'  # a window of three with two weights


def test_a_panic_of_polars_is_a_failure(tmp_path: Path) -> None:
    """It is no Exception of Python; a decision, a score of all sessions and an import that panic say so."""
    strategy = load(tmp_path, GOOD.replace('pl.col("close")', PANICS))
    situation = make_situation({"A": 10.0, "B": 11.0}, history_sessions=5)
    with pytest.raises(StrategyError, match=r"nothing is decided(.|\n)*PanicException"):
        strategy.decide(situation)
    with pytest.raises(StrategyError, match=r"nothing is decided(.|\n)*PanicException"):
        strategy.score_sessions(window_history(situation), [situation.day], situation.tickers)
    with pytest.raises(ConfigurationError, match=r"cannot be imported(.|\n)*PanicException"):
        load(tmp_path, f'{HEAD}pl.DataFrame({{"close": [1.0] * 5, "ticker": ["A"] * 5}}).select({PANICS})\n{GOOD}')


@pytest.mark.parametrize(
    "statement",
    [
        "import helper_of_own",
        "from helper_of_own import LOOKBACK",
        "import helpers_of_own.lookback",
        "def late():\n    import helper_of_own",
        "try:\n    from . import lookback\nexcept ImportError:\n    pass",
    ],
)
def test_another_local_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statement: str) -> None:
    """A module, a package and a folder without __init__.py beside the strategy: the digest would not cover them."""
    (tmp_path / "helper_of_own.py").write_text("LOOKBACK = 5\n")
    (tmp_path / "helpers_of_own").mkdir()
    (tmp_path / "helpers_of_own" / "lookback.py").write_text("LOOKBACK = 5\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(ConfigurationError, match="keep a strategy in one file"):
        load(tmp_path, f"{statement}\n{GOOD}")


@pytest.mark.parametrize(
    "statement",
    [
        "import math, numpy.linalg, scipy",
        "from pocketsizefund import constructions",
        "from internal.dates import next_session",
        "from __future__ import annotations",
        "try:\n    import no_such_package\nexcept ImportError:\n    pass",
    ],
)
def test_other_imports_are_allowed(tmp_path: Path, statement: str) -> None:
    """The standard library, installed packages, the fund's library, and a package that is not installed."""
    assert load(tmp_path, f"{statement}\n{GOOD}").record.name == "own"
