"""Files are replaced whole, or not at all."""

from pathlib import Path

import pytest

from internal.atomic_files import write_atomically
from internal.errors import ConfigurationError


def test_text_and_bytes_replace_the_old_content(tmp_path: Path) -> None:
    """The folder is made, the new content replaces the old, and no other file is left."""
    path = tmp_path / "folder" / "record.json"
    write_atomically(path, "é")
    assert path.read_bytes() == b"\xc3\xa9"
    write_atomically(path, b"\x00\xff")
    assert path.read_bytes() == b"\x00\xff"
    assert list(path.parent.iterdir()) == [path]


def test_only_the_owner_reads_a_secret(tmp_path: Path) -> None:
    """The mode is that of the file from its first byte on."""
    write_atomically(tmp_path / "keys", "secret", mode=0o600)
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_cannot_be_made_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    """The old content stays."""
    (tmp_path / "file").write_text("kept")
    with pytest.raises(ConfigurationError, match="FUND_HOME"):
        write_atomically(tmp_path / "file" / "record.json", "{}")
    assert (tmp_path / "file").read_text() == "kept"
