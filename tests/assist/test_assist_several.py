"""Label assist of projects of boxes and of several labels: people see what the version proposes, and confirm it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from custom_labels.core.project_task import ProjectTask
from include.demo.scenes import compose
from tests.kit.assist_runs import FOLDER, Round
from tests.kit.dag_runs import Variables
from tests.kit.harvests import lines, submit
from tests.kit.review_project import loops, set_up_review, wait_until_ended
from tests.kit.scene_runs import STYLE, chosen, drawn, serve_scenes
from tests.kit.scenes import digits_of
from tests.kit.step_runs import harvest_by_steps
from tests.kit.support import BUCKET, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.slow

BOXES, SEVERAL = ProjectTask.OBJECT_DETECTION, ProjectTask.MULTI_LABEL_CLASSIFICATION
SCENES = 6


@pytest.mark.parametrize("task", [BOXES, pytest.param(SEVERAL, marks=pytest.mark.matrix)])
def test_people_confirm_or_correct_what_is_proposed(
    aws: LocalAws,
    variables: Variables,
    airflow_db: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    task: ProjectTask,
) -> None:
    digits_of(task, tmp_path, monkeypatch)
    serve_scenes(aws, task)
    reviews = set_up_review(aws, reviewers=(1,))
    scenes = {f"{FOLDER}{number:03}.jpg": compose(9, number, STYLE) for number in range(SCENES)}
    for key, scene in scenes.items():
        s3(aws).put_object(Bucket=BUCKET, Key=key, Body=scene.jpeg())

    played = Round({"images_a_round": SCENES})
    assert played.ask().asked == SCENES
    asked = lines(aws, f"{played.planned.folder}asked.jsonl")
    for request in asked:
        scene = scenes[request["key"]]
        submit(aws, request["name"], drawn(scene) if task is BOXES else chosen(scene))
    wait_until_ended(reviews, *loops(reviews))
    harvest_by_steps()

    assert played.wait() == 0
    progress = played.count().progress

    assert (progress.asked, progress.ended, progress.undecided) == (SCENES, SCENES, 0)
    proposals = sum(len(each["boxes"] if task is BOXES else each["guesses"]) for each in asked)
    assert progress.proposals == proposals > 0
    assert 0 < progress.confirmed <= proposals
    assert progress.labelled == len(lines(aws, "annotations/reviewed/"))
    found = lines(aws, "annotations/reviewed/")
    assert {each["review"]["image"] for each in found} == {f"s3://{BUCKET}/{key}" for key in scenes}
    assert all(each["review"]["votes"] for each in found)
