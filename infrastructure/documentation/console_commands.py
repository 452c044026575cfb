"""What is done with each command of the documentation: run on an offline fund, or left out for a reason."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Treatment(StrEnum):
    """What is done with a command, beside the check that it exists."""

    RUN = "run on an offline fund"
    ELSEWHERE = "run by another step or test"
    BROKER = "needs an account at a broker or a vendor's key"
    SWARM = "needs Docker: run by the Swarm's tests"
    CLOUD = "needs an account at AWS"
    VARIABLE = "sets a variable for the commands below it"
    MACHINE = "changes the machine, or never ends"


@dataclass(frozen=True)
class Rule:
    """What is done with the commands that begin with an expression; the first rule that fits counts.

    Attributes:
        begins: The expression.
        treatment: What is done with them.
        place: The file that runs them, of those that are run elsewhere.
    """

    begins: str
    treatment: Treatment
    place: str = ""


LIVE_TEST: Final = "applications/portfoliomanager/tests/at_exchange/test_live_account.py"
RULES: Final = (
    Rule(r"./fund up --bars|STRATEGY=\S+ .*./fund up --bars", Treatment.ELSEWHERE, "tests/test_own_bars.py"),
    Rule(r"STRATEGY=\S+ .*./fund up", Treatment.ELSEWHERE, "tests/test_own_strategy.py"),
    Rule(r"./fund (up|test)$", Treatment.ELSEWHERE, ".ci/run"),
    Rule(r"./fund data import", Treatment.ELSEWHERE, "applications/fund/tests/test_data_import.py"),
    Rule(r"./fund backtest --through-services", Treatment.ELSEWHERE, "tests/test_backtest.py"),
    Rule(r"./fund backtest .*--bars", Treatment.ELSEWHERE, "applications/research/tests/test_research_backtest.py"),
    Rule(r"./fund sweep .*--grid .*--grid", Treatment.ELSEWHERE, "applications/research/tests/test_sweep.py"),
    Rule(r"(FUND_HOME=\S+ )?./fund (init|run)\b", Treatment.ELSEWHERE, "tests/test_fund_run.py"),
    Rule(r"(FUND_HOME=\S+ )?./fund (arm|disarm)\b", Treatment.ELSEWHERE, LIVE_TEST),
    Rule(r"./fund (new|check|backtest|sweep|research|status|orders|report|replay|doctor)\b", Treatment.RUN),
    Rule(r"./fund (books|data check|token|logs|models list|notify list|halt|reduce|resume)\b", Treatment.RUN),
    Rule(r"mask (applications build --push|applications models)", Treatment.CLOUD),
    Rule(r"mask (infrastructure base|applications|test|status)\b", Treatment.SWARM),
    Rule("pulumi config set ", Treatment.ELSEWHERE, "infrastructure/tests/test_pulumi_production.py"),
    Rule(r"pulumi |curl .*https://fund\.example\.org|export (DOCKER_CONTEXT|AWS_REGION)", Treatment.CLOUD),
    Rule(r"(\. ~/fund/settings && )?export ", Treatment.VARIABLE),
    Rule(r"uv run models ", Treatment.ELSEWHERE, "applications/models/tests/test_models_commands.py"),
    Rule(r"\. ~/fund/settings && |curl ", Treatment.BROKER),
    Rule(r"uv run python -m infrastructure.documentation$", Treatment.ELSEWHERE, ".ci/run"),
    Rule(r"uv (run --group docs|sync) ", Treatment.MACHINE),
)


class TextKind(StrEnum):
    """What a block of text is."""

    UP = "printed by ./fund up: compared with what it prints in CI"
    ELSEWHERE = "printed by another command: compared by a test"
    ONCE = "printed by a run that takes too long for CI"
    DRAWING = "a drawing"
    FOREIGN = "the configuration of another program"


@dataclass(frozen=True)
class TextRule:
    """What the blocks of text of a page are that begin with some words.

    Attributes:
        page: The page.
        begins: The words.
        kind: What they are.
        place: The file that compares them, of those that another command prints.
    """

    page: str
    begins: str
    kind: TextKind
    place: str = ""


TEXT_RULES: Final = (
    TextRule("README.md", "", TextKind.UP),
    TextRule("docs/get_started.md", "", TextKind.UP),
    TextRule("docs/your_own_bars.md", "", TextKind.ELSEWHERE, "tests/test_documentation.py"),
    TextRule("docs/operations/signing_in.md", "proxy_set_header", TextKind.FOREIGN),
    TextRule("docs/operations/messages.md", "2024-12-04: ", TextKind.ONCE),
    TextRule("docs/architecture.md", "market data API", TextKind.DRAWING),
    TextRule("docs/architecture.md", "applications/", TextKind.DRAWING),
)


def choose_kind(page: str, text: str) -> TextKind:
    """What a block of text is.

    Raises:
        ValueError: No rule fits it.
    """
    for rule in TEXT_RULES:
        if rule.page == page and text.lstrip().startswith(rule.begins):
            return rule.kind
    raise ValueError(f"no rule says what the text {text[:40]!r} of {page} is: add one to {__name__}")


def choose_treatment(command: str) -> Treatment:
    """What is done with a command.

    Raises:
        ValueError: No rule fits it.
    """
    for rule in RULES:
        if re.match(rule.begins, command):
            return rule.treatment
    raise ValueError(f"no rule says whether {command!r} is run: add one to {__name__}")
