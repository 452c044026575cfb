"""What keeps `fund.toml` from being read as TOML, in words: the line, what is wrong, and what to write."""

import re
from pathlib import Path

AT_LINE = re.compile(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)", re.DOTALL)
TEXT = 'a text is in quotes, as in capital = "50%"; a number, true and false are not'
SETTING = "write one setting a line, key = value, and each section as [name] on a line of its own"
UNCLOSED = ("the text has no closing quote", TEXT)
ADVICE = {
    "Invalid value": ("the value cannot be read", TEXT),
    r"Illegal character '\n'": UNCLOSED,
    "Unterminated string": UNCLOSED,
    'Expected "\'"': UNCLOSED,
    "Expected newline or end of document after a statement": ("something follows the value", TEXT),
    "Expected '=' after a key": ("there is no = behind the key", SETTING),
    "Expected ']' at the end of a table declaration": ("the section has no closing bracket", SETTING),
    "Invalid statement": ("this is no setting and no section", SETTING),
    "Cannot overwrite a value": ("this key was set before", "remove one of the two lines"),
    "Cannot declare": ("this section was there before", "put all its settings below the first one"),
}


def describe_syntax(path: Path, text: str, message: str) -> str:
    """What keeps the file from being read as TOML. message: As tomllib words it, in English, with the place."""
    found = AT_LINE.fullmatch(message)
    problem, lines = (found[1] if found else message), text.splitlines()
    number = int(found[2]) if found and found[2] else len(lines)
    shown = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    what, advice = next(
        (words for start, words in ADVICE.items() if problem.startswith(start)),
        (f"{problem[:1].lower()}{problem[1:]}", SETTING),
    )
    return f"{path}, line {number}: {what}: {shown}\n{advice[:1].upper()}{advice[1:]}."
