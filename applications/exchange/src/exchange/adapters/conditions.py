"""Builds the WHERE clause of a query from the filters that were given."""

from collections.abc import Iterable


class Conditions:
    """The parts of a WHERE clause with the values of their placeholders."""

    def __init__(self) -> None:
        self._parts = ["1"]
        self.values: list[str | int] = []

    @property
    def text(self) -> str:
        """All parts joined."""
        return " AND ".join(self._parts)

    def add(self, part: str, *values: str | int) -> None:
        """A condition with the values of its placeholders."""
        self._parts.append(part)
        self.values.extend(values)

    def add_if(self, part: str, value: str | int | None) -> None:
        """A condition on one value, unless that is None."""
        if value is not None:
            self.add(part, value)

    def add_any(self, column: str, values: Iterable[str] | None) -> None:
        """The column has one of the values, unless that is None."""
        if values is not None:
            given = sorted(values)
            self.add(f"{column} IN ({', '.join('?' * len(given))})", *given)
