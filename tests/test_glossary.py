"""docs/glossary.md: sorted, each word once, and the name of every kind of model that the pages print."""

import re
from pathlib import Path

import pytest

from internal.baselines.catalogue import BASELINES
from internal.tft.network_model import KIND

GLOSSARY = (Path(__file__).parents[1] / "docs" / "glossary.md").read_text()
WORDS = re.findall(r"^\| ([^|]+) \| [^|]+ \|$", GLOSSARY, re.MULTILINE)[1:]  # without the head of the table


@pytest.mark.parametrize("kind", [*BASELINES, KIND])
def test_every_kind_of_model_is_explained(kind: str) -> None:
    """A page that prints "clocked volatility" can be looked up; a new kind needs its row."""
    assert kind.replace("_", " ") in WORDS


@pytest.mark.parametrize("word", ["leak gate", "slippage", "delay", "implementation shortfall", "rank", "eligible"])
def test_words_of_the_pages_are_explained(word: str) -> None:
    """Terms that a page shows without explaining them."""
    assert word in WORDS


def test_each_word_once_in_order() -> None:
    """Every line below the head is a row, and a reader finds it by the alphabet."""
    assert WORDS == sorted(set(WORDS), key=str.lower)
    assert len(WORDS) == GLOSSARY.count("\n| ") - 1
