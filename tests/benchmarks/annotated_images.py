"""Images with boxes as the listing server has them: in one folder, three boxes in the mean, lines in several files."""

from __future__ import annotations

import json
import tempfile
from datetime import datetime
from pathlib import Path

from custom_labels.core.keys import ANNOTATIONS, CHECKS
from custom_labels.datasets.annotated_table import AnnotatedTable
from custom_labels.datasets.annotations.picture_size import PictureFacts
from custom_labels.datasets.images import Tally
from custom_labels.datasets.split import position
from tests.benchmarks.listing_server import BUCKET, LABELS, TIME, etag, pages_of

FOLDER = "images/"
LINES_A_FILE = 50_000
SIZE = (1280, 960)


class AnnotatedImages:
    """A bucket of annotated images whose checks are known.

    :param images: their number; every tenth has an older line in another file, too.
    """

    def __init__(self, images: int) -> None:
        self.keys = [f"{FOLDER}camera-{number // 5000:02}/IMG_{number:08}.jpg" for number in range(images)]

    def pages(self) -> dict[str, list[bytes]]:
        """Prepare the pages of both listings."""
        return {FOLDER: pages_of(FOLDER, self.keys), ANNOTATIONS: pages_of(ANNOTATIONS, sorted(self._files()))}

    def objects(self) -> dict[str, tuple[bytes, dict[str, str]]]:
        """Prepare the files of lines, and what is known of the images."""
        bodies = {name: "".join(_line(*each) for each in lines).encode() for name, lines in self._files().items()}
        return {name: (body, {}) for name, body in {**bodies, CHECKS: self._checks()}.items()}

    def _files(self) -> dict[str, list[tuple[int, str, str]]]:
        numbered = list(enumerate(self.keys))
        files = {f"{ANNOTATIONS}older.manifest": [(number + 1, key, "2025-12-31") for number, key in numbered[::10]]}
        for start in range(0, len(numbered), LINES_A_FILE):
            lines = [(number, key, "2026-01-31") for number, key in numbered[start : start + LINES_A_FILE]]
            files[f"{ANNOTATIONS}job-{start:07}.manifest"] = lines
        return files

    def _checks(self) -> bytes:
        with tempfile.TemporaryDirectory() as name, AnnotatedTable(Path(name) / "images.sqlite") as table:
            table.use_checks(Path(name) / "none.sqlite")
            rows = Path(name) / "rows"
            rows.write_text("".join(f"{key}\t{etag(key)}\n" for key in self.keys))
            table.load("", rows)
            listed = table.some(len(self.keys), known=False)
            table.settle(((image, position(image.etag), None) for image in listed), Tally())
            table.note_pictures((image, PictureFacts(*SIZE)) for image in listed)
            table.finish_checks(datetime.fromisoformat(TIME))
            return (Path(name) / "images.sqlite").read_bytes()


def _line(number: int, key: str, created: str) -> str:
    """Write a line with one to five boxes."""
    boxes = [
        {
            "class_id": (number + each) % len(LABELS),
            "top": (number * 7 + each * 31) % 600,
            "left": (number * 13 + each * 57) % 900,
            "width": 40 + number % 300,
            "height": 30 + number % 200,
        }
        for each in range(1 + number % 5)
    ]
    line = {
        "source-ref": f"s3://{BUCKET}/{key}",
        "bounding-box": {"image_size": [{"width": SIZE[0], "height": SIZE[1], "depth": 3}], "annotations": boxes},
        "bounding-box-metadata": {
            "objects": [{"confidence": 0.95}] * len(boxes),
            "class-map": {str(class_id): label for class_id, label in enumerate(LABELS)},
            "type": "groundtruth/object-detection",
            "human-annotated": "yes",
            "creation-date": f"{created}T12:00:00.000000",
            "job-name": "labeling-job/benchmark",
        },
    }
    return json.dumps(line) + "\n"
