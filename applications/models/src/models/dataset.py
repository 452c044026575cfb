"""A dataset: the bars and details of a training, in a folder with a manifest of their digests."""

import json
import shutil
from dataclasses import asdict, dataclass
from datetime import date
from hashlib import file_digest
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import polars as pl

from internal.errors import FundError, UnavailableError

BARS: Final = "bars.parquet"
DETAILS: Final = "details.parquet"
MANIFEST: Final = "manifest.json"


class DatasetError(FundError):
    """A dataset is missing, incomplete or was changed after it was assembled."""

    status = 500
    title = "Dataset unusable"
    slug = "dataset"


@dataclass(frozen=True)
class Dataset:
    """The data that a model is trained on.

    Attributes:
        bars: Ticker, date, prices, volume, volume_weighted_average_price; adjusted as of `adjusted_as_of`.
        details: Frame `equity_details`; at least ticker, sector, industry.
        start: First day requested.
        end: Last session.
        adjusted_as_of: Splits and dividends up to this day are in the prices.
        bars_version: Version of the bars' table.
        report: The panel's report on the rows, as plain values.
    """

    bars: pl.DataFrame
    details: pl.DataFrame
    start: date
    end: date
    adjusted_as_of: date
    bars_version: int
    report: dict[str, Any]


def save_dataset(folder: Path, dataset: Dataset) -> None:
    """Write a dataset; an existing one is replaced only when the new one is complete.

    Raises:
        UnavailableError: The folder cannot be written, for example because the disk is full.
    """
    partial = folder.with_name(f".{folder.name}-{uuid4().hex}")
    try:
        partial.mkdir(parents=True)
        _write_parquet(partial / BARS, dataset.bars)
        _write_parquet(partial / DETAILS, dataset.details)
        (partial / MANIFEST).write_text(json.dumps(_manifest(partial, dataset), indent=2))
        _replace(folder, partial)
    except OSError as error:
        raise UnavailableError(
            f"the dataset {folder} cannot be written ({error.strerror}): free some disk space, or choose another folder"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write_parquet(path: Path, frame: pl.DataFrame) -> None:
    """Write through memory: Polars' own file writer raises the same error for a full disk and for an invalid frame."""
    content = BytesIO()
    frame.write_parquet(content)
    path.write_bytes(content.getbuffer())


def _replace(folder: Path, partial: Path) -> None:
    if not folder.exists():
        partial.rename(folder)
        return
    old = folder.with_name(f".{folder.name}-{uuid4().hex}")
    folder.rename(old)
    partial.rename(folder)
    shutil.rmtree(old)


def _manifest(folder: Path, dataset: Dataset) -> dict[str, Any]:
    plain = {name: value for name, value in asdict(dataset).items() if name not in {"bars", "details"}}
    dates = {name: plain[name].isoformat() for name in ("start", "end", "adjusted_as_of")}
    files = {name: _digest(folder / name) for name in (BARS, DETAILS)}
    return {**plain, **dates, "files": files}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def load_dataset(folder: Path) -> Dataset:
    """Read a dataset and check its files against the manifest.

    Raises:
        DatasetError: It is missing, incomplete, unreadable or was changed; the message says which file and what to do.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        for name, digest in manifest["files"].items():
            if _digest(folder / name) != digest:
                raise DatasetError(f"{folder / name} was changed after it was assembled: run `models assemble` again")
        return Dataset(
            bars=pl.read_parquet(folder / BARS),
            details=pl.read_parquet(folder / DETAILS),
            **{name: date.fromisoformat(manifest[name]) for name in ("start", "end", "adjusted_as_of")},
            bars_version=int(manifest["bars_version"]),
            report=dict(manifest["report"]),
        )
    except FileNotFoundError as error:
        raise DatasetError(f"{error.filename} is missing: run `models assemble` first") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, pl.exceptions.PolarsError) as error:
        raise DatasetError(f"the dataset {folder} cannot be read ({error!r}): run `models assemble` again") from error
