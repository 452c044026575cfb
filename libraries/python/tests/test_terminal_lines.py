"""Lines of a terminal: no word is cut, and what goes elsewhere is not broken."""

from hypothesis import given
from hypothesis import strategies as st

from internal.terminal_lines import WHOLE, format_error, wrap

WORDS = st.lists(st.text("abc-/.", min_size=1, max_size=30), min_size=1, max_size=30)


@given(words=WORDS, width=st.integers(10, 80))
def test_no_word_is_cut(words: list[str], width: int) -> None:
    """The words are the same in the same order; a line is longer than the terminal only where one word is."""
    lines = wrap(" ".join(words), width)
    assert " ".join(lines).split() == words
    assert all(len(line) <= width or len(line.split()) == 1 for line in lines)


def test_what_goes_elsewhere_stays_whole() -> None:
    """A file or another program gets the lines as they were written."""
    assert wrap("one two\nthree", WHOLE) == ["one two", "three"]


def test_an_error_that_no_terminal_shows() -> None:
    """Pytest's standard error is none, so the error is one line, however long."""
    assert format_error("word " * 40 + "end") == "error: " + "word " * 40 + "end\n"
