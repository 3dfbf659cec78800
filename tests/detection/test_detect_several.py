"""Detecting boxes and several labels with versions that the embedded AWS trained: what is kept, and what people see."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.core.project_task import ProjectTask
from custom_labels.review.backends.a2i.backend import loop_input
from custom_labels.review.review import ReviewRequest
from include.demo.scenes import LABELS
from tests.kit.dag_runs import Variables, run_dag
from tests.kit.detect_runs import end_of, make_queues, results, waiting
from tests.kit.harvests import lines, submit
from tests.kit.review_project import loops, set_up_review, wait_until_ended
from tests.kit.scene_runs import SIZE, chosen, drawn, put_scene, serve_scenes
from tests.kit.scenes import digits_of
from tests.kit.step_runs import detect_by_steps, harvest_by_steps
from tests.kit.support import client

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.slow

BOXES, SEVERAL = ProjectTask.OBJECT_DETECTION, ProjectTask.MULTI_LABEL_CLASSIFICATION
SETTINGS = {"detections_per_unit_second": 1000, "minimum_label_detection_confidence": 100}


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> Variables:
    """Every detection is doubted, and asked for as fast as may be."""
    return Variables(monkeypatch, **SETTINGS)


@pytest.fixture(params=[BOXES, SEVERAL])
def task(
    request: pytest.FixtureRequest,
    aws: LocalAws,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    variables: Variables,
    airflow_db: None,
) -> ProjectTask:
    """What the project learns, with a version that serves."""
    digits_of(request.param, tmp_path, monkeypatch)
    client(aws, "sns").create_topic(Name="custom-labels-digits")
    make_queues(aws)
    serve_scenes(aws, request.param)
    return ProjectTask(request.param)


@pytest.mark.usefixtures("task")
@pytest.mark.parametrize("task", [BOXES], indirect=True)
def test_boxes_are_kept_as_ratios_and_in_pixels_of_the_upright_picture(aws: LocalAws, variables: Variables) -> None:
    variables.set(daily_review_budget=0)
    put_scene(aws, 0)
    put_scene(aws, 1, is_turned=True)
    aws.control.faults({"operation": "s3.GetObject", "kind": "throttle", "share": 0.3})

    ended = detect_by_steps()

    aws.control.faults()
    assert (ended.outcome, len(results(aws))) == ("detected", 2)
    for result in results(aws):
        assert result["size"] == {**SIZE, "depth": 3}
        assert result["labels"]
        for label in result["labels"]:
            ratios, pixels = label["box"], label["pixels"]
            assert label["name"] in LABELS
            assert {side: pixels[side] for side in pixels} == {
                "left": ratios["left"] * 320,
                "top": ratios["top"] * 240,
                "width": ratios["width"] * 320,
                "height": ratios["height"] * 240,
            }
    asked = waiting(aws)
    assert {request["task"] for request in asked} == {"object_detection"}
    for request, result in zip(sorted(asked, key=key_of), results(aws), strict=True):
        sure = [label for label in result["labels"] if label["confidence"] >= 30]
        assert [box["label"] for box in request["boxes"]] == [label["name"] for label in sure][:50]
        assert request["labels"] == list(LABELS)


def key_of(request: dict[str, Any]) -> str:
    return str(request["key"])


def test_what_people_say_of_a_detection_is_trained_on_next(aws: LocalAws, task: ProjectTask) -> None:
    scenes = {f"images_for_detection/{number:03}.jpg": put_scene(aws, number) for number in range(3)}
    review_project = set_up_review(aws)

    detect_by_steps()

    names = loops(review_project)
    assert len(names) == 3
    for name in names:
        (request,) = [each for each in opened(aws) if each.name == name]
        shown = json.loads(loop_input(request))["initialValue"]
        assert shown if task is SEVERAL or request.boxes else shown == []
        scene = scenes[request.key]
        submit(aws, name, drawn(scene) if task is BOXES else chosen(scene))
    wait_until_ended(review_project, *names)
    harvested = harvest_by_steps()

    assert harvested.outcome == "harvested"
    assert harvested.note.startswith("Reviews harvested: 3 labelled images from 3 reviews. ")
    written = {line["review"]["image"].partition("/images")[2]: line for line in lines(aws, "annotations/reviewed/")}
    assert len(written) == 3
    for key, scene in scenes.items():
        line = written[key.removeprefix("images")]
        if task is BOXES:
            assert line["bounding-box"]["image_size"] == [{**SIZE, "depth": 3}]
            assert len(line["bounding-box"]["annotations"]) == len(scene.placed)
        else:
            found = {value["class-name"] for name, value in line.items() if name.endswith("-metadata")}
            assert sorted(found) == chosen(scene)["labels"]


def opened(aws: LocalAws) -> list[ReviewRequest]:
    """Give the requests that were opened."""
    from custom_labels.core.codec import from_json

    return [from_json(ReviewRequest, line["request"]) for line in lines(aws, "reviews/opened/")]


@pytest.mark.usefixtures("task")
@pytest.mark.parametrize("task", [BOXES], indirect=True)
def test_the_dags_of_a_project_of_boxes_detect_and_harvest(aws: LocalAws, variables: Variables) -> None:
    variables.set(minimum_untrained_images=1000)
    scene = put_scene(aws, 0)
    review_project = set_up_review(aws)

    run = run_dag("detect")

    assert end_of(run) == ("success", "detected"), run
    (name,) = loops(review_project)
    submit(aws, name, drawn(scene))
    wait_until_ended(review_project, name)
    harvested = run_dag("harvest_reviews")

    assert end_of(harvested) == ("success", "harvested"), harvested
    (line,) = lines(aws, "annotations/reviewed/")
    assert len(line["bounding-box"]["annotations"]) == len(scene.placed)
