"""The names that are fixed: images, Docker contexts, stacks, networks and secrets of the fund.

The tasks of maskfile.md, the stacks and the Pulumi program read them here, so that no name is written twice.

    python -m infrastructure.names secrets            # one name a line
    python -m infrastructure.names secrets ALPACA_API_SECRET   # 0 when that is one of the names, else 1
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType

IMAGES = (
    "pocketsizefund/datamanager",
    "pocketsizefund/portfoliomanager",
    "pocketsizefund/models",
    "pocketsizefund/exchange",
    "pocketsizefund/scheduler",
)
CONTEXTS = ("pocketsizefund-local", "pocketsizefund-production")
STACKS = ("infrastructure", "applications")
NETWORKS = ("public", "internal", "app-network")
SECRETS = (
    "GRAFANA_ADMIN_PASSWORD",
    "ALPACA_API_KEY_ID",
    "ALPACA_API_SECRET",
    "ALPACA_BASE_URL",
    "EDGAR_USER_AGENT",
    "DATA_BUCKET",
    "POLYGON_API_KEY",
    "DUCKDB_ACCESS_KEY",
    "DUCKDB_SECRET",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "GOOGLE_SERVICE_ACCOUNT_KEY",
    "WEIGHTS_AND_BIASES_API_KEY",
    "NOTIFICATION_URLS",
    "ALERT_WEBHOOK_URL",
)
GENERATED_SECRETS = (
    "FUND_API_TOKEN",  # the bearer token of everything that changes something
    "DASHBOARD_USERS",  # user and hashed password of the dashboards that have no login of their own
)
NAMES: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "images": IMAGES,
        "contexts": CONTEXTS,
        "stacks": STACKS,
        "networks": NETWORKS,
        "secrets": SECRETS + GENERATED_SECRETS,
    },
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the names of one kind, or say whether a name is one of them.

    Args:
        arguments: the kind, and optionally a name; the command line's by default.

    Returns:
        The exit status: 0, or 1 when the name is not one of that kind's.
    """
    parser = argparse.ArgumentParser(prog="infrastructure.names", description="The fund's fixed names.")
    parser.add_argument("kind", choices=sorted(NAMES))
    parser.add_argument("name", nargs="?", help="ask whether this is one of the names")
    asked = parser.parse_args(arguments)
    names = NAMES[asked.kind]
    if asked.name is None:
        sys.stdout.write("\n".join(names) + "\n")
        return 0
    if asked.name in names:
        return 0
    sys.stderr.write(f"'{asked.name}' is none of the {asked.kind}: {', '.join(names)}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
