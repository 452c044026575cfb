"""The error of a file of bars or details that cannot be used."""

from internal.errors import InvalidRequestError


class TableFileError(InvalidRequestError):
    """The file cannot be used; the sentence names file, row, column, what was expected and what to do."""
