"""Dataset folders: written completely, checked when read, with clear errors."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from models.dataset import Dataset, DatasetError, load_dataset, save_dataset
from models.missing_sectors import describe_missing_sectors

MakeDataset = Callable[[int, date, date], Dataset]


@pytest.fixture(name="dataset")
def _dataset(make_dataset: MakeDataset) -> Dataset:
    return make_dataset(2, date(2024, 1, 2), date(2024, 3, 28))


def test_round_trip(tmp_path: Path, dataset: Dataset) -> None:
    """A saved dataset is loaded unchanged; saving again replaces it and leaves no other file."""
    save_dataset(tmp_path / "dataset", dataset)
    save_dataset(tmp_path / "dataset", dataset)
    loaded = load_dataset(tmp_path / "dataset")
    assert loaded.bars.equals(dataset.bars)
    assert (loaded.start, loaded.end, loaded.bars_version, loaded.report) == (
        dataset.start,
        dataset.end,
        dataset.bars_version,
        dataset.report,
    )
    assert [path.name for path in tmp_path.iterdir()] == ["dataset"]


def test_missing_sectors_are_said(dataset: Dataset) -> None:
    """All known: nothing; one of two unknown: its name; none known, or a ticker without details: what to do."""
    assert describe_missing_sectors(dataset) is None
    unknown = dataset.details.with_columns(sector=pl.lit(None, pl.String))
    one = describe_missing_sectors(replace(dataset, details=pl.concat([dataset.details[:1], unknown[1:]])))
    assert one == "1 of 2 tickers have no known sector, the first is T01."
    for details in (unknown, unknown[:0]):
        said = describe_missing_sectors(replace(dataset, details=details))
        assert said is not None
        assert said.startswith("No ticker has a known sector")


def test_missing(tmp_path: Path) -> None:
    """The error of a missing dataset says to assemble one."""
    with pytest.raises(DatasetError, match="models assemble"):
        load_dataset(tmp_path / "none")


@pytest.mark.parametrize("name", ["bars.parquet", "details.parquet"])
def test_changed_file_is_named(tmp_path: Path, dataset: Dataset, name: str) -> None:
    """A changed byte and a missing file are detected."""
    save_dataset(tmp_path / "dataset", dataset)
    path = tmp_path / "dataset" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=f"{name} was changed"):
        load_dataset(tmp_path / "dataset")
    path.unlink()
    with pytest.raises(DatasetError, match=f"{name} is missing"):
        load_dataset(tmp_path / "dataset")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"files": {}}', '{"files": 3}'])
def test_damaged_manifest(tmp_path: Path, dataset: Dataset, content: str) -> None:
    """The error of a truncated or invalid manifest says what to do."""
    save_dataset(tmp_path / "dataset", dataset)
    (tmp_path / "dataset" / "manifest.json").write_text(content)
    with pytest.raises(DatasetError, match="models assemble"):
        load_dataset(tmp_path / "dataset")


def test_failed_write_keeps_the_old_dataset(tmp_path: Path, dataset: Dataset) -> None:
    """When the new dataset cannot be written, the old one remains and no part of the new one does."""
    save_dataset(tmp_path / "dataset", dataset)
    broken = Dataset(dataset.bars, dataset.details, dataset.start, dataset.end, dataset.end, 9, {"report": object()})
    with pytest.raises(TypeError):
        save_dataset(tmp_path / "dataset", broken)
    assert load_dataset(tmp_path / "dataset").bars_version == 4
    assert [path.name for path in tmp_path.iterdir()] == ["dataset"]
