"""The rules that the constructions by rank share: names, gross exposure, and what keeps them from trading too often."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PortfolioRules:
    """How ranked names become a portfolio.

    Attributes:
        names_per_side: Names held on each side at most.
        gross_exposure: Long plus short market value over capital. A name gets an equal part of its side at most, also
            where there are fewer names than places: few names make a small portfolio, not a concentrated one.
        exit_band: A held name is kept while its rank is within `exit_band` times its side's places; 1 for none.
        rebalance_threshold: A kept name's shares change only when its dollars differ from their target by more than
            this fraction of it, or where the sides would not be equal otherwise.
        weight_spread: A weight within a side is between 1 / spread and spread times the equal weight.
    """

    names_per_side: int = 10
    gross_exposure: float = 1.0
    exit_band: float = 1.5
    rebalance_threshold: float = 0.25
    weight_spread: float = 2.0

    def dollars_per_name(self, capital: float, sides: int) -> float:
        """The equal part of one name, where the gross exposure is divided among this many sides."""
        return capital * self.gross_exposure / (sides * max(self.names_per_side, 1))

    def exit_rank(self, places: int) -> int:
        """The last rank at which a held name is kept, of a side with so many places."""
        return round(self.exit_band * places)
