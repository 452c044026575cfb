"""The strategy of the chaos: opens, tops up, trims and closes names on both sides at random, the same for a day."""

from hashlib import sha256

from pocketsizefund import DAILY, Schedule, Situation, Strategy, Targets

__all__ = ["Drawn"]

LASTS = 3  # days between two draws of a name


class Drawn(Strategy):
    """Holds `names` names of equal rank whatever their prices: each name's draw changes every third day."""

    names: int = 10
    weight: float = 0.08
    schedule: Schedule = DAILY

    @property
    def history_sessions(self) -> int:
        """None."""
        return 0

    def decide(self, situation: Situation) -> Targets:
        """The names with the lowest draws; a third of them short, none of the same weight as the day before."""
        day = situation.day.toordinal()
        places = [place for place, opens in enumerate(situation.may_open) if opens]
        draws = {place: _draw(situation.tickers[place], day // LASTS) for place in places}
        weights: dict[str, float] = {}
        for place in sorted(places, key=lambda one: draws[one])[: self.names]:
            ticker = situation.tickers[place]
            is_short = bool(situation.may_short[place]) and _draw(ticker, "side") < 1 / 3
            size = self.weight * (0.7 + 0.6 * _draw(ticker, day))
            weights[ticker] = -size if is_short else size
        return Targets.of(weights, "drawn")


def _draw(*what: object) -> float:
    digest = sha256("|".join(map(str, what)).encode()).digest()
    return int.from_bytes(digest[:4]) / 2**32
