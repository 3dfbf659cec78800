"""The demo's project of boxes: composed scenes with logos on them, whose places are known."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from custom_labels.core.keys import ANNOTATIONS, REVIEWED_LINES
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Annotation, Box, ImageSize, Provenance
from custom_labels.datasets.annotations.kinds import KINDS
from include.demo.material import Examined, Reading, Said, Words
from include.demo.scenes import LABELS, Placed, SceneStyle, scenes

if TYPE_CHECKING:
    from include.demo.local_cloud import LocalCloud, ModelVersion

STYLE = SceneStyle(empty_share=0.06)
FIRST = 12
"""Labelled scenes at first. By the project's test_share the first version learns from 8 of them, and is judged by 4."""
FEW = 8
"""Labelled scenes that label assist begins with, as many as in the article that it was published with."""
BATCH, UNSEEN, LATE = 60, 25, 4
"""Scenes of each batch without boxes, kept back for an examination, and of the batch that comes late."""
LATE_BATCH = 9
SEED = 1
OVERLAP = 0.5
"""Intersection over union from which on a box is where the logo is; Custom Labels counts by the same."""
SURE = 50
"""Confidence in percent from which on a logo counts as found in the examination."""
LABELLED_ON = "2026-01-05T09:00:00"
PLACE = "images_annotated/"
"""Where the labelled scenes lie; the manifest names them, so it may be anywhere in the bucket."""


def overlap(one: Placed, other: Placed) -> float:
    """Give the intersection over the union of two boxes."""
    width = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    height = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    shared = max(0, width) * max(0, height)
    return shared / (one.width * one.height + other.width * other.height - shared)


def hits(truth: Iterable[Placed], said: Iterable[Placed]) -> int:
    """Count the logos that a box of the right label is on; each box counts for one of them."""
    left, found = list(said), 0
    for placed in truth:
        near = [box for box in left if box.label == placed.label and overlap(box, placed) >= OVERLAP]
        if near:
            left.remove(max(near, key=lambda box: overlap(box, placed)))
            found += 1
    return found


class Boxes:
    """How boxes are read: as a sorted tuple of what is placed where."""

    filed = "with the boxes that people drew"

    def result(self, record: Mapping[str, Any]) -> Said:
        """Read the boxes that a version found, without noise."""
        found = [label for label in record["labels"] if label["confidence"] >= record["noise"] and label["pixels"]]
        return _placed({"label": label["name"], **label["pixels"]} for label in found)

    def answer(self, content: Mapping[str, Any]) -> Said:
        """Read the boxes that a person drew."""
        return _placed(content["boundingBoxes"])

    def is_right(self, truth: Said, said: Said) -> bool:
        """Whether every logo has its box, and every box its logo."""
        shown, found = cast("tuple[Placed, ...]", truth), cast("tuple[Placed, ...]", said)
        return hits(shown, found) == len(shown) == len(found)

    def is_true(self, truth: Said, answer: Said) -> bool:
        """Whether every box is drawn as it should be."""
        return truth == answer

    def is_filed(self, answer: Said) -> bool:
        """Whether there is a box to learn from."""
        return bool(answer)

    def copies(self, cloud: LocalCloud) -> dict[str, tuple[Said, ...]]:
        """Read the annotations that were harvested, by the ETags of the images; those without a box are evidence."""
        found: dict[str, tuple[Said, ...]] = {}
        for key in cloud.objects(REVIEWED_LINES):
            for line in cloud.read_lines(key):
                parsed = KINDS[ProjectTask.OBJECT_DETECTION].parse(json.dumps(line))
                if isinstance(parsed, Annotation) and parsed.boxes:
                    etag = str(line["review"]["etag"])
                    found[etag] = (*found.get(etag, ()), _placed(map(asdict, parsed.boxes)))
        return found


def _placed(boxes: Iterable[Mapping[str, Any]]) -> tuple[Placed, ...]:
    sides = ("left", "top", "width", "height")
    return tuple(sorted(Placed(str(box["label"]), *(round(box[side]) for side in sides)) for box in boxes))


class LogoScenes:
    """The demo's project "logos"."""

    project = "logos"
    project_files = "include/demo/projects"
    first_minimum = FIRST
    words = Words(
        first=f"A first version that finds {len(LABELS)} logos, of {FIRST} scenes",
        labelled="Somebody has drawn boxes on {} scenes, a third of which judge what is learned from the rest.",
        examined="logos on unseen scenes found",
        compared="F1 in the article that this loop was published with, on photos of its own: 0.667, then 0.900.",
        keys={
            "a2i": "Draw a box around every logo and choose its label; the help beside the picture names the keys.",
            "label_studio": f"Press 'Label All Tasks'. The keys 1 to {len(LABELS)} choose the label, then draw a box "
            "around the logo; Ctrl+Enter submits, and the next scene is there.",
        },
    )
    reading: Reading = Boxes()
    workforce: Mapping[str, float] = {"sloppy_rate": 0.04}

    def __init__(self) -> None:
        self._folder = Path()
        self._shown: dict[str, tuple[Placed, ...]] = {}
        self._parts: dict[str, list[str]] = {}

    def write(self, folder: Path) -> str:
        """Compose all scenes."""
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        counts = {"first": FIRST, "1": BATCH, "2": BATCH, str(LATE_BATCH): LATE, "unseen": UNSEEN}
        for number, (part, count) in enumerate(counts.items()):
            self._parts[part] = self._compose(part, count, SEED + 100 * number)
        logos = sum(map(len, self._shown.values()))
        width, height = STYLE.size
        return f"{len(self._shown)} composed scenes with {logos} logos as JPEG, {width} x {height} pixels"

    def _compose(self, part: str, count: int, seed: int) -> list[str]:
        """Write scenes; the first ones, which are labelled, show something each."""
        names: list[str] = []
        for scene in scenes(10 * count, seed, STYLE):
            if scene.placed or part != "first":
                name = f"scene-{part}-{len(names) + 1:04d}.jpg"
                (self._folder / name).write_bytes(scene.jpeg())
                self._shown[name] = tuple(sorted(scene.placed))
                names.append(name)
            if len(names) == count:
                break
        return names

    def put_first(self, cloud: LocalCloud) -> int:
        """Put labelled scenes where people would, and the manifest with their boxes."""
        return self._put(cloud, self._parts["first"])

    def put_few(self, cloud: LocalCloud) -> int:
        """Put the first of them."""
        return self._put(cloud, self._parts["first"][:FEW])

    def _put(self, cloud: LocalCloud, names: list[str]) -> int:
        cloud.put_files({f"{PLACE}{name}": self._folder / name for name in names})
        lines = [self._line(cloud, name) for name in names]
        cloud.put_text(f"{ANNOTATIONS}labelled/first.manifest", "".join(f"{json.dumps(line)}\n" for line in lines))
        return len(names)

    def _line(self, cloud: LocalCloud, name: str) -> dict[str, Any]:
        boxes = tuple(Box(**asdict(each)) for each in self._shown[name])
        source = f"s3://{cloud.project.bucket}/{cloud.project.prefix}{PLACE}{name}"
        annotation = Annotation(
            source,
            Provenance(LABELLED_ON, "yes", "by-hand"),
            datetime.fromisoformat(f"{LABELLED_ON}+00:00"),
            boxes,
            size=ImageSize(*STYLE.size),
        )
        return {"source-ref": source, **KINDS[ProjectTask.OBJECT_DETECTION].write(annotation)}

    def batch(self, number: int) -> tuple[dict[str, Path], dict[str, Said]]:
        """Give the scenes of a batch."""
        names = self._parts[str(number)]
        return {name: self._folder / name for name in names}, {name: self._shown[name] for name in names}

    def examine(self, cloud: LocalCloud, version: ModelVersion) -> Examined:
        """Show scenes; count the logos that it finds."""
        found = total = said = 0
        width, height = STYLE.size
        for name in self._parts["unseen"]:
            boxes = []
            for label in cloud.detect(version, self._folder / name):
                if label["Confidence"] >= SURE:
                    box = label["Geometry"]["BoundingBox"]
                    place = (box["Left"] * width, box["Top"] * height, box["Width"] * width, box["Height"] * height)
                    boxes.append(Placed(label["Name"], *map(round, place)))
            found += hits(self._shown[name], boxes)
            total += len(self._shown[name])
            said += len(boxes)
        return Examined(found, total, said)

    def truth_for_workforce(self, truth: Mapping[str, Said]) -> dict[str, Any]:
        """Give the boxes."""
        return {name: [asdict(each) for each in cast("tuple[Placed, ...]", shows)] for name, shows in truth.items()}
