"""Projects of boxes or of several labels, with a version that serves: scenes with logos whose places are known."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from custom_labels.core.project_task import ProjectTask
from include.demo.scenes import LABELS, Scene, SceneStyle, compose
from tests.kit.annotation_lines import boxes_line, labels_line
from tests.kit.detect_runs import INBOX, point_to, start, train_on
from tests.kit.saved_states import made_once
from tests.kit.support import BUCKET, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

ROOT = Path(__file__).resolve().parents[2]
STYLE = SceneStyle(size=(320, 240), sides=(50, 110), clutter=(2, 8), logos=(1, 2), empty_share=0)
"""Scenes that are learned in a few seconds."""
SIZE = {"width": 320, "height": 240}


@made_once
def serve_scenes(aws: LocalAws, task: str) -> str:
    """Train a version on a few scenes, for boxes or for labels, and let it serve; give the project's ARN."""
    store = s3(aws)
    store.create_bucket(Bucket=BUCKET)
    uris: dict[str, str] = {}
    for side, numbers in {"TRAIN": range(12), "TEST": range(12, 18)}.items():
        lines = []
        for number in numbers:
            scene, key = compose(1, number, STYLE), f"scenes/{number:03}.jpg"
            store.put_object(Bucket=BUCKET, Key=key, Body=scene.jpeg())
            lines.append(json.dumps(_line(f"s3://{BUCKET}/{key}", scene, ProjectTask(task))))
        store.put_object(Bucket=BUCKET, Key=f"{side}.manifest", Body="\n".join([*lines, ""]).encode())
        uris[side] = f"s3://{BUCKET}/{side}.manifest"
    project = train_on(aws, uris, "v1")
    start(aws, project, "v1")
    point_to(aws, project, "v1", LABELS)
    return project


def _line(uri: str, scene: Scene, task: ProjectTask) -> dict[str, Any]:
    if task is ProjectTask.MULTI_LABEL_CLASSIFICATION:
        return labels_line(*sorted({box.label for box in scene.placed}), source_ref=uri)
    boxes = [(box.label, box.left, box.top, box.width, box.height) for box in scene.placed]
    return boxes_line(uri, boxes, size=scene.picture.size)


def put_scene(aws: LocalAws, number: int, *, is_turned: bool = False) -> Scene:
    """Put a scene that the version does not know into the inbox.

    :param is_turned: whether it is stored turned by a quarter, and its Exif data say so.
    """
    scene = compose(9, number, STYLE)
    body = scene.jpeg()
    if is_turned:
        exif, file = Image.Exif(), io.BytesIO()
        exif[0x0112] = 6  # a viewer turns it by 90 degrees clockwise
        scene.picture.transpose(Image.Transpose.ROTATE_90).save(file, "JPEG", quality=90, exif=exif)
        body = file.getvalue()
    s3(aws).put_object(Bucket=BUCKET, Key=f"{INBOX}{number:03}.jpg", Body=body)
    return scene


def drawn(scene: Scene) -> dict[str, Any]:
    """Give the answer of a person who draws what is there, as ``crowd-bounding-box`` gives it."""
    boxes = [
        {"label": box.label, "left": box.left, "top": box.top, "width": box.width, "height": box.height}
        for box in scene.placed
    ]
    return {"boundingBoxes": boxes, "inputImageProperties": SIZE, "initialValueModified": True}


def chosen(scene: Scene) -> dict[str, Any]:
    """Give the answer of a person who chooses what is there, as ``crowd-image-classifier-multi-select`` gives it."""
    return {"labels": sorted({box.label for box in scene.placed})}
