"""Compares what the pages say that a command prints with what it has printed in CI: the words, not the figures."""

from infrastructure.documentation.blocks import Block

LEFT_OUT = "..."
FIGURE = "#"


def find_unprinted(block: Block, printed: str) -> list[str]:
    """The parts of a block, between blank lines and `...`, that a command has not printed.

    Lines may be broken elsewhere. A word with a digit, such as a figure, a date or a version, equals any other.
    """
    whole = f" {_normalize(printed)} "
    parts = [part for paragraph in block.text.split("\n\n") for part in paragraph.split(LEFT_OUT)]
    return [part.strip() for part in parts if part.strip() and f" {_normalize(part)} " not in whole]


def _normalize(text: str) -> str:
    return " ".join(FIGURE if any(map(str.isdigit, word)) else word for word in text.split())
