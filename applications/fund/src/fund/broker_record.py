"""The record of which broker a fund's folder belongs to: its lake and its journal are those of one account."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from internal.atomic_files import write_atomically
from internal.errors import ConfigurationError
from internal.modes import Mode, mode_of


@dataclass(frozen=True)
class BrokerRecord:
    """What `fund run` wrote down when it opened the fund at a broker.

    Attributes:
        mode: The key `mode` of fund.toml.
        broker_url: The broker's address.
        account: The account's number, None until the broker has answered.
        trained: Whether the first model was trained.
        collected: The last session (ISO date) of the first collection, None until that was complete.
    """

    mode: Mode
    broker_url: str
    account: str | None = None
    collected: str | None = None
    trained: bool = False

    @property
    def at_stake(self) -> Mode:
        """Whose money the account holds, by its address: a paper fund may be played by a simulated exchange."""
        return mode_of(self.broker_url)

    def describe(self) -> str:
        """Whose fund it is."""
        return f"a {self.mode} fund, " + (f"account {self.account}" if self.account else "the broker was not asked yet")


def read_record(path: Path) -> BrokerRecord | None:
    """The record, None where the fund was not opened at a broker.

    Raises:
        ConfigurationError: The file is damaged.
    """
    if not path.exists():
        return None
    try:
        values = json.loads(path.read_text())
        return BrokerRecord(**(values | {"mode": Mode(values["mode"])}))
    except (ValueError, TypeError, KeyError) as error:
        raise ConfigurationError(f"{path} is damaged ({error}); restore it from a backup.") from error


def write_record(path: Path, record: BrokerRecord) -> None:
    """Write the record, whole."""
    write_atomically(path, json.dumps(asdict(record), indent=2), 0o600)
