"""The cut-offs of a decision: down to which rank longs were opened, and from which rank on shorts were."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from internal.trading.decision_records import NameRecord
from internal.trading.enums import NameOutcome, Side


@dataclass(frozen=True, slots=True)
class RankCutoffs:
    """Where the ranking of a decision was cut.

    Attributes:
        count: Names that have a rank.
        last_long: The rank of the last long that was opened; None where none was.
        first_short: The rank of the first short that was opened; None where none was.
    """

    count: int
    last_long: int | None
    first_short: int | None

    @classmethod
    def of(cls, names: Iterable[NameRecord]) -> Self:
        """Find them among the names of a decision."""
        ranked = [(one, one.rank) for one in names if one.rank is not None]
        opened = [(one.row, rank) for one, rank in ranked if one.row and one.outcome is NameOutcome.OPENED]
        return cls(
            count=len(ranked),
            last_long=max((rank for row, rank in opened if row.side is Side.LONG), default=None),
            first_short=min((rank for row, rank in opened if row.side is Side.SHORT), default=None),
        )

    def explain(self, name: NameRecord) -> str:
        """The reason of a name; where others were preferred, its rank and the ranks that were opened."""
        if name.outcome is not NameOutcome.NOT_CHOSEN or name.rank is None:
            return name.reason
        return f"rank {name.rank} of {self.count}; {self.sentence}"

    @property
    def sentence(self) -> str:
        """How far longs and shorts were opened."""
        sides = [
            *([] if self.last_long is None else [f"longs were opened down to rank {self.last_long}"]),
            *([] if self.first_short is None else [f"shorts from rank {self.first_short} on"]),
        ]
        return ", ".join(sides) or "nothing was opened"
