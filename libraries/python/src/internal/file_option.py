"""The one reading of a path of bars or details on a command line: `typer.Option(parser=read_bars_path)`."""

from pathlib import Path
from typing import Final

from pydantic_core import PydanticCustomError

FILE: Final = "FILE"
FILE_OR_FOLDER: Final = "FILE|FOLDER"


def read_bars_path(text: str) -> Path:
    """A file or a folder that is there. Raises PydanticCustomError, which typer shows as it is worded."""
    if not Path(text).exists():
        raise PydanticCustomError(
            "bars",
            "there is no file or folder {path}. It takes daily bars as CSV or parquet, or a folder of such files: "
            "docs/your_own_bars.md",
            {"path": text},
        )
    return Path(text)


def read_details_path(text: str) -> Path:
    """A file that is there. Raises PydanticCustomError."""
    if not Path(text).is_file():
        raise PydanticCustomError(
            "details",
            "there is no file {path}. It takes the sectors and industries of the tickers as CSV or parquet: "
            "docs/your_own_bars.md",
            {"path": text},
        )
    return Path(text)
