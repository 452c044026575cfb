"""Reads the SSH host key that a new machine printed on its console, which comes over AWS' own authenticated API.

python -m infrastructure.host_keys INSTANCE-ID     # prints `ssh-ed25519 AAAA...`; Pulumi accepts no other key
"""

# boto3 ships no types:
# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false
import argparse
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol, cast

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infrastructure.swarm.docker import run_command, say
from internal.errors import UnavailableError, UpstreamError

SECONDS = 600.0  # a machine prints its keys within two minutes, and the console shows them some minutes later
PAUSE_SECONDS = 5.0
KEYS = re.compile(r"-----BEGIN SSH HOST KEY KEYS-----(.*?)-----END SSH HOST KEY KEYS-----", re.DOTALL)
KEY = re.compile(r"ssh-ed25519 [A-Za-z0-9+/=]+")


class Console(Protocol):
    """What is used of AWS' client for EC2."""

    def get_console_output(self, **asked: str | bool) -> Mapping[str, str]:
        """The console of a machine; without `Output` while it has printed nothing."""
        ...


def find_host_key(text: str) -> str | None:
    """The key in what cloud-init has printed of a machine's keys; the last ones, or None before that."""
    printed = KEYS.findall(text)
    found = KEY.search(printed[-1]) if printed else None
    return found[0] if found else None


def read_console(console: Console, machine: str) -> str:
    """What a machine has printed. UpstreamError when AWS refuses to show it."""
    try:
        return console.get_console_output(InstanceId=machine, Latest=True).get("Output", "")
    except (BotoCoreError, ClientError) as error:
        raise UpstreamError(f"AWS shows no console of {machine}: {error}") from error


def wait_for_host_key(read: Callable[[], str], seconds: float = SECONDS, pause: float = PAUSE_SECONDS) -> str:
    """Read the console until it shows the key. UnavailableError when it does not in time."""
    deadline = time.monotonic() + seconds
    while (key := find_host_key(read())) is None:
        if time.monotonic() > deadline:
            raise UnavailableError(
                f"the console showed no SSH host key within {seconds:g} s: it prints them at the first start only; "
                "replace the machine with `pulumi up --replace URN`"
            )
        time.sleep(pause)
    return key


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the key; the exit status."""
    parser = argparse.ArgumentParser(prog="infrastructure.host_keys", description="A machine's SSH host key.")
    parser.add_argument("machine", help="its id at AWS, i-...")
    asked = parser.parse_args(arguments)
    console = cast("Console", boto3.client("ec2"))
    return run_command(lambda: say(wait_for_host_key(partial(read_console, console, asked.machine))))


if __name__ == "__main__":
    sys.exit(main())
