"""The environment variables of the services and of the `models` commands, for a fund at a broker."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from fund.addresses import Addresses
from fund.folder import FundFolder
from fund.market_settings import MarketSettings
from fund.service_environment import Environments, OfflineEnvironments, shared_variables
from fund.services import Service
from fund.settings.fund_settings import FundSettings, read_settings
from fund.settings.secrets import Secret, secret_variables
from fund.settings.variables import service_variables
from fund.stakes import choose_broker_url
from fund.strategy_choice import find_file
from internal.modes import Mode

LAKE_SECRETS: Final = (
    Secret.DUCKDB_ACCESS_KEY,
    Secret.DUCKDB_SECRET,
    Secret.AZURE_STORAGE_ACCOUNT_KEY,
    Secret.GOOGLE_SERVICE_ACCOUNT_KEY,
)
BROKER_SECRETS: Final = (Secret.ALPACA_API_KEY_ID, Secret.ALPACA_API_SECRET)
SECRETS_OF: Final[Mapping[str, tuple[Secret, ...]]] = {  # each process is given what it uses
    Service.DATAMANAGER: (*LAKE_SECRETS, *BROKER_SECRETS, Secret.POLYGON_API_KEY),
    Service.PORTFOLIOMANAGER: (*LAKE_SECRETS, *BROKER_SECRETS, Secret.NOTIFICATION_URLS),
    Service.SCHEDULER: (*LAKE_SECRETS, Secret.WEIGHTS_AND_BIASES_API_KEY),  # it starts trainings
    "models": (*LAKE_SECRETS, Secret.WEIGHTS_AND_BIASES_API_KEY),
}


def choose_environments(folder: FundFolder, addresses: Addresses) -> Environments:
    """Those of the fund that the folder's settings describe; without settings, of a fund on its own exchange."""
    settings = read_settings(folder.settings_file)
    if settings.mode is Mode.SIMULATED:
        market = MarketSettings(bars=None, details=None, seed=0, tickers=0)
        return OfflineEnvironments(folder, addresses, market, has_scheduler=True)
    return RealEnvironments(folder, addresses, settings, choose_broker_url(settings.mode))


@dataclass(frozen=True)
class RealEnvironments:
    """Those of a fund at a broker: the user's environment, completed by `fund.toml` and the files of the secrets.

    Args:
        folder: The fund's folder.
        addresses: Where the services listen.
        settings: The settings, which the environment has overridden already.
        broker_url: The broker's address.
        variables: The user's environment.
    """

    folder: FundFolder
    addresses: Addresses
    settings: FundSettings
    broker_url: str
    variables: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def of_service(self, service: Service) -> dict[str, str]:
        """The environment of a service. Raises ConfigurationError for a secret that others may read."""
        portfoliomanager = self.addresses.url(Service.PORTFOLIOMANAGER)
        return self._shared(service) | {
            "ALPACA_BASE_URL": self.broker_url,
            "PORTFOLIOMANAGER_URL": portfoliomanager,
            "SCHEDULER_URL": self.addresses.url(Service.SCHEDULER),
            "STRATEGY": find_file(self.settings.trading.strategy),
            "EVENT_SUBSCRIBERS": "" if service is Service.SCHEDULER else f"{portfoliomanager}/events",
            "RETRAIN_MODEL": self.settings.models.model_size.value,
            "MODELS_STATE_DIRECTORY": str(self.folder.state("models")),
        }

    def of_models(self) -> dict[str, str]:
        """The environment of a `models` command."""
        return self._shared("models")

    def _shared(self, program: str) -> dict[str, str]:
        withheld = set(Secret) - set(SECRETS_OF[program])
        secrets = secret_variables(self.folder.root, self.variables)
        inherited = {
            name: value for name, value in self.variables.items() if name.removesuffix("_FILE") not in withheld
        }
        own = {name: value for name, value in secrets.items() if name.removesuffix("_FILE") not in withheld}
        named = service_variables(self.settings)
        fixed = shared_variables(self.folder, self.addresses, program)
        chosen = {
            name: named[name] for name in ("DATA_BUCKET", "REGISTRY_DIRECTORY", "RESEARCH_DIRECTORY") if name in named
        }
        return inherited | named | own | fixed | chosen
