"""The user agent with which the SEC asks every reader of EDGAR to name himself: a name and an e-mail address."""

import re

DECLARED = re.compile(r"\S.*\s\S+@\S+\.\S+")


def require_declared(text: str) -> str:
    """The text. Raises ValueError where it names nobody: EDGAR would answer 403."""
    if not DECLARED.fullmatch(text):
        raise ValueError("the SEC asks for a name and an e-mail address, such as Jane Doe jane@example.com")
    return text
