"""The demo with Label Studio: what it makes for it, and the simulated people who answer there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.core.project_task import ProjectTask
from custom_labels.core.settings import PROJECTS_DIR_VARIABLE, load_project
from custom_labels.datasets.annotations.annotation import ImageSize
from custom_labels.review.review import Purpose
from include.demo.aws_setup import set_up_aws
from include.demo.errors import DemoError
from include.demo.label_studio_people import LabelStudioPeople
from include.demo.label_studio_place import LabelStudioPlace
from include.demo.local_cloud import LocalCloud
from include.demo.logo_scenes import Boxes
from include.demo.people import WORKERS
from include.demo.project_file import write_with_backend
from include.demo.scenes import Placed
from tests.conftest import ROOT
from tests.kit.label_studio import Asked, connections, make_project, put_image, set_up_asking
from tests.kit.review_requests import request_for
from tests.kit.support import BUCKET, client

if TYPE_CHECKING:
    from include.label_studio.server import LabelStudio
    from include.local_aws.process import LocalAws

_EPOCH = datetime.fromtimestamp(0, UTC)
COUNT = 12
SHOWN = [{"label": "rows", "left": 7, "top": 11, "width": 31, "height": 53}]


@pytest.fixture
def cloud(aws: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalCloud:
    write_with_backend(ROOT / "include" / "projects" / "digits.yaml", tmp_path, "label_studio")
    monkeypatch.setenv(PROJECTS_DIR_VARIABLE, str(tmp_path))
    return LocalCloud(load_project("digits"), aws.endpoint_url)


def test_answers_in_s3_are_announced_and_nothing_of_a2i_is_made(cloud: LocalCloud, aws: LocalAws) -> None:
    made = set_up_aws(cloud)
    assert cloud.queued() == {"detections": 0, "dead_letters": 0, "reviews": 0}
    cloud.put_text("reviews/label_studio/7", "{}")
    cloud.put_text("images_for_detection/scan.png", "an image")
    cloud.put_text("reviews/statistics.json", "{}")
    assert cloud.queued() == {"detections": 1, "dead_letters": 0, "reviews": 1}
    assert "CORS rule" in made, "Label Studio shows images by a script"
    assert client(aws, "sagemaker").list_workteams()["Workteams"] == []
    assert client(aws, "events").list_rules()["Rules"] == []


def test_the_way_out_is_said_where_label_studio_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("include.label_studio.server.VENV", tmp_path)
    with pytest.raises(DemoError, match='make demo ARGS="--review label_studio"'):
        LabelStudioPlace().check_installed()


@pytest.fixture(scope="module")
def own_label_studio() -> Iterator[LabelStudio]:
    """One that no other test has tasks in."""
    from include.label_studio.server import LabelStudio, installed

    if why := installed():
        pytest.skip(why)
    with LabelStudio() as server:
        yield server


@pytest.fixture(scope="module")
def people(own_label_studio: LabelStudio) -> LabelStudioPeople:
    """They join once."""
    return LabelStudioPeople(own_label_studio.url, own_label_studio.account)


def ask(aws: LocalAws, server: LabelStudio, task: ProjectTask, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Open reviews about images of the bucket; the first image is asked about as a sample, too."""
    for name, value in connections(server).items():
        monkeypatch.setenv(name, value)
    asked = set_up_asking(aws, make_project(aws, f"demo/{task}", task), labels=("columns", "rows"))
    requests = []
    for number in range(COUNT):
        key = f"images_for_detection/{number:02}.png"
        purposes = [Purpose.DOUBT, Purpose.AUDIT] if number == 0 else [Purpose.DOUBT]
        etag = put_image(asked, key)
        for purpose in purposes:
            image = f"s3://{BUCKET}/{asked.store.key(key)}"
            made = request_for(key, etag=etag, task=task, image=image, purpose=purpose, size=ImageSize(96, 96))
            requests.append(replace(made, name=f"{made.name}-{purpose}"))
    assert len(asked.backend.open(requests).new) == COUNT + 1
    return asked


@pytest.mark.parametrize(
    ("task", "shows", "errors"),
    [
        pytest.param(ProjectTask.IMAGE_CLASSIFICATION, "rows", {"error_rate": 0.4}, id="labels"),
        pytest.param(ProjectTask.OBJECT_DETECTION, SHOWN, {"sloppy_rate": 0.4}, id="boxes"),
    ],
)
@pytest.mark.slow
@pytest.mark.xdist_group("label_studio")
def test_people_answer_all_and_err_as_often_as_they_say(
    aws: LocalAws,
    own_label_studio: LabelStudio,
    people: LabelStudioPeople,
    monkeypatch: pytest.MonkeyPatch,
    task: ProjectTask,
    shows: Any,
    errors: dict[str, float],
) -> None:
    asked = ask(aws, own_label_studio, task, monkeypatch)
    assert people.waiting() == COUNT + 1
    root = f"s3://{BUCKET}/{asked.store.prefix}images_for_detection/"

    wrong = people.answer({f"{root}{number:02}.png": shows for number in range(COUNT)}, errors, COUNT + 1)

    assert people.waiting() == 0
    ours = [each for each in people.reviews() if ("boundingBoxes" in each.answers[0]) == isinstance(shows, list)]
    assert sorted((each.key[-6:-4], each.purpose) for each in ours) == sorted(
        [("00", "audit"), *((f"{number:02}", "doubt") for number in range(COUNT))]
    )
    assert all(each.is_completed and len(each.answers) == 1 for each in ours)
    said = [each.answers[0] for each in ours]
    if isinstance(shows, list):
        right = [Boxes().is_true((Placed(**SHOWN[0]),), Boxes().answer(each)) for each in said]  # type: ignore[arg-type]
    else:
        right = [each["label"] == shows for each in said]
    assert 0 < wrong == right.count(False) < COUNT
    # Each of them has an account of their own, and the package counts all answers.
    counted = [asked.backend.answers(state) for page in asked.backend.states(_EPOCH) for state in page]
    reviewers = [answer.reviewer for each in counted if each for answer in each.answers]
    assert (len(reviewers), len(set(reviewers))) == (COUNT + 1, WORKERS)
