"""A service whose models, journal and lease lie in a bucket."""

# pyright: reportUnknownMemberType=false
# boto3 ships no types.

from pathlib import Path

import boto3
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from applications.portfoliomanager.tests.portfoliomanager_kit import Service, World
from applications.portfoliomanager.tests.service_kit import register_baseline
from internal.model_registry import open_registry
from internal.settings import DataBucketSettings


def test_models_journal_and_lease_in_a_bucket(world: World, services: type[Service], tmp_path: Path) -> None:
    """Nothing but DATA_BUCKET is set: models lie beside the lake, and what another machine promotes is used at once."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    key, secret = "an-access-key", "hunter2"
    keys = {"AWS_ENDPOINT_URL": url, "DUCKDB_ACCESS_KEY": key, "DUCKDB_SECRET": secret}
    boto3.client(
        "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=secret
    ).create_bucket(Bucket="fund")
    variables = world.variables("bucket") | keys | {"DATA_BUCKET": "s3://fund/lake", "REGISTRY_DIRECTORY": ""}
    service = services("portfoliomanager", variables, world.folder / "bucket.log").start()
    try:
        unready = service.request("GET", "/ready").json()["checks"]["model"]
        settings = DataBucketSettings(
            data_bucket="s3://fund/lake",
            aws_endpoint_url=url,
            duckdb_access_key=SecretStr(key),
            duckdb_secret=SecretStr(secret),
        )
        registry = open_registry("s3://fund/lake/registry", settings.storage_options(), tmp_path / "elsewhere")
        day = world.session()
        version = register_baseline(world, tmp_path, day, registry)
        made = service.json("POST", "/predictions", json={"date": str(day)})
        ready = service.request("GET", "/ready").json()["checks"]
    finally:
        service.kill()
        server.stop()
    assert "s3://fund/lake/registry: run `models train`" in unready
    assert made["model_version"] == version
    assert ready["model"] == "ok"
    assert secret not in (world.folder / "bucket.log").read_text()
