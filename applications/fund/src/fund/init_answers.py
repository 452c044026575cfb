"""The answers of `fund init`: each question's key in fund.toml, what was given, and what is asked."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import typer
from tomlkit import TOMLDocument, dumps

from fund.settings.fund_settings import FundSettings, parse_settings, read_text
from fund.settings.toml_file import open_document, set_value
from fund.settings.variables import as_text
from internal.errors import ConfigurationError
from internal.modes import Mode


@dataclass(frozen=True)
class Given:
    """The answers that the options hold; None was not given. `limits` are NAME=VALUE."""

    mode: str | None = None
    vendor: str | None = None
    edgar: str | None = None
    capital: str | None = None
    strategy: str | None = None
    model: str | None = None
    limits: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes:
        section: The section of fund.toml, None before the first.
        key: The key.
        text: What is asked.
        option: The field of `Given` that answers it.
        at_broker: Whether it is asked only of a fund at a broker.
    """

    section: str | None
    key: str
    text: str
    option: str | None = None
    at_broker: bool = True


QUESTIONS = (
    Question(None, "mode", "Whose money: simulated, paper or live", "mode", at_broker=False),
    Question("market_data", "market_data_vendor", "Vendor of market data: alpaca, polygon or files", "vendor"),
    Question("market_data", "edgar_user_agent", "Your name and e-mail address, which the SEC asks for", "edgar"),
    Question("trading", "strategy", "Strategy, FILE.py:Class", "strategy", at_broker=False),
    Question("trading", "capital", "Capital: dollars, a share such as 50%, or nothing for all of it", "capital"),
    Question("limits", "limit_gross_exposure", "Limit on long plus short, times net asset value"),
    Question("limits", "limit_name_weight", "Limit on one name, a part of net asset value"),
    Question("limits", "limit_daily_loss", "Loss of a day after which positions are only reduced"),
    Question("limits", "limit_drawdown_halt", "Fall from the highest value after which nothing is sent"),
    Question("models", "model_size", "Model to train: small (minutes) or full", "model", at_broker=False),
)


@dataclass
class Answers:
    """The settings file while it is changed.

    Attributes:
        path: The file.
        document: Its content, with the answers so far.
        settings: What they mean.
    """

    path: Path
    document: TOMLDocument
    settings: FundSettings = field(init=False)

    def __post_init__(self) -> None:
        """Check what is there."""
        self.settings = parse_settings(self.path, dumps(self.document))

    @classmethod
    def read(cls, path: Path) -> Self:
        """What the file holds so far. Raises ConfigurationError where it is wrong already."""
        text = read_text(path)
        parse_settings(path, text)
        return cls(path, open_document(text))

    def ask(self, given: Given, *, asks: bool) -> None:
        """Take what the options give, and ask for the rest if wanted.

        Raises:
            ConfigurationError: An option holds a wrong value.
        """
        for name, value in split_limits(given.limits):
            self._take("limits", f"limit_{name}", value)
        for question in QUESTIONS:
            answer = None if question.option is None else getattr(given, question.option)
            if answer is not None:
                self._take(question.section, question.key, answer)
            elif asks and not (question.at_broker and self.settings.mode is Mode.SIMULATED):
                self._prompt(question)

    def _prompt(self, question: Question) -> None:
        """Ask until the answer is right; Enter keeps what is set."""
        present = as_text(self._present(question))
        while (answer := typer.prompt(question.text, default=present, show_default=bool(present)).strip()) != present:
            try:
                self._take(question.section, question.key, answer)
            except ConfigurationError as error:
                typer.echo(error.detail)
            else:
                return

    def _present(self, question: Question) -> object:
        holder = self.settings if question.section is None else getattr(self.settings, question.section)
        return getattr(holder, question.key)

    def _take(self, section: str | None, key: str, answer: str) -> None:
        """Write one answer, as its key's type. Raises ConfigurationError, and changes nothing, when wrong."""
        changed = open_document(dumps(self.document))
        set_value(changed, section, key, answer)
        settings = parse_settings(self.path, dumps(changed))
        holder = settings if section is None else getattr(settings, section)
        set_value(changed, section, key, getattr(holder, key))
        self.document, self.settings = changed, settings


def split_limits(limits: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Name and value of each NAME=VALUE; the prefix `limit_` may be left out.

    Raises:
        ConfigurationError: One is written in another way.
    """
    for text in limits:
        name, equals, value = text.partition("=")
        if not equals:
            raise ConfigurationError(f"--limit {text}: write NAME=VALUE, such as daily_loss=0.03")
        yield name.strip().lower().removeprefix("limit_"), value.strip()
