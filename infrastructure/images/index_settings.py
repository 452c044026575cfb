"""How this machine reaches its package index: variables, pip's configuration and the bundle of authorities.

They are passed to the builder stage as two files and are in no image: see the head of the Dockerfile.
"""

import configparser
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

PASSED_ON = (
    "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_DEFAULT_TIMEOUT", "PIP_RETRIES",
    "UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_INSECURE_HOST", "UV_HTTP_TIMEOUT",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
)  # fmt: skip
BUNDLES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
BUNDLE_THERE = "/build-settings/authorities.pem"
PIP_FILES = ("/etc/pip.conf", "~/.pip/pip.conf", "~/.config/pip/pip.conf")  # the later wins, as in pip


def write(folder: Path, environment: Mapping[str, str]) -> None:
    """Write `environment`, a file for a shell to read, and `authorities.pem` where the machine names a bundle."""
    folder.mkdir()
    settings = {
        **dict(_from_pip(environment)),
        **{name: environment[name] for name in PASSED_ON if name in environment},
    }
    bundle = _bundle(environment)
    if bundle is not None:
        (folder / "authorities.pem").write_bytes(bundle.read_bytes())
        settings |= dict.fromkeys(("SSL_CERT_FILE", "PIP_CERT"), BUNDLE_THERE)
    lines = [f"{name}={shlex.quote(value)}\n" for name, value in sorted(settings.items())]
    (folder / "environment").write_text("".join(lines))


def _pip_files(environment: Mapping[str, str]) -> list[Path]:
    named = environment.get("PIP_CONFIG_FILE")
    return [Path(name).expanduser() for name in (*PIP_FILES, *([named] if named else []))]


def _pip_values(environment: Mapping[str, str]) -> Mapping[str, str]:
    """The section `[global]` of pip's configuration files."""
    found = configparser.ConfigParser(interpolation=None)
    found.read(_pip_files(environment))
    return dict(found["global"]) if found.has_section("global") else {}


def _from_pip(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for key, value in _pip_values(environment).items():
        name = f"PIP_{key.upper().replace('-', '_')}"
        if name in PASSED_ON:
            yield name, " ".join(value.split())


def _bundle(environment: Mapping[str, str]) -> Path | None:
    """The first bundle that is named and there."""
    named = [*(environment.get(name) for name in BUNDLES), _pip_values(environment).get("cert")]
    return next((Path(name) for name in named if name and Path(name).is_file()), None)
