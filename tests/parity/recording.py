"""A recording: the tables of one case, and how they are kept in a file."""

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from parity.tables import Row, Scalar

RECORDED = Path(__file__).with_name("recorded")


@dataclass(frozen=True)
class StoredTable:
    """A table as a file holds it: the names of the fields once, then the values of each row."""

    fields: list[str]
    rows: list[list[Scalar]]


@dataclass(frozen=True)
class Recording:
    """What one run of a case did.

    Args:
        case: The case's name.
        tables: The rows of each table. A field that a row lacks is the same as a null.
    """

    case: str
    tables: Mapping[str, Sequence[Row]]

    def counts(self) -> dict[str, int]:
        """The number of rows of each table."""
        return {name: len(rows) for name, rows in self.tables.items()}


_FILE = TypeAdapter(dict[str, StoredTable])


def path_of(case: str, folder: Path = RECORDED) -> Path:
    """The file of a case."""
    return folder / f"{case}.json.gz"


def save(recording: Recording, folder: Path = RECORDED) -> Path:
    """Write the recording; the same recording gives the same bytes."""
    stored = {name: _stored(rows) for name, rows in recording.tables.items()}
    content = {name: {"fields": table.fields, "rows": table.rows} for name, table in stored.items()}
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    folder.mkdir(parents=True, exist_ok=True)
    path = path_of(recording.case, folder)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    return path


def load(case: str, folder: Path = RECORDED) -> Recording:
    """Read the recording of a case. Raises FileNotFoundError when there is none."""
    content = _FILE.validate_python(json.loads(gzip.decompress(path_of(case, folder).read_bytes())))
    tables = {
        name: [dict(zip(table.fields, row, strict=True)) for row in table.rows] for name, table in content.items()
    }
    return Recording(case, tables)


def _stored(rows: Sequence[Row]) -> StoredTable:
    fields = list(dict.fromkeys(field for row in rows for field in row))
    return StoredTable(fields, [[row.get(field) for field in fields] for row in rows])
