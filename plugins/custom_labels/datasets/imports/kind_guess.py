"""What a source is, by the names of its files and the first bytes of one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from custom_labels.core.keys import may_be_image
from custom_labels.datasets.imports.source import SourceKind

HEAD_BYTES = 4096
_DESCRIBING = (".manifest", ".csv", ".jsonl", ".yaml", ".yml", ".json", ".xml")
_BY_ENDING = {".manifest": SourceKind.MANIFEST, ".jsonl": SourceKind.MANIFEST, ".csv": SourceKind.CSV}


_CLASSES = ("obj.names", "classes.txt")
"""Where YOLO's tools name the classes, beside data.yaml."""


def telling_file(names: Sequence[str]) -> str | None:
    """Give the file that tells what the source is; ``None`` where there are images only.

    Files that describe all come before those that describe one image.
    """
    if plain := [name for name in names if PurePosixPath(name).name in _CLASSES]:
        return plain[0]
    described = [name for name in names if _ending(name) in _DESCRIBING]
    return min(described, key=lambda name: (_DESCRIBING.index(_ending(name)), name), default=None)


def _ending(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def kind_by(names: Sequence[str], telling: str | None, head: bytes) -> SourceKind | None:
    """Say what a source is; ``None`` where it cannot be told.

    :param names: of its files, or the first of them.
    :param telling: the file by :func:`telling_file`, and the first bytes of it.
    """
    if telling is None:
        return SourceKind.FOLDERS if any(may_be_image(name) and "/" in name for name in names) else None
    if PurePosixPath(telling).name in _CLASSES:
        return SourceKind.YOLO
    ending, text = _ending(telling), head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if ending in _BY_ENDING:
        return _BY_ENDING[ending]
    if ending in {".yaml", ".yml"}:
        return SourceKind.YOLO if b"names" in head else None
    if ending == ".xml":
        return SourceKind.CVAT if b"<annotations" in head else SourceKind.PASCAL_VOC if b"<annotation" in head else None
    return _json_kind(text)


def _json_kind(text: bytes) -> SourceKind | None:
    if text.startswith(b"["):
        return SourceKind.LABEL_STUDIO
    if b'"source-ref"' in text:
        return SourceKind.MANIFEST
    is_coco = any(f'"{key}"'.encode() in text for key in ("images", "annotations", "categories", "info", "licenses"))
    return SourceKind.COCO if text.startswith(b"{") and is_coco else None
