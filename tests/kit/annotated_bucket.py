"""Puts annotated images into a project's bucket: pictures, and lines of annotations about them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from typing import Any

from custom_labels.s3.store import S3Store
from tests.kit.annotation_lines import boxes_line, labels_line
from tests.kit.pictures import png

SIZE = (128, 96)
Boxes = Sequence[tuple[str, float, float, float, float]]
ONE: Boxes = (("Echo", 10, 20, 30, 40),)


class AnnotatedBucket:
    """Puts images, each with a content of its own unless told otherwise, and manifests of lines about them."""

    def __init__(self, store: S3Store) -> None:
        self.store = store
        self._seeds = itertools.count(1)

    def put(self, key: str, body: bytes | None = None, size: tuple[int, int] = SIZE) -> bytes:
        """Put one image, its key relative to the project's prefix."""
        content = png(next(self._seeds), size) if body is None else body
        self.store.call("put_object", key, Body=content)
        return content

    def put_many(self, *keys: str) -> None:
        """Put several images."""
        for key in keys:
            self.put(key)

    def write(self, name: str, lines: Iterable[dict[str, Any] | str | bytes]) -> None:
        """Write ``annotations/<name>.manifest``; what is no line already becomes one."""
        texts = [json.dumps(line) if isinstance(line, dict) else line for line in lines]
        body = b"".join((text if isinstance(text, bytes) else text.encode()) + b"\n" for text in texts)
        self.store.call("put_object", f"annotations/{name}.manifest", Body=body)

    def boxes(self, key: str, boxes: Boxes = ONE, size: tuple[int, int] = SIZE, **how: Any) -> dict[str, Any]:
        """Give a line with boxes of an image."""
        return boxes_line(self.store.uri(key), boxes, size=size, **how)

    def labels(self, key: str, *labels: str, **how: Any) -> dict[str, Any]:
        """Give a line with labels of an image."""
        return labels_line(*labels, source_ref=self.store.uri(key), **how)

    def annotated(self, name: str, images: dict[str, Boxes]) -> None:
        """Put images with boxes, and the manifest about them."""
        self.put_many(*images)
        self.write(name, [self.boxes(key, boxes) for key, boxes in images.items()])
