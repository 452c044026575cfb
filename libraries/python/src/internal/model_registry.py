"""Opens the registry of models where its address says: a folder, or a bucket that several machines share.

Knows both kinds and where copies go. Knows no setting.
"""

from collections.abc import Mapping
from pathlib import Path

from internal.lake.objects import Objects
from internal.tft.registry import Registry
from internal.tft.shared_registry import SharedRegistry


def open_registry(address: str, storage_options: Mapping[str, str], copies: Path) -> Registry:
    """The registry at an address.

    Args:
        address: A folder, or `s3://bucket/prefix`.
        storage_options: `ObjectStoreSettings.storage_options_for(address)`.
        copies: The folder of this machine's copies, used for a bucket alone.
    """
    if address.startswith("s3://"):
        return SharedRegistry(Objects(address, storage_options), address, copies)
    return Registry(Path(address))
