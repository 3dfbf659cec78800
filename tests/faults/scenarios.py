"""The runs of the crash matrix: how each begins, and what must be so after it was killed and run again.

To add one: a ``Scenario`` here, then ``make crash-points``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from custom_labels.core.project_task import ProjectTask
from custom_labels.core.settings import load_project
from custom_labels.datasets.annotations.annotation import ImageSize
from tests.faults import invariants
from tests.kit.airflow_page import set_up_page
from tests.kit.annotation_lines import boxes_line
from tests.kit.assist_runs import put_unlabelled
from tests.kit.dag_runs import Run
from tests.kit.deploy_runs import serve_in_turn
from tests.kit.detect_runs import put, serve
from tests.kit.harvests import ask, submit
from tests.kit.labeling import answer_image, set_up_labeling
from tests.kit.review_project import ReviewProject, make_request, open_one, set_up_review, stop, wait_until_ended
from tests.kit.scene_runs import put_scene, serve_scenes
from tests.kit.scenes import SceneProject
from tests.kit.support import BUCKET, SIDE, client, picture, put_images, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

    RunDag = Callable[[str], Run]

COMMON = {
    "status_poll_seconds": 1,
    "minimum_untrained_images": 10,
    "minimum_f1_score": 0,
    "drain_seconds": 0,
    "detections_per_unit_second": 500,
}


@dataclass(frozen=True)
class Scenario:
    """A run to kill.

    :param kind: which DAG, by the name of its file.
    :param prepare: makes the state that it begins in; is given the embedded AWS and a way to run a DAG.
    :param check: raises when something is not as it must be after the second run.
    :param settings: Airflow Variables, by the names of their settings.
    :param conf: Params of the run that is killed, and ``params`` of every run.
    :param paid: globs on names of calls: where money is spent or a pointer moves. ``make test`` kills after these.
    :param is_kept: whether the beginning is made once a session and brought back for every point.
    :param group: the tests of a group share a process, and so what is kept.
    :param is_cleared: whether it is the killed run that is cleared and runs again, instead of the next one that runs:
        a person wanted just this one.
    :param pause: seconds after which what a killed worker held comes free.
    :param task: the project's.
    :param backend: the project's review backend.
    """

    kind: str
    prepare: Callable[[LocalAws, RunDag], None]
    check: Callable[[LocalAws, Mapping[str, Any]], None]
    paid: tuple[str, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    conf: dict[str, Any] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    is_kept: bool = False
    group: str = "crash"
    is_cleared: bool = False
    pause: float = 0
    task: ProjectTask = ProjectTask.IMAGE_CLASSIFICATION
    backend: str = "a2i"


def first_images(aws: LocalAws, run_dag: RunDag) -> None:
    """Images, and nothing trained yet."""
    client(aws, "sns").create_topic(Name="custom-labels-digits")
    put_images(aws, 10)


def first_scenes(aws: LocalAws, run_dag: RunDag) -> None:
    """Scenes with boxes, and nothing trained yet."""
    client(aws, "sns").create_topic(Name="custom-labels-digits")
    SceneProject(aws, ProjectTask.OBJECT_DETECTION).put(range(16))


def a_version_and_more_images(aws: LocalAws, run_dag: RunDag) -> None:
    """A version that serves, and images that it has not seen."""
    first_images(aws, run_dag)
    assert run_dag("train").state == "success"
    put_images(aws, 10, start=10)


def two_versions(aws: LocalAws, run_dag: RunDag) -> None:
    """A version that serves, and the one before it, which has stopped."""
    client(aws, "sns").create_topic(Name="custom-labels-digits")
    serve_in_turn(aws, "v1", "v2")


def a_whole_project(aws: LocalAws, run_dag: RunDag) -> None:
    """Two versions, of which one runs, datasets, and reviews that are open at Amazon A2I."""
    review_project = set_up_review(aws, reviewers=(1,))
    serve_in_turn(aws, "v1", "v2")
    ask(review_project, make_request(aws, 1))


def doubtful_images(aws: LocalAws, run_dag: RunDag) -> None:
    """A version that serves, new images, and people who are asked about everything that it says."""
    set_up_review(aws, reviewers=(1,))
    serve(aws)
    for number in range(invariants.DOUBTFUL):
        put(aws, f"{number}.png", picture("rows", number))


def unlabelled_images(aws: LocalAws, run_dag: RunDag) -> None:
    """A version that serves, images without labels, and people who answer nothing before the wait for them ends."""
    set_up_review(aws, reviewers=(1,))
    serve(aws)
    put_unlabelled(aws, invariants.UNLABELLED // 2)


def doubtful_scenes(aws: LocalAws, run_dag: RunDag) -> None:
    """A version that serves and finds objects, new images, and people who are asked about every box."""
    set_up_review(aws, reviewers=(1,))
    serve_scenes(aws, ProjectTask.OBJECT_DETECTION)
    for number in range(invariants.DOUBTFUL):
        put_scene(aws, number)


def doubtful_images_for_a_job(aws: LocalAws, run_dag: RunDag) -> None:
    """As with A2I, and people are asked by labeling jobs."""
    set_up_labeling(aws)
    serve(aws)
    for number in range(invariants.DOUBTFUL):
        put(aws, f"{number}.png", picture("rows", number))


def open_questions(aws: LocalAws, run_dag: RunDag) -> None:
    """Reviews that are open on Airflow's page, and nobody was asked."""
    backend = set_up_page(aws, load_project("digits"))
    for number in range(invariants.ANSWERED):
        assert open_one(backend, make_request(aws, number))


def answers(aws: LocalAws, run_dag: RunDag) -> None:
    """Images that people have labelled, and a review that was stopped, which asks for a further round."""
    review_project = set_up_review(aws, reviewers=(1,))
    asked = [make_request(aws, number) for number in range(invariants.ANSWERED + 1)]
    ask(review_project, asked[-1])
    stop(review_project, asked[-1].name)
    aws.control.workforce(seconds=0)
    ask(review_project, *asked[:-1])
    wait_until_ended(review_project, *(request.name for request in asked))
    aws.control.dismiss_workforce()


def answers_of_a_job(aws: LocalAws, run_dag: RunDag) -> None:
    """Images that people have labelled in one labeling job, and another job that was stopped before anybody did."""
    project, store, backend = set_up_labeling(aws)
    review_project = ReviewProject(project, store, cast("Any", backend), {})
    asked = [make_request(aws, number) for number in range(invariants.ANSWERED + 1)]
    ask(review_project, asked[-1])
    backend.stop(backend.files.claims({asked[-1].name})[asked[-1].name])
    ask(review_project, *asked[:-1])
    for request in asked[:-1]:
        answer_image(aws, backend, request.name, "rows")
    wait_until_ended(review_project, *(request.name for request in asked))


def drawn_boxes(aws: LocalAws, run_dag: RunDag) -> None:
    """Images that people drew boxes on, one on which there is nothing, and an answer that cannot be counted."""
    review_project = set_up_review(aws, reviewers=(1,))
    task, labels, size = ProjectTask.OBJECT_DETECTION, ("bee", "wasp"), ImageSize(SIDE, SIDE)
    asked = [
        make_request(aws, number, task=task, labels=labels, size=size) for number in range(invariants.ANSWERED + 2)
    ]
    ask(review_project, *asked)
    *boxes, nothing, refused = asked
    frame = {"inputImageProperties": {"width": SIDE, "height": SIDE}, "initialValueModified": True}
    for request in boxes:
        box = {"label": "bee", "left": 10, "top": 20, "width": 30, "height": 40}
        submit(aws, request.name, {"boundingBoxes": [box], **frame})
    submit(aws, nothing.name, {"boundingBoxes": [], **frame})
    beside = {"label": "bee", "left": SIDE + 10, "top": 20, "width": 30, "height": 40}
    submit(aws, refused.name, {"boundingBoxes": [beside], **frame})
    wait_until_ended(review_project, *(request.name for request in asked))


def folders_of_another_bucket(aws: LocalAws, run_dag: RunDag) -> None:
    """Folders of images in another bucket, of which the project has one image with another label."""
    client(aws, "sns").create_topic(Name="custom-labels-digits")
    for name in (BUCKET, invariants.OTHER_BUCKET):
        s3(aws).create_bucket(Bucket=name)
    for key, body in invariants.imported_images().items():
        s3(aws).put_object(Bucket=invariants.OTHER_BUCKET, Key=f"old/{key}", Body=body)
    mine = invariants.imported_images()["columns/a.png"]
    s3(aws).put_object(Bucket=BUCKET, Key="images_labeled_by_folder/rows/mine.png", Body=mine)


def manifest_of_another_bucket(aws: LocalAws, run_dag: RunDag) -> None:
    """A manifest with boxes, and a line that cannot be used; of one image the project has other boxes."""
    folders_of_another_bucket(aws, run_dag)
    lines = [
        boxes_line(f"s3://{invariants.OTHER_BUCKET}/old/{key}", [invariants.IMPORTED_BOX], size=(SIDE, SIDE))
        for key in invariants.imported_images()
    ]
    mine = f"s3://{BUCKET}/images_labeled_by_folder/rows/mine.png"
    lines.append(boxes_line(mine, [invariants.IMPORTED_BOX], size=(SIDE, SIDE)))
    body = "".join(f"{json.dumps(line)}\n" for line in lines) + "no line\n"
    s3(aws).put_object(Bucket=invariants.OTHER_BUCKET, Key="old/output.manifest", Body=body.encode())
    kept = boxes_line(mine, [("wasp", 1, 1, 9, 9)], size=(SIDE, SIDE), created="2026-06-01T00:00:00")
    s3(aws).put_object(Bucket=BUCKET, Key="annotations/mine.manifest", Body=json.dumps(kept).encode())


SCENARIOS = {
    "train_first": Scenario(
        "train",
        first_images,
        invariants.one_round,
        ("rekognition.CreateProjectVersion *",),
        {"inspect_images": "true"},
        is_kept=True,
    ),
    "train_second": Scenario(
        "train",
        a_version_and_more_images,
        invariants.two_rounds,
        ("s3.PutObject registry/live.json *",),
        is_kept=True,
        group="crash of a second round",
    ),
    "train_boxes": Scenario(
        "train",
        first_scenes,
        invariants.one_round,
        ("rekognition.CreateProjectVersion *",),
        is_kept=True,
        task=ProjectTask.OBJECT_DETECTION,
    ),
    "rollback": Scenario(
        "rollback",
        two_versions,
        invariants.former_version_serves,
        ("rekognition.StopProjectVersion *",),
        is_kept=True,
        is_cleared=True,
    ),
    "teardown": Scenario(
        "teardown",
        a_whole_project,
        invariants.nothing_is_left,
        ("rekognition.DeleteProject *",),
        params={"dry_run": False},
    ),
    "teardown_with_objects": Scenario(
        "teardown",
        a_whole_project,
        invariants.no_object_is_left,
        ("s3.DeleteObjects *",),
        params={"dry_run": False, "delete_images_and_records": True, "confirm_project_name": "digits"},
    ),
    "detect": Scenario(
        "detect",
        doubtful_images,
        invariants.every_image_detected,
        ("*.StartHumanLoop * 1",),
        {"minimum_label_detection_confidence": 100},
        conf={"visibility_seconds": 3},
        pause=3,
    ),
    "detect_boxes": Scenario(
        "detect",
        doubtful_scenes,
        invariants.every_image_detected,
        ("s3.PutObject detections/* 1",),
        {"minimum_label_detection_confidence": 100},
        conf={"visibility_seconds": 3},
        pause=3,
        task=ProjectTask.OBJECT_DETECTION,
    ),
    "harvest": Scenario(
        "harvest_reviews",
        answers,
        invariants.every_answer_harvested,
        ("s3.CopyObject * 1",),
        {"enable_automatic_training": "false"},
    ),
    "harvest_boxes": Scenario(
        "harvest_reviews",
        drawn_boxes,
        invariants.every_box_harvested,
        ("s3.PutObject annotations/reviewed/* 1",),
        {"enable_automatic_training": "false"},
        task=ProjectTask.OBJECT_DETECTION,
    ),
    "ask_people": Scenario(
        "ask_people",
        open_questions,
        invariants.every_question_answered,
        ("s3.PutObject reviews/airflow_page/ended/* 1",),
        is_cleared=True,
        backend="airflow",
    ),
    "detect_ground_truth": Scenario(
        "detect",
        doubtful_images_for_a_job,
        invariants.every_image_in_one_job,
        ("sagemaker.CreateLabelingJob *",),
        {"minimum_label_detection_confidence": 100},
        conf={"visibility_seconds": 3},
        pause=3,
        backend="ground_truth",
    ),
    "harvest_ground_truth": Scenario(
        "harvest_reviews",
        answers_of_a_job,
        invariants.every_answer_of_a_job_harvested,
        ("s3.CopyObject * 1",),
        {"enable_automatic_training": "false"},
        backend="ground_truth",
    ),
    "label_assist": Scenario(
        "label_assist",
        unlabelled_images,
        invariants.every_image_asked_about,
        ("*.StartHumanLoop * 1",),
        params={"wait_hours": 0.000_001},
    ),
    "import": Scenario(
        "import_dataset",
        folders_of_another_bucket,
        invariants.every_image_imported,
        ("s3.CopyObject images_labeled_by_folder/columns/a* 1",),
        {"enable_automatic_training": "false"},
        params={"source": f"s3://{invariants.OTHER_BUCKET}/old/", "on_conflict": "replace"},
    ),
    "import_boxes": Scenario(
        "import_dataset",
        manifest_of_another_bucket,
        invariants.every_line_imported,
        ("s3.PutObject annotations/imported/* 1",),
        {"enable_automatic_training": "false"},
        params={"source": f"s3://{invariants.OTHER_BUCKET}/old/output.manifest", "on_conflict": "replace"},
        task=ProjectTask.OBJECT_DETECTION,
    ),
}
