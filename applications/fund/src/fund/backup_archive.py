"""The format of a backup: which parts of the fund's folder it holds, and the manifest that comes first in it."""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from internal.modes import Mode

MANIFEST: Final = "manifest.json"
MANIFEST_BYTES: Final = 1024**2  # the largest that is read
FOLDERS: Final = ("lake", "registry")
REPORTED: Final = "portfoliomanager/reported_profits.json"
FILES: Final = ("fund.toml", "strategy.json", "opening.json", "broker.json", REPORTED)
KEPT: Final = ("secrets", "credentials.json", "exchange", "portfoliomanager/notifications", REPORTED)
"""What a restored folder takes over from the one that it replaces.

Its keys, the account of a simulated broker, and which messages its owner has got.
"""

Count = Annotated[int, Field(ge=0)]


class Manifest(BaseModel):
    """What a backup holds.

    Attributes:
        format: The version of this format.
        created_at: When it was made, by this machine's clock, UTC.
        code: The commit of the code that made it, or its package's version.
        mode: Whose money is at stake, None where no fund has opened.
        tables: The version of each table of the lake.
        files: How many files follow.
        bytes: Their size, unpacked.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    created_at: datetime
    code: str
    mode: Mode | None
    tables: dict[str, Count]
    files: Count
    bytes: Count

    def describe(self) -> str:
        """The backup in one sentence."""
        mode = f" of a {self.mode} fund" if self.mode is not None else ""
        return (
            f"backup{mode} of {self.created_at:%Y-%m-%d %H:%M} UTC: {len(self.tables)} tables, {self.files:,} files, "
            f"{self.bytes / 1024**2:,.1f} MiB, made by {self.code}"
        )
