"""The folder of one fund: the paths of its parts, the market that it trades and its keys."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from fund.broker_record import BrokerRecord, read_record, write_record
from fund.market_settings import MarketSettings
from fund.strategy_choice import StrategyChoice
from internal.atomic_files import write_atomically
from internal.errors import ConfigurationError
from internal.lake.folder_names import require_readable
from internal.modes import Mode

PRIVATE_FOLDER, PRIVATE_FILE, PRIVATE_MASK = 0o700, 0o600, 0o077  # for the owner alone


@dataclass(frozen=True)
class Credentials:
    """The random keys of one fund's services, which listen on loopback only."""

    api_key_id: str
    api_secret: str
    market_data_key: str
    fund_api_token: str


@dataclass(frozen=True)
class FundFolder:
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
    def research(self) -> Path:
        """The ledger of trials, backtests and sweeps."""
        return self.root / "research"

    @property
    def settings_file(self) -> Path:
        """The settings of a fund that runs for real."""
        return self.root / "fund.toml"

    def make_private(self) -> None:
        """Make the folder where it is missing; only its owner may enter it."""
        try:
            self.root.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            self.root.chmod(PRIVATE_FOLDER)
        except OSError as error:
            raise ConfigurationError(
                f"{self.root} cannot be made private ({error.strerror}); set FUND_HOME to a folder of yours."
            ) from error

    @property
    def _record(self) -> Path:
        return self.root / "broker.json"

    @property
    def is_at_broker(self) -> bool:
        """Whether the fund was opened at a broker, whatever the record of it says."""
        return self._record.exists()

    def read_record(self) -> BrokerRecord | None:
        """Which broker the fund was opened at, None before that and for a fund on its own exchange."""
        return read_record(self._record)

    def save_record(self, record: BrokerRecord) -> None:
        """Write down which broker the fund was opened at."""
        write_record(self._record, record)

    def read_mode(self) -> Mode | None:
        """Whose money is at stake in this folder, None where no fund has opened."""
        record = self.read_record()
        if record is not None:
            return record.at_stake
        return None if self.read_opened_market() is None else Mode.SIMULATED

    def require_lake(self, data_bucket: str | None) -> None:
        """Check that the lake can be in this folder, unless it is at an address of its own.

        Raises:
            ConfigurationError: The folder's path has a character that no lake can be under.
        """
        if data_bucket is None:
            require_readable(str(self.lake))

    def require_mode(self, mode: Mode) -> None:
        """Check that no fund of another mode was opened here.

        Raises:
            ConfigurationError: One was: its bars, orders and books are not those of this account.
        """
        record = self.read_record()
        opened = record.mode if record is not None else self.read_mode()
        if opened is not None and opened is not mode:
            raise ConfigurationError(
                f"{self.root} holds a {opened} fund, and a {mode} fund has bars, orders and books of its own. Open it "
                f"in another folder: FUND_HOME=another-folder ./fund {'up' if mode is Mode.SIMULATED else 'init'}"
            )

    @property
    def processes(self) -> Path:
        """The record of the running processes."""
        return self.root / "processes.json"

    @property
    def _opening(self) -> Path:
        return self.root / "opening.json"

    @property
    def _strategy(self) -> Path:
        return self.root / "strategy.json"

    def read_strategy(self) -> StrategyChoice | None:
        """The strategy of the last run, None before the first.

        Raises:
            ConfigurationError: The file is damaged.
        """
        if not self._strategy.exists():
            return None
        try:
            return StrategyChoice.from_record(**json.loads(self._strategy.read_text()))
        except (ValueError, TypeError, AttributeError) as error:
            raise ConfigurationError(
                f"{self._strategy} is damaged ({error}); delete it, and name the strategy with STRATEGY=FILE.py:Class."
            ) from error

    def save_strategy(self, strategy: StrategyChoice) -> None:
        """Write the strategy that this fund trades; the next run without STRATEGY goes on with it."""
        write_atomically(self._strategy, json.dumps(strategy.as_record(), indent=2))

    def state(self, program: str) -> Path:
        """The folder of one service's SQLite files, or of the `models` commands' files."""
        return self.root / program

    @property
    def logs(self) -> Path:
        """The folder of the services' logs."""
        return self.root / "logs"

    def log(self, service: str) -> Path:
        """The log file of one service."""
        return self.logs / f"{service}.log"

    def read_market(self) -> MarketSettings | None:
        """The market that this fund was opened on, None when the fund is new.

        Raises:
            ConfigurationError: The file is damaged.
        """
        if not self._opening.exists():
            return None
        try:
            return MarketSettings(**json.loads(self._opening.read_text()))
        except (ValueError, TypeError) as error:
            raise ConfigurationError(
                f"{self._opening} is damaged ({error}); set FUND_HOME to a new folder, or restore the file."
            ) from error

    def read_opened_market(self) -> MarketSettings | None:
        """The market of a fund that has opened; one that never did binds its folder to nothing."""
        market = self.read_market()
        return None if market is None or market.session is None else market

    def save_market(self, market: MarketSettings) -> None:
        """Write the market that this fund trades."""
        write_atomically(self._opening, json.dumps(asdict(market), indent=2))

    def forget_market(self) -> None:
        """Delete the market settings, so that the next run opens a new fund here."""
        self._opening.unlink(missing_ok=True)

    @property
    def _credentials(self) -> Path:
        return self.root / "credentials.json"

    @property
    def has_credentials(self) -> bool:
        """Whether the keys were generated: a fund was opened here, or set up."""
        return self._credentials.exists()

    def credentials(self) -> Credentials:
        """The fund's keys, generated at the first call; only their owner may read the file."""
        path = self._credentials
        if not path.exists():
            generated = Credentials(
                api_key_id="PK" + secrets.token_hex(9).upper(),
                api_secret=secrets.token_urlsafe(30),
                market_data_key=secrets.token_urlsafe(24),
                fund_api_token=secrets.token_urlsafe(24),
            )
            write_atomically(path, json.dumps(asdict(generated)), mode=PRIVATE_FILE)
        return Credentials(**json.loads(path.read_text()))
