"""A new strategy's file: a copy of the five-day reversal under another name, which runs as it is."""

import re
from keyword import iskeyword
from pathlib import Path

from internal.errors import ConfigurationError

TEMPLATE = Path(__file__).parents[5] / "strategies" / "five_day_reversal.py"
TEMPLATE_CLASS = "FiveDayReversal"
RESULTS = re.compile(r'\A("""[^\n]*)\n\n.*?"""', re.DOTALL)  # the example's own, which the new strategy has yet to earn
NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")


def write_strategy(folder: Path, name: str, template: Path = TEMPLATE) -> Path:
    """Write `folder/name.py` with the class that `class_name` gives, and answer its path.

    Raises ConfigurationError when the name is no lowercase Python name, the file is there already, or the template is
    missing; nothing is written then.
    """
    if NAME.fullmatch(name) is None or iskeyword(name):
        raise ConfigurationError(
            f"a strategy's name is lowercase letters, digits and single underscores, for example reversal; not {name!r}"
        )
    try:
        text = template.read_text()
    except OSError as error:
        raise ConfigurationError(
            f"the template {template} cannot be read ({error.strerror}): run this in the fund's repository"
        ) from error
    path = folder / f"{name}.py"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x") as file:
            file.write(RESULTS.sub(r'\1"""', text).replace(TEMPLATE_CLASS, class_name(name)))
    except FileExistsError as error:
        raise ConfigurationError(f"{path} is there already: choose another name, or remove the file first") from error
    return path


def class_name(name: str) -> str:
    """`my_reversal` as `MyReversal`."""
    return "".join(part.capitalize() for part in name.split("_"))
