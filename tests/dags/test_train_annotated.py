"""Projects of boxes and of several labels: trained, judged on the same images, swapped and rolled back, for real."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.core.project_task import ProjectTask
from custom_labels.core.registry import Registry
from custom_labels.evaluation.decision_records import Decisions
from custom_labels.evaluation.judged_record import JudgedRecord
from include.demo.scenes import LABELS
from tests.kit.dag_runs import Variables, record, statuses
from tests.kit.scenes import SceneProject, digits_of
from tests.kit.support import effects
from tests.kit.task_contexts import project_context
from tests.kit.train_steps import train_by_steps

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("scenes")]

TASKS = (ProjectTask.OBJECT_DETECTION, ProjectTask.MULTI_LABEL_CLASSIFICATION)
FIRST, SECOND = range(16), range(16, 48)
"""Scenes that the first version knows, and those that come for the second."""


def scene_project(
    aws: LocalAws, task: ProjectTask, folder: Path, monkeypatch: pytest.MonkeyPatch, variables: Variables
) -> SceneProject:
    variables.set(minimum_f1_score=0, test_share=0.3, detections_per_unit_second=500)
    digits_of(task, folder, monkeypatch)
    return SceneProject(aws, task)


@pytest.fixture(params=TASKS)
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
    assert set(live["labels"]) == set(LABELS)

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
    assert same["challenger"]["overall"]["f1"] > same["champion"]["overall"]["f1"]
    assert len(same["flips"]) > 0
    curve = record(digits, "learning_curve")["versions"]
    assert [point["training_images"] + point["testing_images"] for point in curve] == [16, 48]

    third = train_by_steps()
    assert third.ends == {"nothing_to_do"}
    assert effects(digits, "CreateProjectVersion") == 2
