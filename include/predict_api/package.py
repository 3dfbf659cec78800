"""Build what is deployed: the function's zip, the same bytes for the same files, and the template that names it."""

from __future__ import annotations

import zipfile
from pathlib import Path

FUNCTION = Path(__file__).with_name("function")
TEMPLATE = Path(__file__).with_name("predict-api.yaml")
PACKAGE = "predict_api"
"""The function's package in the zip; ``Handler`` in the template names it."""
ZIP = "predict-api.zip"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_READABLE_FILE = 0o100644


def build(folder: Path) -> tuple[Path, Path]:
    """Write the zip, and the template beside it; give both paths.

    :param folder: is made if it is not there.
    :raises OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    zip_file, template = folder / ZIP, folder / TEMPLATE.name
    with zipfile.ZipFile(zip_file, "w", zipfile.ZIP_DEFLATED) as made:
        for source in sorted(FUNCTION.glob("*.py")):
            entry = zipfile.ZipInfo(f"{PACKAGE}/{source.name}", _EPOCH)
            entry.external_attr = _READABLE_FILE << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, wherever it is built: the mode is Unix's
            # Line ends of the repository, whatever a checkout made of them.
            made.writestr(entry, source.read_bytes().replace(b"\r\n", b"\n"))
    template.write_bytes(TEMPLATE.read_bytes())
    return zip_file, template
