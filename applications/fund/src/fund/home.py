"""The folder that holds one fund: where everything lies and what it was opened with.

Knows paths, the opening options and the credentials of the loopback services. Knows nothing of processes or HTTP.
"""

import json
import os
import secrets
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Self

from internal.errors import ConfigurationError

SERVICES = ("exchange", "datamanager", "portfoliomanager")


@dataclass(frozen=True)
class Opening:
    """What a fund was opened with; it stays true for the life of its folder.

    Args:
        bars: A file of real bars that the exchange replays, or None for the simulated market.
        details: A file of tickers' sectors and industries, or None.
        seed: The simulated market's seed.
        tickers: The number of simulated tickers.
        session: The session at whose close the fund opened (ISO date), or None until the exchange has said so.
        start: The session at whose close it shall open (ISO date), or None for the market's own choice.
    """

    bars: str | None
    details: str | None
    seed: int
    tickers: int
    session: str | None = None
    start: str | None = None

    @property
    def opening_session(self) -> date:
        """The session at whose close the fund opened.

        Raises:
            ConfigurationError: The fund has not been opened yet.
        """
        if self.session is None:
            raise ConfigurationError("This fund has not been opened yet; run `fund up`.")
        return date.fromisoformat(self.session)

    def market(self) -> str:
        """The market in plain words."""
        return f"replay of {self.bars}" if self.bars else f"simulated, {self.tickers} tickers, seed {self.seed}"

    def same_market(self, other: Self) -> bool:
        """Whether both openings play the same market."""
        return replace(self, session=None) == replace(other, session=None)


@dataclass(frozen=True)
class Home:
    """Paths of one fund under its root folder (`FUND_HOME`, by default `./.fund`)."""

    root: Path

    @classmethod
    def from_environment(cls) -> Self:
        """The folder named by `FUND_HOME`, by default `./.fund`."""
        return cls(Path(os.environ.get("FUND_HOME", ".fund")).resolve())

    @property
    def lake(self) -> Path:
        """The Delta tables."""
        return self.root / "lake"

    @property
    def registry(self) -> Path:
        """The model artifacts."""
        return self.root / "registry"

    @property
    def processes(self) -> Path:
        """The record of the running processes."""
        return self.root / "processes.json"

    def state(self, service: str) -> Path:
        """The SQLite files of one service."""
        return self.root / service

    def log(self, service: str) -> Path:
        """The log file of one service."""
        return self.root / "logs" / f"{service}.log"

    def opening(self) -> Opening | None:
        """What this fund was opened with, None when it is new.

        Raises:
            ConfigurationError: The record is damaged.
        """
        path = self.root / "opening.json"
        if not path.exists():
            return None
        try:
            return Opening(**json.loads(path.read_text()))
        except (ValueError, TypeError) as error:
            raise ConfigurationError(
                f"{path} is damaged ({error}); set FUND_HOME to a new folder, or restore the file."
            ) from error

    def forget_opening(self) -> None:
        """Let the next run open anew."""
        (self.root / "opening.json").unlink(missing_ok=True)

    def save_opening(self, opening: Opening) -> None:
        """Write the opening options, whole or not at all."""
        write_whole(self.root / "opening.json", json.dumps(asdict(opening), indent=2))

    def credentials(self) -> dict[str, str]:
        """The random keys of this fund's loopback services, made once, readable by their owner alone."""
        path = self.root / "credentials.json"
        if not path.exists():
            made = {
                "api_key_id": "PK" + secrets.token_hex(9).upper(),
                "api_secret": secrets.token_urlsafe(30),
                "market_data_key": secrets.token_urlsafe(24),
                "fund_api_token": secrets.token_urlsafe(24),
            }
            write_whole(path, json.dumps(made), mode=0o600)
        stored: dict[str, str] = json.loads(path.read_text())
        return stored


def write_whole(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file so that a reader sees the old text or the new one, never a part.

    Raises:
        ConfigurationError: The folder cannot be written (full disk, permissions).
    """
    partial = path.with_suffix(".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise ConfigurationError(
            f"{path.parent} cannot be written ({error.strerror}); free some disk, or set FUND_HOME to another folder."
        ) from error
