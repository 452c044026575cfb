"""Where the Swarm is reached from outside, through Traefik: addresses of services and dashboards, and credentials."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from infrastructure.swarm.credentials import DASHBOARD_USER, Credentials
from infrastructure.swarm.variables import settings
from internal.errors import ConfigurationError


@dataclass(frozen=True)
class Entrance:
    """The public addresses of one Swarm.

    Args:
        dashboards: The base URL of the dashboards.
        datamanager: The base URL of datamanager.
        portfoliomanager: The base URL of portfoliomanager.
        exchange: The base URL of the simulated exchange; empty where there is none.
        scheduler: The base URL of the scheduler; empty where there is none.
        password: The dashboards' password.
        token: The bearer token of what changes something.
    """

    dashboards: str
    datamanager: str
    portfoliomanager: str
    exchange: str
    scheduler: str
    password: str
    token: str

    @classmethod
    def of(cls, *, production: bool, environment: Mapping[str, str] = os.environ) -> Self:
        """The addresses of the local Swarm, or of the one at `DOMAIN`.

        Raises:
            ConfigurationError: its credentials are not known on this machine.
        """
        values, kept = (
            settings(environment, production=production),
            Credentials.of(production=production, environment=environment),
        )
        known = kept.read()
        given = {
            name: environment.get(name) or known.get(name) for name in ("GRAFANA_ADMIN_PASSWORD", "FUND_API_TOKEN")
        }
        if missing := [name for name, value in given.items() if not value]:
            raise ConfigurationError(f"{' and '.join(missing)}: neither in {kept.path} nor in the environment")
        scheme, host = ("https", values["DOMAIN"]) if production else ("http", values["SWARM_ADDRESS"])
        front = f"{scheme}://{host}:{values['HTTPS_PORT' if production else 'HTTP_PORT']}"
        return cls(
            dashboards=front,
            datamanager=f"{scheme}://{host}:{values['DATAMANAGER_PORT']}",
            portfoliomanager=f"{scheme}://{host}:{values['PORTFOLIOMANAGER_PORT']}",
            exchange="" if production else f"{front}/exchange",
            scheduler=f"{front}/scheduler" if production else "",
            password=str(given["GRAFANA_ADMIN_PASSWORD"]),
            token=str(given["FUND_API_TOKEN"]),
        )

    @property
    def reader(self) -> tuple[str, str]:
        """User and password of the dashboards."""
        return DASHBOARD_USER, self.password
