"""A project of boxes, or of several labels an image, whose images are composed scenes that a model really learns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from custom_labels.core.project_task import ProjectTask
from custom_labels.core.settings import PROJECTS_DIR_VARIABLE
from include.demo.scenes import Placed, Scene, SceneStyle, compose
from tests.kit.annotated_bucket import AnnotatedBucket
from tests.kit.dag_runs import ROOT
from tests.kit.support import BUCKET, s3
from tests.kit.task_contexts import project_context

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

SMALL = SceneStyle(size=(320, 240), sides=(50, 110), clutter=(2, 6), logos=(1, 2), empty_share=0)
"""Scenes that are learned in a few seconds."""
SEED = 7


def digits_of(task: ProjectTask, folder: Path, monkeypatch: pytest.MonkeyPatch, backend: str = "a2i") -> None:
    """Let the project 'digits' have a task and a review backend, by a project file in a folder of its own."""
    shipped = (ROOT / "include" / "projects" / "digits.yaml").read_text()
    # Labeling jobs need the same of the project file as A2I; the part of another backend may stand beside.
    part = "ground_truth" if backend == "ground_truth" else "a2i"
    shipped = shipped.replace("  backend: a2i\n", f"  backend: {backend}\n").replace("  a2i:\n", f"  {part}:\n")
    (folder / "digits.yaml").write_text(f"task: {task}\n{shipped}")
    monkeypatch.setenv(PROJECTS_DIR_VARIABLE, str(folder))


class SceneProject:
    """The scenes of a project in the embedded AWS.

    :param task: the project's, whose file is in place.
    :param names: of the logos, where they are to be called otherwise.
    """

    def __init__(self, aws: LocalAws, task: ProjectTask, names: Mapping[str, str] | None = None) -> None:
        s3(aws).create_bucket(Bucket=BUCKET)
        self.task = task
        self.names = names or {}
        self.bucket = AnnotatedBucket(project_context().store)

    def put(self, numbers: range) -> list[Scene]:
        """Put the scenes of these numbers, and a file of lines about them."""
        scenes = {number: compose(SEED, number, SMALL) for number in numbers}
        for number, scene in scenes.items():
            self.bucket.put(self.key(number), scene.jpeg())
        self.bucket.write(
            f"from-{numbers.start}", [self.line(number, scene.placed) for number, scene in scenes.items()]
        )
        return list(scenes.values())

    def key(self, number: int) -> str:
        """Give the key of a scene."""
        return f"images/{number:03}.jpg"

    def name(self, logo: Placed) -> str:
        """Give the label of a logo."""
        return self.names.get(logo.label, logo.label)

    def line(self, number: int, placed: tuple[Placed, ...], **how: str) -> dict[str, object]:
        """Give the line about a scene, with these logos on it."""
        if self.task is ProjectTask.OBJECT_DETECTION:
            boxes = [(self.name(each), each.left, each.top, each.width, each.height) for each in placed]
            return self.bucket.boxes(self.key(number), boxes, SMALL.size, **how)
        return self.bucket.labels(self.key(number), *sorted({self.name(each) for each in placed}), **how)
