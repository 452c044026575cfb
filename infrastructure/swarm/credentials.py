"""The values that a person or `mask test` needs again, in one file that only its owner can read.

`FUND_HOME/swarm/credentials.json` of the local Swarm, `production.json` of the production Swarm. Secrets cannot be
read back from a Swarm, so a value that is not in this file is lost unless its owner kept it.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import bcrypt

from internal.atomic_files import write_atomically

DASHBOARD_USER = "admin"
NEEDED = ("GRAFANA_ADMIN_PASSWORD", "FUND_API_TOKEN")
SIMULATED = ("ALPACA_API_KEY_ID", "ALPACA_API_SECRET")  # of the simulated exchange; real keys stay with their owner


@dataclass(frozen=True)
class Credentials:
    """The file of one Swarm, at `path`."""

    path: Path

    @classmethod
    def of(cls, *, production: bool, environment: Mapping[str, str] = os.environ) -> Self:
        """The file of the local Swarm, or of the production Swarm."""
        folder = Path(environment.get("FUND_HOME") or ".fund") / "swarm"
        return cls(folder / ("production.json" if production else "credentials.json"))

    def read(self) -> dict[str, str]:
        """Every value by its name; none where there is no file."""
        stored: dict[str, str] = json.loads(self.path.read_text()) if self.path.exists() else {}
        return stored

    def keep(self, name: str, value: str) -> None:
        """Keep a value, readable by its owner alone."""
        write_atomically(self.path, json.dumps(self.read() | {name: value}, indent=2), mode=0o600)

    def forget(self, names: set[str]) -> None:
        """Drop the values of secrets that were removed, and the file with the last."""
        left = {name: value for name, value in self.read().items() if name not in names}
        if left:
            write_atomically(self.path, json.dumps(left, indent=2), mode=0o600)
        else:
            self.path.unlink(missing_ok=True)


def dashboard_users(password: str) -> str:
    """The line of a htpasswd file for the dashboards' one user. bcrypt reads 72 bytes; longer passwords are refused.

    Raises:
        ValueError: the password is longer than that.
    """
    return f"{DASHBOARD_USER}:{bcrypt.hashpw(password.encode(), bcrypt.gensalt(10)).decode()}"
