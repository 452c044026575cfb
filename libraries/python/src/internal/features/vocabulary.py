"""Vocabularies: the numbers of tickers, sectors and industries; 0 is the unknown.

Numbers are stored in the artifact, so that they never change between runs.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from internal.errors import ArtifactError

UNKNOWN = 0


@dataclass(frozen=True)
class Vocabulary:
    """Names in the order of their numbers, the first being number 1."""

    names: tuple[str, ...]

    @classmethod
    def fit(cls, values: pl.Series) -> "Vocabulary":
        """The distinct values in alphabetical order; nulls are unknown and get no number."""
        return cls(tuple(values.drop_nulls().unique().sort().to_list()))

    @property
    def cardinality(self) -> int:
        """Numbers an embedding needs, the unknown included; at least two, as a network wants one beside the unknown."""
        return max(2, len(self.names) + 1)

    def encode(self, values: pl.Series) -> np.ndarray:
        """The numbers of the values, i32 [n]; 0 for null and for what is not in the vocabulary."""
        numbers = pl.Series(range(1, len(self.names) + 1), dtype=pl.Int32)
        encoded = values.replace_strict(
            pl.Series(self.names, dtype=pl.String), numbers, default=UNKNOWN, return_dtype=pl.Int32
        )
        return encoded.fill_null(UNKNOWN).to_numpy().astype(np.int32)


def vocabularies_from_json(stored: dict[str, list[str]]) -> dict[str, Vocabulary]:
    """Read stored vocabularies. Raises ArtifactError when a name occurs twice, which would shift every later number."""
    for variable, names in stored.items():
        if len(set(names)) != len(names):
            raise ArtifactError(f"the vocabulary of {variable} has a name twice")
    return {variable: Vocabulary(tuple(names)) for variable, names in stored.items()}
