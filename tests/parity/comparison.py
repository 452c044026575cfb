"""Compare two recordings of a case: every field of every row, exactly.

A difference fails the comparison, unless it is a note: prose that may be reworded, what is recorded for diagnosis only,
and a number that differs by no more than the last digits of its binary form (far below a cent or a share).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from parity.exceptions import DOCUMENTED, DocumentedDifference
from parity.recording import Recording
from parity.tables import BY_NAME, Row, Scalar, Table

ROUNDING = 1e-11  # relative to the number, or absolute below 1: a millionth of a cent in 1,000 dollars
WHOLE_ROW = "(row)"


class Kind(StrEnum):
    """What a difference means."""

    FAILURE = "difference"
    NOTE = "note"
    DOCUMENTED = "documented"


@dataclass(frozen=True)
class Difference:
    """One field of one row that is not what it was; a whole row has the field `(row)`.

    Args:
        case: The case's name.
        table: The table's name.
        row: The row's key.
        field: The field's name.
        before: The recorded value.
        after: The value of the new run.
        kind: Whether it fails the comparison.
    """

    case: str
    table: str
    row: tuple[Scalar, ...]
    field: str
    before: Scalar
    after: Scalar
    kind: Kind

    def sentence(self) -> str:
        """What differs, as a sentence."""
        row = " ".join(str(part) for part in self.row if part is not None)
        if self.field == WHOLE_ROW:
            return f"{self.case}: {self.table}, row {row}: recorded {self.before}, now {self.after}."
        return f"{self.case}: {self.table}, row {row}, field {self.field}: was {self.before!r}, is now {self.after!r}."


def compare(
    before: Recording, after: Recording, documented: Iterable[DocumentedDifference] = DOCUMENTED
) -> list[Difference]:
    """Every difference between the recording and a new run, table by table in the recording's order."""
    exceptions = tuple(documented)
    names = list(dict.fromkeys([*before.tables, *after.tables]))
    return [
        difference
        for name in names
        for difference in _Comparison(before.case, BY_NAME[name], exceptions).differences(
            before.tables.get(name, ()), after.tables.get(name, ())
        )
    ]


@dataclass(frozen=True)
class _Comparison:
    """The comparison of one table."""

    case: str
    table: Table
    documented: Sequence[DocumentedDifference]

    def differences(self, before: Sequence[Row], after: Sequence[Row]) -> list[Difference]:
        """Rows that are missing or additional, then fields that differ."""
        old, new = self._by_key(before), self._by_key(after)
        rows = [
            self._difference(key, WHOLE_ROW, _presence(present=key in old), _presence(present=key in new))
            for key in [*old, *new]
            if (key in old) != (key in new)
        ]
        fields = [
            self._difference(key, field, row.get(field), new[key].get(field))
            for key, row in old.items()
            if key in new
            for field in dict.fromkeys([*row, *new[key]])
            if not _same(row.get(field), new[key].get(field))
        ]
        return [*rows, *fields]

    def _by_key(self, rows: Sequence[Row]) -> dict[tuple[Scalar, ...], Row]:
        keyed = {tuple(row.get(field) for field in self.table.key): row for row in rows}
        if len(keyed) != len(rows):
            raise ValueError(f"{self.case}: {self.table.name} has two rows with the same {', '.join(self.table.key)}.")
        return keyed

    def _difference(self, row: tuple[Scalar, ...], field: str, before: Scalar, after: Scalar) -> Difference:
        name = self.table.name
        kind = Kind.FAILURE
        if self.table.diagnostic or field in self.table.noted or _is_rounding(before, after):
            kind = Kind.NOTE
        elif any(one.covers(self.case, name, field) for one in self.documented):
            kind = Kind.DOCUMENTED
        return Difference(self.case, name, row, field, before, after, kind)


def _presence(*, present: bool) -> str:
    return "present" if present else "absent"


def _same(before: Scalar, after: Scalar) -> bool:
    return before == after and isinstance(before, bool) == isinstance(after, bool)


def _is_rounding(before: Scalar, after: Scalar) -> bool:
    if not isinstance(before, float) or not isinstance(after, float):
        return False
    return abs(before - after) <= ROUNDING * max(1.0, abs(before))
