"""Folders of test servers: in memory where there is room, because a database is copied as thousands of small files."""

import os
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 (the folders in it have random names)
#: Bytes that must be free in memory.
ROOM = 4 << 30


def create_folder() -> Path:
    """Create a folder outside of pytest's, which the user of root's servers cannot enter."""
    has_room = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM
    folder = Path(tempfile.mkdtemp(prefix="qqetl-", dir=MEMORY if has_room else None))
    folder.chmod(0o711)
    return folder
