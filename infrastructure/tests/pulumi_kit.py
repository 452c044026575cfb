# Pulumi's mocks have no public way to recognise a secret or to await outputs, and incomplete types.
# pyright: reportPrivateUsage=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
"""Runs the Pulumi program against Pulumi's mocks, and records what it requests: inputs, options, exports."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import pulumi
from pulumi.runtime import mocks, rpc, set_all_config
from pulumi.runtime.stack import Stack
from pulumi.runtime.sync_await import _sync_await

SECRET_MARK = rpc._special_sig_key
GIVEN: Mapping[str, Mapping[str, Any]] = {
    "aws:ec2/eip:Eip": {"publicIp": "198.51.100.7"},
    "aws:iam/accessKey:AccessKey": {"secret": "made-by-aws"},
    "command:remote:Command": {"stdout": "SWMTKN-1-token", "stderr": ""},
    "command:local:Command": {"stdout": "ssh-ed25519 AAAA", "stderr": ""},
}  # by type: what the provider answers beside the inputs


@dataclass(frozen=True)
class Asked:
    """One resource as the program asked for it.

    Args:
        kind: its type token.
        name: its logical name.
        inputs: its inputs, by the provider's names; secrets unwrapped.
        secrets: the names of the inputs that hold a secret anywhere.
        options: the engine's request, with `protect`, `ignoreChanges`, `additionalSecretOutputs`, `dependencies`.
    """

    kind: str
    name: str
    inputs: Mapping[str, Any]
    secrets: frozenset[str]
    options: Any


class _Answers(mocks.Mocks):
    """What a provider would answer: the inputs, an id, and some addresses."""

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        return {"id": "ami-1", **args.args}, []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        addresses = {"privateIp": f"10.20.0.{len(args.name)}", "publicIp": f"203.0.113.{len(args.name)}"}
        given = addresses if args.typ == "aws:ec2/instance:Instance" else GIVEN.get(args.typ, {})
        names = {
            "arn": f"arn:aws:s3:::{args.name}-1",
            "bucket": f"{args.name}-1",
            "keyName": args.name,
            "name": args.name,
        }
        return f"{args.name}-id", {**names, **args.inputs, **given}


class Recorder(mocks.MockMonitor):
    """A mock engine that remembers each request."""

    def __init__(self) -> None:
        super().__init__(_Answers())
        self.asked: list[Asked] = []
        self.exports: dict[str, Any] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: ANN401, N802 - gRPC's own
        """Note the request, and answer as the mock engine does."""
        if request.custom:
            inputs = rpc.deserialize_properties(request.object)
            secrets = frozenset(name for name, value in inputs.items() if holds_secret(value))
            self.asked.append(Asked(request.type, request.name, unwrap(inputs), secrets, request))
        return super().RegisterResource(request)

    def of_kind(self, kind: str) -> dict[str, Asked]:
        """Return the resources of one type, such as `aws:ec2/instance:Instance`, by name."""
        return {one.name: one for one in self.asked if one.kind == kind}


def holds_secret(value: object) -> bool:
    """Say whether a value is marked as a secret, or holds one."""
    if isinstance(value, Mapping):
        held = cast("Mapping[str, object]", value)
        return held.get(SECRET_MARK) == rpc._special_secret_sig or any(map(holds_secret, held.values()))
    return isinstance(value, list) and any(map(holds_secret, cast("list[object]", value)))


def unwrap(value: Any) -> Any:  # noqa: ANN401 - any value of a resource
    """Return a value with the marks of secrets taken off."""
    if isinstance(value, Mapping):
        held = cast("Mapping[str, Any]", value)
        return unwrap(held["value"]) if SECRET_MARK in held else {key: unwrap(one) for key, one in held.items()}
    return [unwrap(one) for one in cast("list[Any]", value)] if isinstance(value, list) else value


def run_program(configuration: Mapping[str, str], secret_keys: Sequence[str] = ()) -> Recorder:
    """Run the program with a stack's configuration, and return what it asked for.

    Args:
        configuration: values by key without the project's name, lists and objects as JSON.
        secret_keys: the keys that are set with `--secret`.
    """
    from infrastructure.program import compose  # noqa: PLC0415 - pulumi_aws reads the present mocks as it is imported

    recorder = Recorder()
    asyncio.set_event_loop(
        asyncio.new_event_loop()
    )  # Pulumi takes the thread's own, which any earlier test may have ended
    pulumi.runtime.set_mocks(recorder.mocks, project="pocketsizefund", stack="test", preview=False, monitor=recorder)
    named = {key if ":" in key else f"pocketsizefund:{key}": value for key, value in configuration.items()}
    set_all_config(named, [f"pocketsizefund:{key}" for key in secret_keys])
    pulumi.runtime.test(compose)()
    root = pulumi.runtime.get_root_resource()
    assert isinstance(root, Stack)
    exports = root.outputs
    recorder.exports |= rpc.deserialize_properties(_sync_await(rpc.serialize_properties(exports, {})))
    return recorder
