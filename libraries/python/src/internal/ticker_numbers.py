"""Finds the places of millions of tickers in a list of a few thousand. Pure.

A table of hashes gives the place, and the ticker is then compared with the one there. Those of the list whose slot
another one took are in a second table, of other hashes, and so on.
"""

import numpy as np
import polars as pl

SLOTS = 1 << 18  # of a table; of 3,400 listed and 5,000 other tickers 65 share a slot


class TickerNumbers:
    """The places of tickers in a list.

    Args:
        tickers: The list; each once.
        seed: Of the hashes.
    """

    def __init__(self, tickers: pl.Series, seed: int = 0) -> None:
        self.count, self._seed = tickers.len(), seed
        numbers, slots = np.arange(self.count, dtype=np.uint32), self._find_slots(tickers).to_numpy()
        table = np.full(SLOTS, self.count, dtype=np.uint32)
        table[slots] = numbers
        is_displaced = table[slots] != numbers
        self._table = pl.Series(table)
        self._listed = pl.concat([tickers, pl.Series([None], dtype=pl.String)], rechunk=True)
        self._displaced = pl.Series(np.append(numbers[is_displaced], np.uint32(self.count)))
        self._rest = TickerNumbers(tickers.filter(pl.Series(is_displaced)), seed + 1) if is_displaced.any() else None

    def find(self, tickers: pl.Series) -> pl.Series:
        """The place of each ticker in the list, UInt32; the list's length for one that is not in it."""
        numbers = self._table.gather(self._find_slots(tickers))
        others = (tickers != self._listed.gather(numbers)).arg_true()  # null, not true, where the slot is empty
        if others.is_empty():
            return numbers
        if self._rest is None:
            return numbers.scatter(others, self.count)
        return numbers.scatter(others, self._displaced.gather(self._rest.find(tickers.gather(others))))

    def _find_slots(self, tickers: pl.Series) -> pl.Series:
        return tickers.hash(self._seed) & (SLOTS - 1)
