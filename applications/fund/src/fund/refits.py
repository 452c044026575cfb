"""The record of a backtest's refits: which model was fitted after which session."""

import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from fund.folder import FundFolder
from internal.atomic_files import write_atomically
from internal.forecasting.registry import CHAMPION, Registry


@dataclass(frozen=True)
class Refit:
    """One fit of the model.

    Attributes:
        session: The last session whose bars it was fitted on (ISO date).
        version: The model's version in the registry.
        champion: Whether it became the champion.
        verdict: Sentences that compare it with the baselines on its held-out block.
    """

    session: str
    version: str
    champion: bool
    verdict: list[str]


def read_refits(folder: FundFolder) -> list[Refit]:
    """Every refit so far, the oldest first."""
    path = _path(folder)
    return [Refit(**row) for row in json.loads(path.read_text())] if path.exists() else []


def record_refit(folder: FundFolder, day: date) -> None:
    """Add the newest model of the registry, fitted on bars up to that session."""
    newest = Registry(folder.registry).list()[-1]
    refit = Refit(day.isoformat(), newest.version, CHAMPION in newest.aliases, newest.metrics["verdict"])
    write_atomically(_path(folder), json.dumps([asdict(row) for row in [*read_refits(folder), refit]], indent=2))


def _path(folder: FundFolder) -> Path:
    return folder.root / "refits.json"
