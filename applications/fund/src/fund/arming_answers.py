"""The JSON that portfoliomanager answers about arming a live account."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel

from internal.modes import Mode
from internal.strategies.parameter_text import write_parameters


class StoredArming(BaseModel):
    """The last arming."""

    armed_at: datetime
    armed_by: str
    expires_at: datetime
    dry_run_through: date
    evidence_waived: str


class ArmingAnswer(BaseModel):
    """What would be traded with real money, and whether it may be: `GET /arming`."""

    mode: Mode
    armed: bool
    problem: str | None
    exits: bool
    strategy: str
    parameters: dict[str, Any]
    capital: str
    limits: dict[str, float]
    digest: str
    evidence_name: str
    evidence_is_enough: bool
    verdict: list[str]
    last: StoredArming | None

    def describe_trading(self) -> list[str]:
        """What would be traded, within which limits, and what speaks for it, in lines."""
        parameters = write_parameters(self.parameters)
        enough = "is enough" if self.evidence_is_enough else f"is NOT enough for {self.evidence_name}"
        return [
            f"strategy: {self.strategy} ({parameters or 'no parameters'})",
            f"capital: {self.capital or 'the whole account'}",
            "limits: " + ", ".join(f"{name} {value:g}" for name, value in self.limits.items()),
            f"evidence of {self.evidence_name}: {' '.join(self.verdict)}",
            f"The evidence {enough}.",
        ]

    def describe_state(self) -> list[str]:
        """Whether orders are sent, until when, and who said so, in lines."""
        if self.mode is not Mode.LIVE:
            return [f"{self.mode.banner}: no real money is at stake, and nothing has to be armed."]
        if self.problem is not None or self.last is None:
            sent = "only exits are" if self.exits else "nothing is"
            return [f"{self.mode.banner}: {sent} sent: {self.problem}"]
        waived = f", without evidence for {self.last.evidence_waived}" if self.last.evidence_waived else ""
        until = f"{self.last.expires_at:%Y-%m-%d %H:%M} UTC"
        return [
            f"{self.mode.banner}: armed until {until} by {self.last.armed_by}{waived}.",
            f"The orders of sessions up to {self.last.dry_run_through} are a dry run: shown, and not sent.",
        ]
