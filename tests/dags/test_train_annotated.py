"""Projects of boxes and of several labels: trained, judged on the same images, swapped and rolled back, for real."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.core.project_task import ProjectTask
from custom_labels.core.registry import Registry
from custom_labels.evaluation.decision_records import Decisions
from custom_labels.evaluation.judged_record import JudgedRecord
from include.demo.scenes import LABELS
from tests.kit.annotation_lines import boxes_line
from tests.kit.approvals import person
from tests.kit.backfills import backfill_by_steps, noon
from tests.kit.dag_runs import Variables, record, run_dag, statuses, train
from tests.kit.scenes import SMALL, SceneProject, digits_of
from tests.kit.support import BUCKET, effects
from tests.kit.task_contexts import project_context
from tests.kit.train_steps import train_by_steps

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("scenes")]

TASKS = (ProjectTask.OBJECT_DETECTION, ProjectTask.MULTI_LABEL_CLASSIFICATION)
FIRST, SECOND = range(16), range(16, 48)
"""Scenes that the first version knows, and those that come for the second."""
NAMES = dict(zip(LABELS, ("<script>alert(1)</script>", "{{ 7 * 7 }}", "../../größe", "x" * 255), strict=True))
"""What the logos are called: whatever a label is, it is text."""
EARLIER, LATER = "2025-03-01T00:00:00", "2026-03-01T00:00:00"


def scene_project(
    aws: LocalAws, task: ProjectTask, folder: Path, monkeypatch: pytest.MonkeyPatch, variables: Variables
) -> SceneProject:
    variables.set(minimum_f1_score=0, test_share=0.3, detections_per_unit_second=500)
    digits_of(task, folder, monkeypatch)
    return SceneProject(aws, task, NAMES)


@pytest.fixture(params=[TASKS[0], pytest.param(TASKS[1], marks=pytest.mark.matrix)])
def project(
    digits: LocalAws,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variables: Variables,
) -> SceneProject:
    return scene_project(digits, request.param, tmp_path, monkeypatch, variables)


@pytest.fixture
def logos(digits: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: Variables) -> SceneProject:
    """A project of boxes."""
    return scene_project(digits, ProjectTask.OBJECT_DETECTION, tmp_path, monkeypatch, variables)


def decision(version_name: str) -> dict[str, Any]:
    return Decisions(project_context().store, version_name).record() or {}


def versions() -> dict[str, JudgedRecord]:
    return dict(Registry(project_context().store).versions(JudgedRecord))


def test_two_rounds_are_trained_and_judged_on_the_same_images(digits: LocalAws, project: SceneProject) -> None:
    project.put(FIRST)
    first = train_by_steps()
    champion = record(digits, "live")
    project.put(SECOND)

    second = train_by_steps()

    assert (first.ends, second.ends) == ({"deployed"}, {"deployed"}), (first.note, second.note)
    live = record(digits, "live")
    assert live["previous_version_name"] == champion["version_name"]
    assert statuses(digits) == {live["version_name"]: "RUNNING", champion["version_name"]: "STOPPED"}
    assert set(live["labels"]) == set(NAMES.values())
    page = (Decisions(project_context().store, live["version_name"]).page() or b"").decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script" not in page

    judged = decision(live["version_name"])
    same = judged["same_images"]
    evaluation = versions()[live["version_name"]].evaluation
    assert evaluation is not None
    assert same["images"] == same["test_images"] == judged["own"]["images"] == evaluation.testing_images
    # The same arithmetic as Custom Labels': what it measured of the challenger comes out of its answers again.
    assert same["challenger"]["overall"]["f1"] == pytest.approx(evaluation.f1)
    assert same["challenger"]["labels"].keys() == {each.label for each in evaluation.labels if each.test_images}
    for metrics in evaluation.labels:
        if metrics.test_images:
            assert same["challenger"]["labels"][metrics.label]["f1"] == pytest.approx(metrics.f1)
    if project.task is ProjectTask.OBJECT_DETECTION:  # of several labels a version this small knows little
        assert same["challenger"]["overall"]["f1"] > same["champion"]["overall"]["f1"]
    assert len(same["flips"]) > 0
    curve = record(digits, "learning_curve")["versions"]
    assert [point["training_images"] + point["testing_images"] for point in curve] == [16, 48]

    third = train_by_steps()
    assert third.ends == {"nothing_to_do"}
    assert effects(digits, "CreateProjectVersion") == 2


@pytest.mark.matrix
def test_a_detector_is_trained_by_the_dag_and_an_earlier_one_is_put_back(
    digits: LocalAws, logos: SceneProject, variables: Variables
) -> None:
    logos.put(FIRST)
    dry = train({"dry_run": True})
    first = train()
    logos.put(SECOND)
    variables.set(require_approval="true")
    with person("Approve") as asked:
        second = train()

    assert dry.ends == {"planned"}
    assert "16 images in 4 labels: 10 to train on, 6 to judge by" in str(dry.note)
    assert (first.state, first.ends, first.failed) == ("success", {"deployed"}, set()), first.note
    assert second.ends == {"deployed"}, second.note
    assert "Of the boxes on these: improvement: " in asked.bodies[0]
    champion, challenger = sorted(versions())
    smoke = record(digits, f"versions/{challenger}")["smoke_test"]
    assert (smoke["asked"], smoke["right"]) == (5, 5)

    variables.set(require_approval="false")
    back = run_dag("rollback")

    assert (back.state, back.ends) == ("success", {"rolled_back"}), back.note
    assert record(digits, "live")["version_name"] == champion
    assert statuses(digits) == {champion: "RUNNING", challenger: "STOPPED"}


def test_a_gate_on_one_label_refuses_a_detector(digits: LocalAws, logos: SceneProject, variables: Variables) -> None:
    logos.put(FIRST)
    variables.set(gates='[{"metric": "recall", "label": "kestrl", "at_least": 0.1}]')
    misspelt = train_by_steps()
    variables.set(gates='[{"metric": "f1", "label": "*", "at_least": 1}]')
    refused = train_by_steps()

    assert misspelt.failed == {"prepare_images"}
    assert "'kestrl'" in str(misspelt.note)
    assert refused.ends == {"gate_failed"}
    assert "F1 of '" in str(refused.note)
    assert (effects(digits, "CreateProjectVersion"), effects(digits, "StartProjectVersion")) == (1, 0)
    [(name, judged)] = versions().items()
    assert judged.gate is not None
    assert {gate.label for gate in judged.gate.gates} == {None, *NAMES.values()}
    assert b"Precision and recall" in (Decisions(project_context().store, name).page() or b"")


@pytest.mark.matrix
def test_a_box_that_was_moved_is_trained_and_the_rest_is_left_as_it_was(
    digits: LocalAws, logos: SceneProject, variables: Variables
) -> None:
    scenes = logos.put(FIRST)
    train_by_steps()
    moved = replace(scenes[3].placed[0], left=scenes[3].placed[0].left + 5)
    logos.bucket.write("moved", [logos.line(3, (moved, *scenes[3].placed[1:]), created="2026-02-01T00:00:00")])

    few = train_by_steps({"minimum_untrained_images": 2})
    again = train_by_steps({"minimum_untrained_images": 1})

    assert "1 untrained images of 16, a training needs 2" in str(few.note)
    assert again.ends == {"deployed"}, again.note


BAD_LINES: dict[str, dict[str, Any] | bytes] = {
    "ERROR_INVALID_JSON_LINE": b"{",
    "ERROR_MISSING_SOURCE_REF": {"bounding-box": {}},
    "ERROR_NO_LABEL_ATTRIBUTES": {"source-ref": f"s3://{BUCKET}/images/000.jpg"},
    "ERROR_IMAGES_IN_MULTIPLE_S3_BUCKETS": boxes_line("s3://elsewhere/a.jpg"),
    "ERROR_INVALID_IMAGE": boxes_line(f"s3://{BUCKET}/images/not-there.jpg"),
    "ERROR_INVALID_BOUNDING_BOX": boxes_line(
        f"s3://{BUCKET}/images/001.jpg",
        [("quartz", 300, 10, 100, 20), ("quartz", 10, 10, 40, 40)],
        size=SMALL.size,
        created=EARLIER,
    ),
    "ERROR_NO_VALID_ANNOTATIONS": boxes_line(
        f"s3://{BUCKET}/images/003.jpg", [("quartz", 300, 10, 100, 20)], size=SMALL.size, created=EARLIER
    ),
    "ERROR_INVALID_IMAGE_DIMENSION": boxes_line(f"s3://{BUCKET}/images/002.jpg", size=(1000, 1000), created=LATER),
}


def test_bad_lines_and_bad_images_are_named_and_the_others_are_trained(digits: LocalAws, logos: SceneProject) -> None:
    logos.put(FIRST)
    logos.bucket.put("images/cut.jpg", b"\xff\xd8\xff cut off")
    bad = boxes_line(f"s3://{BUCKET}/images/cut.jpg", [("quartz", 10, 10, 40, 40)], size=SMALL.size)
    logos.bucket.write("bad", [*BAD_LINES.values(), bad])

    run = train_by_steps()

    assert run.ends == {"deployed"}, run.note
    plan = run.xcoms["prepare_images"]["plan"]
    assert [code for code in BAD_LINES if code not in plan] == []
    assert "| **all** | 15 | 15 |" in plan
    assert "1: corrupt" in plan


@pytest.mark.matrix
def test_a_backfill_trains_on_the_lines_that_were_there(digits: LocalAws, logos: SceneProject) -> None:
    for number, images in enumerate((range(12), range(12, 24))):
        logos.put(images)
        for key in [*map(logos.key, images), f"annotations/from-{images.start}.manifest"]:
            digits.control.date_objects(BUCKET, key, noon(number))

    first, second = backfill_by_steps(0), backfill_by_steps(1)

    assert (first.ends, second.ends) == ({"trained"}, {"trained"}), (first.note, second.note)
    curve = record(digits, "learning_curve")["versions"]
    assert [point["training_images"] + point["testing_images"] for point in curve] == [12, 24]
    assert record(digits, "live") is None
