"""Settings: environment, then named files, then the secrets' directory; wrong ones are named, without their value."""

# pydantic-settings reads required fields from the environment:
# pyright: reportCallIssue=false

import os
from pathlib import Path

import pytest
from pydantic import AliasChoices, Field, SecretStr

from internal import settings
from internal.errors import ConfigurationError
from internal.settings import DataBucketSettings, ServiceSettings


class BrokerSettings(DataBucketSettings, ServiceSettings):
    """A service's settings with a required secret of two names, and a number."""

    alpaca_api_key_id: SecretStr = Field(validation_alias=AliasChoices("ALPACA_API_KEY_ID", "APCA_API_KEY_ID"))
    requests_per_minute: int = 5


REQUIRED = {"STATE_DIRECTORY": "state", "DATA_BUCKET": "lake", "ALPACA_API_KEY_ID": "PKone"}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An empty environment but for what is required, and an empty secrets' directory."""
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(settings, "SECRETS_DIRECTORY", str(tmp_path / "secrets"))
    return monkeypatch


def write(path: Path, text: str) -> str:
    """A file with this text; its path."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return str(path)


def test_environment_and_defaults() -> None:
    """What is set is read in its type; the rest has defaults."""
    found = BrokerSettings()
    assert found.state_directory == Path("state")
    assert found.alpaca_api_key_id.get_secret_value() == "PKone"
    assert (found.event_subscribers, found.log_format, found.requests_per_minute) == ([], "json", 5)
    assert found.fund_api_token.get_secret_value() == ""


def test_either_name_sets_a_field(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The second name works, also as a file and as a secret."""
    environment.delenv("ALPACA_API_KEY_ID")
    environment.setenv("APCA_API_KEY_ID", "PKtwo")
    assert BrokerSettings().alpaca_api_key_id.get_secret_value() == "PKtwo"
    environment.delenv("APCA_API_KEY_ID")
    environment.setenv("APCA_API_KEY_ID_FILE", write(tmp_path / "key", " PKthree\n"))
    assert BrokerSettings().alpaca_api_key_id.get_secret_value() == "PKthree"
    environment.delenv("APCA_API_KEY_ID_FILE")
    write(tmp_path / "secrets" / "APCA_API_KEY_ID", "PKfour\n")
    assert BrokerSettings().alpaca_api_key_id.get_secret_value() == "PKfour"


def test_an_empty_secret_is_not_set(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A Swarm secret cannot be empty, so that one newline means none; a required setting is then missing."""
    write(tmp_path / "secrets" / "FUND_API_TOKEN", "\n")
    assert "fund_api_token" not in BrokerSettings().model_fields_set
    environment.delenv("ALPACA_API_KEY_ID")
    write(tmp_path / "secrets" / "ALPACA_API_KEY_ID", "\n")
    with pytest.raises(ConfigurationError, match="ALPACA_API_KEY_ID is not set"):
        BrokerSettings()


def from_source(name: str) -> str:
    """A token that says where it was set."""
    return f"from-{name}".ljust(32, ".")


def test_environment_wins_over_file_over_secret(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The nearest source counts; an empty variable is none."""
    write(tmp_path / "secrets" / "FUND_API_TOKEN", from_source("secret"))
    assert BrokerSettings().fund_api_token.get_secret_value() == from_source("secret")
    environment.setenv("FUND_API_TOKEN_FILE", write(tmp_path / "token", from_source("file")))
    assert BrokerSettings().fund_api_token.get_secret_value() == from_source("file")
    environment.setenv("FUND_API_TOKEN", from_source("environment"))
    assert BrokerSettings().fund_api_token.get_secret_value() == from_source("environment")
    environment.setenv("FUND_API_TOKEN", "")
    assert BrokerSettings().fund_api_token.get_secret_value() == from_source("file")


@pytest.mark.parametrize("length", [1, 31, 32])
def test_a_token_has_32_characters(length: int, environment: pytest.MonkeyPatch) -> None:
    """A shorter one is refused with what to do, and not repeated: sessions are signed with what follows from it."""
    environment.setenv("FUND_API_TOKEN", "7" * length)
    if length == 32:
        assert BrokerSettings().fund_api_token.get_secret_value() == "7" * 32
        return
    with pytest.raises(
        ConfigurationError, match=r"FUND_API_TOKEN is wrong: it has fewer than 32.*openssl rand"
    ) as raised:
        BrokerSettings()
    assert "7" not in raised.value.detail


def test_arguments_win_by_field_name() -> None:
    """A test or `fund` gives values directly."""
    found = BrokerSettings(state_directory="other", alpaca_api_key_id="PKfive")
    assert found.state_directory == Path("other")
    assert found.alpaca_api_key_id.get_secret_value() == "PKfive"


def test_other_files_are_left_alone(environment: pytest.MonkeyPatch) -> None:
    """`SSL_CERT_FILE` names no setting of ours, and is not opened."""
    environment.setenv("SSL_CERT_FILE", "/nowhere")
    assert BrokerSettings().data_bucket == "lake"


def test_missing_settings_say_what_to_do(environment: pytest.MonkeyPatch) -> None:
    """Every missing one is named at once, by its first name."""
    environment.delenv("ALPACA_API_KEY_ID")
    environment.delenv("STATE_DIRECTORY")
    with pytest.raises(ConfigurationError) as raised:
        BrokerSettings()
    assert "ALPACA_API_KEY_ID is not set: set it in the environment, or put it in a file" in raised.value.detail
    assert "STATE_DIRECTORY is not set" in raised.value.detail
    assert "DATA_BUCKET" not in raised.value.detail


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REQUESTS_PER_MINUTE", "hunter2"),
        ("LOG_FORMAT", "hunter2"),
        ("EVENT_SUBSCRIBERS", "hunter2"),
        ("EVENT_SUBSCRIBERS", "http://user:hunter2@host/events"),
        ("EVENT_SUBSCRIBERS", "ftp://hunter2"),
    ],
)
def test_wrong_settings_are_named_without_values(name: str, value: str, environment: pytest.MonkeyPatch) -> None:
    """A value may be a secret put in the wrong place, so it is never repeated."""
    environment.setenv(name, value)
    with pytest.raises(ConfigurationError, match=f"{name} is wrong") as raised:
        BrokerSettings()
    assert "hunter2" not in raised.value.detail
    assert "PKone" not in str(raised.value.__cause__) + raised.value.detail


def test_unreadable_files_are_named(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A missing file, and one that is no text."""
    environment.setenv("FUND_API_TOKEN_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(ConfigurationError, match=r"FUND_API_TOKEN_FILE names .*nowhere, which cannot be read: No such"):
        BrokerSettings()
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    environment.setenv("FUND_API_TOKEN_FILE", str(tmp_path / "binary"))
    with pytest.raises(ConfigurationError, match="it is not text"):
        BrokerSettings()


def test_subscribers_are_a_list(environment: pytest.MonkeyPatch) -> None:
    """Separated by commas, spaces allowed."""
    environment.setenv("EVENT_SUBSCRIBERS", "http://a:8080, https://b/events,")
    assert BrokerSettings().event_subscribers == ["http://a:8080", "https://b/events"]


def test_storage_options(environment: pytest.MonkeyPatch) -> None:
    """None for a folder; keys, endpoint and create-only commits for a bucket."""
    assert BrokerSettings().storage_options() == {}
    environment.setenv("DATA_BUCKET", "s3://bucket/lake")
    environment.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9000")
    environment.setenv("DUCKDB_ACCESS_KEY", "key")
    environment.setenv("DUCKDB_SECRET", "hidden")
    assert BrokerSettings().storage_options() == {
        "AWS_REGION": "us-east-1",
        "AWS_CONDITIONAL_PUT": "etag",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9000",
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "hidden",
    }


def test_storage_options_of_other_clouds(environment: pytest.MonkeyPatch) -> None:
    """Azure's account and Google's key; without them the machine's role applies."""
    environment.setenv("DATA_BUCKET", "gs://bucket/lake")
    assert BrokerSettings().storage_options() == {}
    environment.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", "{}")
    assert BrokerSettings().storage_options() == {"google_service_account_key": "{}"}
    environment.setenv("DATA_BUCKET", "az://container/lake")
    environment.setenv("AZURE_STORAGE_ACCOUNT_NAME", "fund")
    environment.setenv("AZURE_STORAGE_ACCOUNT_KEY", "hidden")
    assert BrokerSettings().storage_options() == {"account_name": "fund", "account_key": "hidden"}
    assert {"{}", "hidden"} <= {secret.get_secret_value() for secret in BrokerSettings().secrets()}


def test_unknown_store(environment: pytest.MonkeyPatch) -> None:
    """An address in another store is refused; the sentence lists the schemes that are possible."""
    environment.setenv("DATA_BUCKET", "hdfs://cluster/lake")
    with pytest.raises(ConfigurationError, match=r"DATA_BUCKET is wrong: .*s3://, az://, gs://"):
        BrokerSettings()


def test_secrets_for_the_log() -> None:
    """Every secret that is set, and no empty one, which would mask everything."""
    assert [secret.get_secret_value() for secret in BrokerSettings().secrets()] == ["PKone"]
    assert "PKone" not in repr(BrokerSettings())


class OtherOrderSettings(ServiceSettings, DataBucketSettings):
    """The same bases the other way round."""


@pytest.mark.parametrize("settings_class", [BrokerSettings, OtherOrderSettings])
def test_order_of_bases_changes_nothing(settings_class: type[ServiceSettings], environment: pytest.MonkeyPatch) -> None:
    """An empty variable counts as not set, and a wrong value is never shown, whichever base comes first."""
    environment.setenv("DATA_BUCKET", "")
    with pytest.raises(ConfigurationError, match="DATA_BUCKET is not set"):
        settings_class()
    assert settings_class.model_config.get("hide_input_in_errors")
