"""Build what is deployed: the function's zip, the same bytes for the same files, and the template that names it."""

from __future__ import annotations

from pathlib import Path

from include.deployments.files import zip_bytes

FUNCTION = Path(__file__).with_name("function")
TEMPLATE = Path(__file__).with_name("predict-api.yaml")
PACKAGE = "predict_api"
"""The function's package in the zip; ``Handler`` in the template names it."""
ZIP = "predict-api.zip"


def build(folder: Path) -> tuple[Path, Path]:
    """Write the zip, and the template beside it; give both paths.

    :param folder: is made if it is not there.
    :raises OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    zip_file, template = folder / ZIP, folder / TEMPLATE.name
    # Line ends of the repository, whatever a checkout made of them.
    sources = {source.name: source.read_bytes().replace(b"\r\n", b"\n") for source in FUNCTION.glob("*.py")}
    zip_file.write_bytes(zip_bytes({f"{PACKAGE}/{name}": content for name, content in sources.items()}))
    template.write_bytes(TEMPLATE.read_bytes())
    return zip_file, template
