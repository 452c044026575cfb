"""The production stack against Pulumi's mocks: open ports, encryption, secrets and permissions."""

import json
import re
import shlex

import pulumi
import pytest
import yaml

from infrastructure.documentation.blocks import ROOT, read_blocks
from infrastructure.nodes import render_cloud_init
from infrastructure.tests.pulumi_kit import Asked, Recorder, run_program

INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
INSTANCE = "aws:ec2/instance:Instance"
REMOTE, LOCAL = "command:remote:Command", "command:local:Command"
SECRET_VALUES = {
    name: f"value-of-{name}"
    for name in (
        "GRAFANA_ADMIN_PASSWORD",
        "ALPACA_API_KEY_ID",
        "ALPACA_API_SECRET",
        "ALPACA_BASE_URL",
        "POLYGON_API_KEY",
    )
}
PRIVATE_KEY = "value-of-private-key"
CONFIGURATION = {
    "aws:region": "eu-central-1",
    "place": "aws",
    "workers": "2",
    "managerType": "t3.small",
    "workerType": "m7i.large",
    "sshCidrs": json.dumps(["203.0.113.0/24", "198.51.100.9/32"]),
    "sshPublicKey": "ssh-ed25519 AAAA",
    "sshPrivateKey": PRIVATE_KEY,
    "domain": "fund.example.org",
    "acmeEmail": "owner@example.org",
    **SECRET_VALUES,
}
SECRET_KEYS = ["sshPrivateKey", *SECRET_VALUES]


def run(**changes: str) -> Recorder:
    """Run the production program with some of its configuration changed; an empty text takes a key away."""
    configuration = {key: value for key, value in {**CONFIGURATION, **changes}.items() if value}
    return run_program(configuration, [key for key in SECRET_KEYS if key in configuration])


@pytest.fixture(scope="module")
def production() -> Recorder:
    """The production stack of two workers."""
    return run()


def read_set_up() -> tuple[dict[str, str], list[str]]:
    """What docs/production.md has its reader configure beside the committed file, and which of it is secret."""
    (block,) = (one for one in read_blocks(ROOT / "docs" / "production.md") if "pulumi config set" in one.text)
    committed = yaml.safe_load((ROOT / "infrastructure" / "Pulumi.production.yaml").read_text())["config"]
    found = {key.removeprefix("pocketsizefund:"): value for key, value in committed.items()}
    secrets = re.findall(r"[A-Z]+(?:_[A-Z]+)+", block.text)
    for words in (shlex.split(command) for command in block.commands if "config set" in command):
        key, *values = [word for word in words[3:] if not word.startswith("--")]
        found[key.removesuffix("[0]")] = [values[0]] if key.endswith("[0]") else "".join(values[:1])
        secrets += [key] if "--secret" in words else []
    found |= {name: "typed" for name in secrets if not found.get(name)}
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in found.items()}
    return texts, sorted(set(secrets))


def openings(recorder: Recorder) -> set[tuple[str, str, int | None, int | None, str]]:
    """Every way in: group, protocol, first and last port, and from where (a network, or a group's id)."""
    return {
        (
            rule.inputs["securityGroupId"],
            rule.inputs["ipProtocol"],
            rule.inputs.get("fromPort"),
            rule.inputs.get("toPort"),
            rule.inputs.get("cidrIpv4") or rule.inputs["referencedSecurityGroupId"],
        )
        for rule in recorder.of_kind(INGRESS).values()
    }


def test_every_way_in_is_listed(production: Recorder) -> None:
    """SSH from the configured networks, the web from everywhere, the Swarm among nodes, and nothing else."""
    expected = {
        ("nodes-id", "tcp", 22, 22, "203.0.113.0/24"),
        ("nodes-id", "tcp", 22, 22, "198.51.100.9/32"),
        ("edge-id", "tcp", 80, 80, "0.0.0.0/0"),
        ("edge-id", "tcp", 443, 443, "0.0.0.0/0"),
        ("nodes-id", "tcp", 2377, 2377, "nodes-id"),
        ("nodes-id", "tcp", 7946, 7946, "nodes-id"),
        ("nodes-id", "udp", 7946, 7946, "nodes-id"),
        ("nodes-id", "udp", 4789, 4789, "nodes-id"),
        ("nodes-id", "50", None, None, "nodes-id"),
    }
    assert expected == openings(production)
    groups = production.of_kind("aws:ec2/securityGroup:SecurityGroup").values()
    assert not any("ingress" in group.inputs for group in groups)


def test_first_set_up_of_the_page() -> None:
    """The commands of docs/production.md configure all that the program needs, under the names that it reads."""
    configuration, secrets = read_set_up()
    machines = run_program(configuration, secrets).of_kind(INSTANCE)
    assert len(machines) == 3, "a manager and two workers"
    assert set(configuration) - {*CONFIGURATION, "managers", "stacks", "imagePrefix"} == set()


def test_application_ports_open_only_where_configured() -> None:
    """With networks configured, 8080 and 8081 are open from them."""
    opened = openings(run(applicationCidrs=json.dumps(["192.0.2.0/24"])))
    assert {("edge-id", "tcp", port, port, "192.0.2.0/24") for port in (8080, 8081)} == {
        opening for opening in opened if opening[2] in {8080, 8081}
    }


@pytest.mark.parametrize("everywhere", ["0.0.0.0/0", "128.0.0.0/0"])
def test_ssh_from_everywhere_is_refused(everywhere: str) -> None:
    """SSH open to the world is a mistake that the program does not make, and neither is SSH from nowhere."""
    with pytest.raises(pulumi.RunError, match="sshCidrs"):
        run(sshCidrs=json.dumps([everywhere]))
    with pytest.raises(pulumi.RunError, match="sshCidrs"):
        run(sshCidrs="[]")


def test_nodes_are_as_many_and_as_large_as_configured(production: Recorder) -> None:
    """One manager and two workers by configuration; three managers when asked."""
    types = {name: node.inputs["instanceType"] for name, node in production.of_kind(INSTANCE).items()}
    assert types == {"manager-0": "t3.small", "worker-0": "m7i.large", "worker-1": "m7i.large"}
    assert {"manager-0", "manager-1", "manager-2"} == set(run(managers="3", workers="0").of_kind(INSTANCE))


@pytest.mark.parametrize("managers", ["2", "7"])
def test_managers_without_a_majority_are_refused(managers: str) -> None:
    """Raft wants an odd number of managers."""
    with pytest.raises(pulumi.RunError, match="managers must be one of"):
        run(managers=managers)


def test_every_node_asks_for_metadata_with_a_token_and_encrypts_its_disk(production: Recorder) -> None:
    """IMDSv2 on every node, out of reach of its containers; encrypted disks."""
    for node in production.of_kind(INSTANCE).values():
        assert node.inputs["metadataOptions"]["httpTokens"] == "required"
        assert node.inputs["metadataOptions"]["httpPutResponseHopLimit"] == 1
        assert node.inputs["rootBlockDevice"]["encrypted"] is True


def test_only_managers_are_at_the_edge(production: Recorder) -> None:
    """Traefik listens on managers; a worker has no port open to the web."""
    groups = {name: node.inputs["vpcSecurityGroupIds"] for name, node in production.of_kind(INSTANCE).items()}
    assert groups["manager-0"] == ["nodes-id", "edge-id"]
    assert groups["worker-0"] == groups["worker-1"] == ["nodes-id"]


def test_a_new_machine_image_replaces_no_node(production: Recorder) -> None:
    """A node holds state: neither a newer image nor another cloud-init replaces it."""
    for node in production.of_kind(INSTANCE).values():
        assert {"ami", "userData"} <= set(node.options.ignoreChanges)


def test_cloud_init_is_a_document_without_gaps_or_secrets(production: Recorder) -> None:
    """What a node is born with parses, installs an engine, and is the file with two names filled in."""
    document = yaml.safe_load(render_cloud_init("manager-0", "arm64"))
    assert document["hostname"] == "manager-0"
    assert "docker-ce" in document["packages"]
    assert "arch=arm64" in document["apt"]["sources"]["docker.list"]["source"]
    assert "signed-by=$KEY_FILE" in document["apt"]["sources"]["docker.list"]["source"]  # cloud-init's own name
    assert json.loads(document["write_files"][0]["content"])["no-new-privileges"] is True
    for node in production.of_kind(INSTANCE).values():
        assert node.inputs["userData"].startswith("#cloud-config\n")
        assert "userData" not in node.secrets


def test_nodes_join_over_private_addresses_with_a_secret_token(production: Recorder) -> None:
    """The Swarm is made and joined at the manager's private address; its token is secret wherever it goes."""
    commands = production.of_kind(REMOTE)
    private = production.of_kind(INSTANCE)["manager-0"].name
    address = f"10.20.0.{len(private)}"  # as the mocks answer
    assert f"ADDRESS={address}\n" in commands["swarm"].inputs["create"]
    assert "stdout" in commands["worker-token"].options.additionalSecretOutputs
    assert commands["worker-token"].inputs["logging"] == "none"
    for name in ("worker-0-joins", "worker-1-joins"):
        assert f"MANAGER={address}\n" in commands[name].inputs["create"]
        assert commands[name].inputs["stdin"] == "SWMTKN-1-token"
        assert "stdin" in commands[name].secrets
        assert "SWMTKN" not in commands[name].inputs["create"]


def test_each_node_is_known_by_its_host_key(production: Recorder) -> None:
    """Every connection has the key that its machine printed; it is read once a machine, and docker's ssh learns it."""
    machines = production.of_kind(INSTANCE)
    readers = {name: one for name, one in production.of_kind(LOCAL).items() if name.endswith("-host-key")}
    assert {f"{name}-host-key" for name in machines} == set(readers)
    for name in machines:
        command = readers[f"{name}-host-key"]
        assert command.inputs["create"].endswith(f"infrastructure.host_keys {name}-id")
        assert (command.inputs["triggers"], set(command.options.ignoreChanges)) == (
            [f"{name}-id"],
            {"create", "environment"},
        )
    assert all(one.inputs["connection"]["hostKey"] == "ssh-ed25519 AAAA" for one in production.of_kind(REMOTE).values())
    assert production.exports["known_hosts"] == "198.51.100.7 ssh-ed25519 AAAA"
    assert (
        production.of_kind(LOCAL)["context"].inputs["environment"]["KNOWN_HOSTS"] == production.exports["known_hosts"]
    )


def test_the_bucket_is_encrypted_versioned_and_closed(production: Recorder) -> None:
    """Encrypted at rest, every version kept for a while, no public access, nothing without TLS, not to be destroyed."""
    found = {one.kind.rpartition(":")[2]: one for one in production.asked if one.kind.startswith("aws:s3/")}
    encryption = found["BucketServerSideEncryptionConfiguration"].inputs["rules"][0]
    assert encryption["applyServerSideEncryptionByDefault"]["sseAlgorithm"] == "AES256"
    assert found["BucketVersioning"].inputs["versioningConfiguration"]["status"] == "Enabled"
    closed = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    assert all(found["BucketPublicAccessBlock"].inputs[name] is True for name in closed)
    assert all(one.options.protect for one in found.values())
    (statement,) = json.loads(found["BucketPolicy"].inputs["policy"])["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == ["arn:aws:s3:::lake-1", "arn:aws:s3:::lake-1/*"]


def test_the_key_reaches_one_prefix_of_one_bucket(production: Recorder) -> None:
    """The lake's key reads and writes objects under its prefix and lists that prefix; nothing else is allowed."""
    (policy,) = production.of_kind("aws:iam/userPolicy:UserPolicy").values()
    objects, listing = json.loads(policy.inputs["policy"])["Statement"]
    assert objects["Resource"] == "arn:aws:s3:::lake-1/lake/*"
    assert set(objects["Action"]) == {"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"}
    assert (listing["Action"], listing["Resource"]) == ("s3:ListBucket", "arn:aws:s3:::lake-1")
    assert listing["Condition"] == {"StringLike": {"s3:prefix": ["lake/*", "lake"]}}
    assert not production.of_kind("aws:iam/userPolicyAttachment:UserPolicyAttachment")


def test_the_bucket_and_its_key_become_secrets_of_the_swarm(production: Recorder) -> None:
    """What the services need of the bucket goes the way of every other secret, by standard input."""
    commands = production.of_kind(LOCAL)
    expected = {"DATA_BUCKET": "s3://lake-1/lake", "DUCKDB_ACCESS_KEY": "lake-id", "DUCKDB_SECRET": "made-by-aws"}
    assert expected == {name: commands[f"secret-{name}"].inputs["stdin"] for name in expected}


def test_no_secret_in_any_plain_value(production: Recorder) -> None:
    """Each secret value is only in inputs that are marked as secret, and in no export."""
    values = [*SECRET_VALUES.values(), PRIVATE_KEY, "made-by-aws", "SWMTKN-1-token"]
    seen = {value: places_of(value, production.asked) for value in values}
    assert all(seen.values()), "each value is used somewhere, else this test shows nothing"
    for places in seen.values():
        assert all(name in one.secrets for one, name in places)
    exported = json.dumps(production.exports)
    assert not [value for value in values if value in exported]


def places_of(value: str, asked: list[Asked]) -> list[tuple[Asked, str]]:
    """The inputs that hold a text."""
    return [(one, name) for one in asked for name, held in one.inputs.items() if value in json.dumps(held)]


def test_the_context_reaches_the_manager_and_everything_uses_it(production: Recorder) -> None:
    """The docker context is the first manager's fixed address; every further command runs through it."""
    commands = production.of_kind(LOCAL)
    environment = commands["context"].inputs["environment"]
    assert (environment["NAME"], environment["ENGINE"]) == ("pocketsizefund-production", "ssh://admin@198.51.100.7")
    on_the_swarm = {name for name in commands if name != "context" and not name.endswith("-host-key")}
    others = [commands[name].inputs["environment"] for name in on_the_swarm]
    assert {"pocketsizefund-production"} == {environment["DOCKER_CONTEXT"] for environment in others}
    assert {"eu-central-1"} == {environment["AWS_REGION"] for environment in others}


def test_the_name_is_entered_only_where_a_zone_is_configured(production: Recorder) -> None:
    """DNS is left alone without a zone; with one, the domain is the managers' address."""
    record = "aws:route53/record:Record"
    assert not production.of_kind(record)
    (entered,) = run(zoneId="Z1").of_kind(record).values()
    assert (entered.inputs["name"], entered.inputs["records"]) == ("fund.example.org", ["198.51.100.7"])


@pytest.mark.parametrize("missing", ["POLYGON_API_KEY", "domain", "sshPrivateKey", "sshCidrs"])
def test_what_is_missing_is_named(missing: str) -> None:
    """Without a value that production needs, the program makes nothing and names it."""
    with pytest.raises(pulumi.RunError, match=missing):
        run(**{missing: ""})


def test_the_bucket_cannot_be_configured_as_a_secret() -> None:
    """A configured lake beside the one that is made would be one too many."""
    with pytest.raises(pulumi.RunError, match="DATA_BUCKET is made with the bucket"):
        run(DATA_BUCKET="s3://another/lake")
