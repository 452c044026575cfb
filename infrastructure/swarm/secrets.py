"""The Swarm's secrets: create, list, fill in what is missing, rotate.

A secret cannot be changed: a new value is a new secret under a new name with the same label, and services are moved
from the old one to the new one. Values come from standard input and go to the engine's standard input: they are in
no command line, no log and no message.

    echo "value" | python -m infrastructure.swarm.secrets create NAME   # rotate, settle, remove NAME; list; fill; empty
"""

import argparse
import secrets as randomness
import sys
from collections.abc import Mapping, Sequence
from functools import partial

from infrastructure.names import GENERATED_SECRETS, SECRETS
from infrastructure.swarm.convergence import wait_for
from infrastructure.swarm.credentials import NEEDED, SIMULATED, Credentials, dashboard_users
from infrastructure.swarm.docker import (
    DockerError,
    Json,
    docker,
    every,
    field,
    is_production,
    mounted,
    run_command,
    say,
)
from internal.errors import ConfigurationError
from internal.settings import require_long_token

LABEL = "pocketsizefund.secret"  # its value is the secret's name inside a service
BASE_LABEL = "pocketsizefund"  # "base": base up made it, base down removes it
NAMES = SECRETS + GENERATED_SECRETS
TOKEN = "FUND_API_TOKEN"  # noqa: S105 - the name of a secret
NOT_SET = "\n"  # the services read an empty secret as a setting that is not set


def present() -> dict[str, list[Json]]:
    """Every secret of the fund in the Swarm, by the name that services know it by, the newest last.

    One made by hand, `docker secret create NAME -`, has no label and counts by its name.
    """
    found: dict[str, list[Json]] = {}
    for secret in sorted(every("secret"), key=lambda one: str(one["CreatedAt"])):
        name = _labels(secret).get(LABEL, secret["Spec"]["Name"])
        if name in NAMES:
            found.setdefault(name, []).append(secret)
    return found


def _labels(secret: Json) -> dict[str, str]:
    return dict(secret["Spec"].get("Labels") or {})


def current_names() -> dict[str, str]:
    """The name in the Swarm of the newest secret of each kind: what a stack mounts."""
    return {name: str(versions[-1]["Spec"]["Name"]) for name, versions in present().items()}


def check_name(name: str) -> None:
    """Raise ConfigurationError with the names that exist, unless this is one of them."""
    if name not in NAMES:
        raise ConfigurationError(f"'{name}' is none of the secrets: {', '.join(NAMES)}")


def check_value(name: str, value: str) -> None:
    """Raise ConfigurationError for a value with which no service would start."""
    try:
        if name == TOKEN:
            require_long_token(value.strip())
    except ValueError as error:
        raise ConfigurationError(f"{name} is wrong: {error}; nothing was changed") from None


def make(name: str, value: str, labels: Mapping[str, str], *, known_as: str) -> None:
    """Make one secret in the Swarm."""
    options = [word for key, text in {LABEL: known_as, **labels}.items() for word in ("--label", f"{key}={text}")]
    docker("secret", "create", *options, name, "-", sent=value)


def create(name: str, value: str) -> None:
    """Make a secret that is not there yet, with the value that its owner gives. Raises ConfigurationError if it is."""
    check_name(name)
    if name in present():
        raise ConfigurationError(f'the Swarm has {name} already: echo "value" | mask secrets rotate {name}')
    make(name, value, {}, known_as=name)
    _remember(name, value)
    say(f"secret {name} made")


def _remember(name: str, value: str) -> None:
    """Keep a value that its owner gave if the tasks need it again; what was known of it before is not true any more."""
    kept = Credentials.of(production=is_production())
    if name in NEEDED:
        kept.keep(name, value)
    else:
        kept.forget({name})


def rotate(name: str, value: str) -> None:
    """Make a new version of a secret, move every service that mounts it, and remove the old ones.

    The suffix is random: a hash of the value in the name would let anyone who may list secrets try words against it.
    A service that does not come up with the new value is rolled back by its own rule; the old secret then stays.

    Raises:
        ConfigurationError: the Swarm does not have the secret.
        DockerError: a service did not come up with the new value.
    """
    check_name(name)
    old = present().get(name, [])
    if not old:
        raise ConfigurationError(f'the Swarm has no {name} yet: echo "value" | mask secrets create {name}')
    made = f"{name}-{randomness.token_hex(6)}"
    base = {BASE_LABEL: "base"} if _labels(old[-1]).get(BASE_LABEL) == "base" else {}
    make(made, value, base, known_as=name)
    say(f"secret {made} made")
    _move_all({str(one["Spec"]["Name"]) for one in old}, made, back=str(old[-1]["Spec"]["Name"]))
    _remember(name, value)
    for one in old:
        docker("secret", "rm", str(one["ID"]))
        say(f"secret {one['Spec']['Name']} removed")
    if name == "GRAFANA_ADMIN_PASSWORD" and "DASHBOARD_USERS" in present():
        rotate("DASHBOARD_USERS", dashboard_users(value))


def settle(name: str, value: str) -> None:
    """See that a secret has a value, whether it is there or not: what Pulumi asks for, which may find base up's own."""
    check_name(name)
    (rotate if name in present() else create)(name, value)


def _move_all(old: set[str], made: str, *, back: str) -> None:
    """Move every service, all at once, or none: when one does not come up, the others go back.

    At once, because until the last one has moved some of them know only the old value and some only the new one.
    """
    try:
        _move(every("service"), old, made)
    except DockerError:
        _move(every("service"), {made}, back)
        docker("secret", "rm", made)
        raise


def _move(services: Sequence[Json], old: set[str], new: str) -> None:
    """Mount the new secret where services mounted an old one, by one rolling update of each, and wait for their ends.

    Raises:
        DockerError: a service rolled back.
    """
    changes = {str(one["ID"]): words for one in services if (words := _change(one, old, new))}
    for identity, words in changes.items():
        docker("service", "update", "--quiet", "--detach", *words, identity)
    if changes:
        wait_for(*changes)
    for one in services:
        if one["ID"] in changes:
            say(f"service {one['Spec']['Name']} moved to {new}")


def _change(service: Json, old: set[str], new: str) -> list[str]:
    """The words of `docker service update` that mount a new secret in an old one's place; none if it mounts none."""
    words: list[str] = []
    for mount in [mount for mount in mounted(service["Spec"], "Secrets") if mount["SecretName"] in old]:
        file = field(mount, "File")
        where = f"target={file['Name']},uid={file['UID']},gid={file['GID']},mode={file['Mode']:04o}"
        words += ["--secret-rm", mount["SecretName"], "--secret-add", f"source={new},{where}"]
    return words


def remove(name: str) -> None:
    """Remove a secret in every version, and its value on this machine. Raises DockerError while a service mounts it."""
    check_name(name)
    for one in present().get(name, []):
        docker("secret", "rm", str(one["ID"]))
        say(f"secret {one['Spec']['Name']} removed")
    Credentials.of(production=is_production()).forget({name})


def fill() -> None:
    """Make what is missing: locally everything, for the simulated exchange; in production what nobody needs to choose.

    Raises:
        ConfigurationError: in production, the names of the secrets that their owner has to make.
    """
    production = is_production()
    there, kept = present(), Credentials.of(production=production)
    missing = [name for name in SECRETS if name not in there]
    if production and missing:
        commands = "; ".join(f'echo "value" | mask secrets create {name}' for name in missing)
        raise ConfigurationError(f"the production Swarm lacks secrets that only you can give: {commands}")
    values = local_values() if missing else {}
    for name in missing:
        _fill_one(name, values[name], kept)
    if TOKEN not in there:
        _fill_one(TOKEN, randomness.token_urlsafe(32), kept)
    if "DASHBOARD_USERS" not in there:
        _fill_one("DASHBOARD_USERS", dashboard_users(_password(kept)), kept)
    say(f"secrets: {len(NAMES)} are there; the values that you may need are in {kept.path}")


def _fill_one(name: str, value: str, kept: Credentials) -> None:
    make(name, value, {BASE_LABEL: "base"}, known_as=name)
    if name in NEEDED + SIMULATED:
        kept.keep(name, value)
    say(f"secret {name} made")


def _password(kept: Credentials) -> str:
    """The dashboards' password, which nobody can read back from the Swarm."""
    password = kept.read().get("GRAFANA_ADMIN_PASSWORD")
    if password is None:
        raise ConfigurationError(
            "GRAFANA_ADMIN_PASSWORD was made elsewhere and its value is not known here, so that no credentials can be "
            'made for the other dashboards: give it again, echo "value" | mask secrets rotate GRAFANA_ADMIN_PASSWORD'
        )
    return password


def local_values() -> dict[str, str]:
    """A value for each secret that lets the fund run without any account, at the simulated exchange."""
    return {
        "GRAFANA_ADMIN_PASSWORD": randomness.token_urlsafe(18),
        "ALPACA_API_KEY_ID": "PK" + randomness.token_hex(9).upper(),
        "ALPACA_API_SECRET": randomness.token_urlsafe(30),
        "ALPACA_BASE_URL": "http://exchange:8090",
        "EDGAR_USER_AGENT": "A fund without accounts admin@example.com",  # the exchange takes any
        "DATA_BUCKET": "/lake",
        "POLYGON_API_KEY": randomness.token_urlsafe(24),
        "DUCKDB_ACCESS_KEY": NOT_SET,
        "DUCKDB_SECRET": NOT_SET,
        "AZURE_STORAGE_ACCOUNT_KEY": NOT_SET,
        "GOOGLE_SERVICE_ACCOUNT_KEY": NOT_SET,
        "NOTIFICATION_URLS": NOT_SET,
        "ALERT_WEBHOOK_URL": NOT_SET,
        "WEIGHTS_AND_BIASES_API_KEY": NOT_SET,
    }


def empty() -> None:
    """Remove the secrets that `fill` made, and their values on this machine; those that their owner made stay."""
    ours = every("secret", f"label={BASE_LABEL}=base")
    for secret in ours:
        docker("secret", "rm", str(secret["ID"]))
        say(f"secret {secret['Spec']['Name']} removed")
    Credentials.of(production=is_production()).forget({_labels(secret)[LABEL] for secret in ours})
    if left := present():
        say(f"secrets that you made stay: {', '.join(left)}")


def show() -> None:
    """One line a secret: its name, and the name of what the Swarm has for it, or that it is missing."""
    there = present()
    for name in NAMES:
        versions = [f"{one['Spec']['Name']}, made {str(one['CreatedAt'])[:19]}" for one in there.get(name, [])]
        say(f"{name:<28} {'; '.join(versions) or 'missing'}")


def read_value() -> str:
    """The value on standard input without the newline that `echo` ends it with. Raises ConfigurationError for none."""
    value = "" if sys.stdin.isatty() else sys.stdin.read().removesuffix("\n")
    if not value:
        raise ConfigurationError('the value is read from standard input: echo "value" | mask secrets create NAME')
    return value


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the commands; the exit status."""
    parser = argparse.ArgumentParser(prog="infrastructure.swarm.secrets", description="The Swarm's secrets.")
    commands = parser.add_subparsers(dest="command", required=True)
    whole = {"list": show, "fill": fill, "empty": empty}
    named = ("create", "rotate", "settle", "remove")
    for command in (*whole, *named):
        commands.add_parser(command)
    for command in named:
        commands.choices[command].add_argument("name")
    asked = parser.parse_args(arguments)
    if asked.command in whole:
        return run_command(whole[asked.command])
    if asked.command == "remove":
        return run_command(partial(remove, asked.name))
    return run_command(partial(_with_value, asked.command, asked.name))


def _with_value(command: str, name: str) -> None:
    check_name(name)
    value = read_value()
    check_value(name, value)
    {"create": create, "rotate": rotate, "settle": settle}[command](name, value)


if __name__ == "__main__":
    sys.exit(main())
