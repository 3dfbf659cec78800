"""Files whose bytes depend on nothing but their content, and which are left alone while that stays."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

_EPOCH = (1980, 1, 1, 0, 0, 0)
_READABLE_FILE = 0o100644
_UNIX = 3


def zip_bytes(entries: Mapping[str, bytes]) -> bytes:
    """Pack files so that the same files give the same bytes, on whatever machine and whenever.

    :param entries: the content of each file, by its path in the zip.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        for name in sorted(entries):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = _READABLE_FILE << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = _UNIX  # wherever it is built: the mode is Unix's
            made.writestr(entry, entries[name])
    return packed.getvalue()


def write_if_changed(path: Path, content: bytes) -> bool:
    """Write a file, or leave one alone that holds the same: `aws s3 sync` uploads what is newer than its copy.

    :return: whether it was written.
    :raises OSError: it cannot be written.
    """
    if path.is_file() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return True
