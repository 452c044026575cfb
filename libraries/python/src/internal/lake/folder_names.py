"""The rule for the path of a lake on disk: Polars must be able to read Delta tables under it."""

from urllib.parse import quote

from internal.errors import ConfigurationError

UNESCAPED = "/!$&'()*+,;=:@"  # beside letters, digits and -_.~: what the URL of a path has as it is


def require_readable(folder: str) -> str:
    """The folder. Raises ConfigurationError for a path that Polars cannot read a Delta table under.

    Delta tables list their files as URLs, and polars 2.1 takes an escaped character such as %20 for the name itself.
    """
    if quote(folder, safe=UNESCAPED) != folder:
        raise ConfigurationError(
            f"the lake cannot be in {folder}: use a path of letters, digits, '-', '_', '.' and '~', without spaces"
        )
    return folder
