"""The demo's project of boxes: what its scenes show, and how answers about them are read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.core.project_task import ProjectTask
from custom_labels.core.settings import PROJECTS_DIR_VARIABLE, Settings, load_project
from custom_labels.datasets.annotations.annotation import Annotation
from custom_labels.datasets.annotations.kinds import KINDS
from include.demo.aws_setup import set_up_aws
from include.demo.local_cloud import LocalCloud
from include.demo.logo_scenes import BATCH, FIRST, LATE_BATCH, PLACE, Boxes, LogoScenes, hits
from include.demo.scenes import LABELS, Placed
from tests.conftest import ROOT

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

ONE = Placed("quartz", 10, 10, 100, 100)
NEAR = Placed("quartz", 15, 12, 100, 95)
FAR = Placed("quartz", 300, 300, 100, 100)
OTHER = Placed("kestrel", 10, 10, 100, 100)
reading = Boxes()


@pytest.fixture(scope="module", autouse=True)
def few_scenes() -> Iterator[None]:
    """A batch is the beginning of the same scenes, however many it has; all of them take half a minute."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("BATCH", "LATE", "UNSEEN"):
            patch.setattr(f"include.demo.logo_scenes.{name}", 4)
        yield


@pytest.fixture(scope="module")
def logos(few_scenes: None, tmp_path_factory: pytest.TempPathFactory) -> LogoScenes:
    made = LogoScenes()
    made.write(tmp_path_factory.mktemp("logos"))
    return made


@pytest.fixture
def cloud(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> LocalCloud:
    monkeypatch.setenv(PROJECTS_DIR_VARIABLE, str(ROOT / LogoScenes.project_files))
    made = LocalCloud(load_project("logos"), aws.endpoint_url)
    set_up_aws(made)
    return made


def label(name: str, confidence: float, pixels: dict[str, float] | None) -> dict[str, Any]:
    return {"name": name, "confidence": confidence, "box": {}, "pixels": pixels}


def test_the_project_is_one_of_boxes_and_no_third_training_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PROJECTS_DIR_VARIABLE, str(ROOT / LogoScenes.project_files))
    project = load_project("logos")
    settings = Settings.model_validate(project.settings.model_dump(exclude_unset=True))
    assert project.task is ProjectTask.OBJECT_DETECTION
    assert FIRST < settings.minimum_untrained_images < BATCH
    assert round(FIRST * (1 - settings.test_share)) == 8


@pytest.mark.parametrize(
    ("said", "found"),
    [
        pytest.param((NEAR,), 1, id="about there"),
        pytest.param((FAR,), 0, id="elsewhere"),
        pytest.param((OTHER,), 0, id="another logo"),
        pytest.param((NEAR, ONE), 1, id="twice the same one"),
        pytest.param((), 0, id="nothing"),
    ],
)
def test_a_logo_is_found_by_one_box_of_its_label_about_there(said: tuple[Placed, ...], found: int) -> None:
    assert hits((ONE,), said) == found
    assert reading.is_right((ONE,), said) == (found == len(said) == 1)


def test_results_are_read_in_pixels_and_without_noise() -> None:
    place = {"left": 10.2, "top": 9.8, "width": 99.6, "height": 100.4}
    labels = [label("quartz", 80, place), label("kestrel", 12, place), label("whole image", 90, None)]
    assert reading.result({"labels": labels, "noise": 30}) == (ONE,)


def test_people_are_right_to_the_pixel() -> None:
    box = {"label": "quartz", "left": 10, "top": 10, "width": 100, "height": 100}
    said = reading.answer({"boundingBoxes": [box]})
    assert reading.is_true((ONE,), said)
    assert not reading.is_true((NEAR,), said)
    assert (reading.is_filed(said), reading.is_filed(reading.answer({"boundingBoxes": []}))) == (True, False)


def test_scenes_are_apart(logos: LogoScenes) -> None:
    parts = [logos.batch(number) for number in (1, 2, LATE_BATCH)]
    names = Counter(name for images, _ in parts for name in images)
    assert names.total() == len(names)
    contents = Counter(path.read_bytes() for images, _ in parts for path in images.values())
    assert contents.total() == len(contents)
    assert all(images.keys() == truth.keys() for images, truth in parts)


def test_scenes_are_the_same_when_written_again(logos: LogoScenes, tmp_path: Path) -> None:
    again = LogoScenes()
    again.write(tmp_path)
    assert again.batch(1)[1] == logos.batch(1)[1]
    assert [path.read_bytes() for path in again.batch(2)[0].values()] == [
        path.read_bytes() for path in logos.batch(2)[0].values()
    ]


def test_first_scenes_are_put_with_lines_that_the_package_reads(logos: LogoScenes, cloud: LocalCloud) -> None:
    assert logos.put_first(cloud) == FIRST
    (manifest,) = cloud.objects("annotations/")
    found = [KINDS[ProjectTask.OBJECT_DETECTION].parse(line) for line in map(json.dumps, cloud.read_lines(manifest))]
    assert all(isinstance(each, Annotation) and each.boxes and not each.dropped for each in found)
    assert {box.label for each in found if isinstance(each, Annotation) for box in each.boxes} == set(LABELS)
    assert len(cloud.objects(PLACE)) == FIRST


def test_filed_answers_are_found_by_the_image_they_are_about(logos: LogoScenes, cloud: LocalCloud) -> None:
    logos.put_first(cloud)
    (manifest,) = cloud.objects("annotations/")
    lines = cloud.read_lines(manifest)
    text = "".join(f"{json.dumps({**line, 'review': {'etag': f'e{number}'}})}\n" for number, line in enumerate(lines))
    cloud.put_text("annotations/reviewed/day.manifest", text)
    copies = reading.copies(cloud)
    assert len(copies) == FIRST
    assert all(len(said) == 1 and said[0] for said in copies.values())
