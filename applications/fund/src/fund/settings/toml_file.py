"""Changes to `fund.toml` that leave everything else in it as it is, comments included."""

from enum import Enum
from pathlib import Path

import tomlkit
from tomlkit import TOMLDocument
from tomlkit.container import OutOfOrderTableProxy
from tomlkit.items import Table

from internal.atomic_files import write_atomically

HEAD = "Settings of this fund: docs/reference/fund_toml.md says what each key means. Secrets are files in secrets/."


def open_document(text: str) -> TOMLDocument:
    """The file's text as a document that can be changed; a new one says where the keys are described."""
    if text:
        return tomlkit.parse(text)
    document = tomlkit.document()
    document.add(tomlkit.comment(HEAD))
    return document


def set_value(document: TOMLDocument, section: str | None, key: str, value: object) -> None:
    """Set a key of a section (None: before the first section)."""
    plain = value.value if isinstance(value, Enum) else value
    if section is None:
        document[key] = plain
        return
    if section not in document:
        document[section] = tomlkit.table()
    table = document[section]
    if isinstance(table, Table | OutOfOrderTableProxy):
        table[key] = plain


def write_document(path: Path, document: TOMLDocument) -> None:
    """Write the file whole; only its owner may read it."""
    write_atomically(path, tomlkit.dumps(document), 0o600)
