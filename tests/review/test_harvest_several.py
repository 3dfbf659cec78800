"""Harvesting several labels and boxes at a real A2I of the embedded AWS: what comes of them for the next training."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Annotation, Box, ImageSize
from custom_labels.datasets.annotations.kinds import KINDS
from custom_labels.datasets.images import LeftOut
from custom_labels.datasets.project_snapshot_records import count_project
from custom_labels.datasets.snapshot import ImageSnapshot
from custom_labels.review import harvest_writer
from custom_labels.review.review import ReviewRequest
from tests.kit.harvests import Harvest, ask, copies, fates, keys, ledger, lines, submit
from tests.kit.review_project import ReviewProject, loops, make_request, wait_until_ended
from tests.kit.support import BUCKET, SIDE, picture, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

BOXES, SEVERAL = ProjectTask.OBJECT_DETECTION, ProjectTask.MULTI_LABEL_CLASSIFICATION
SIZE = ImageSize(SIDE, SIDE)
LABELS = ("bee", "wasp")
REVIEWED = "annotations/reviewed/"
IMAGES = "images_reviewed/"
WHOLE = {"width": SIDE, "height": SIDE}
BEE = {"label": "bee", "left": 10, "top": 20, "width": 30, "height": 40}
WASP = {"label": "wasp", "left": 50, "top": 50, "width": 30, "height": 30}


def boxes(*drawn: dict[str, Any], size: dict[str, int] = WHOLE) -> dict[str, Any]:
    return {"boundingBoxes": list(drawn), "inputImageProperties": size}


def labels(*chosen: str) -> dict[str, Any]:
    return {"labels": list(chosen)}


def request_for(aws: LocalAws, number: int = 1, task: ProjectTask = BOXES, **changes: Any) -> ReviewRequest:
    fields = {"labels": LABELS, "task": task, "size": SIZE if task is BOXES else None, **changes}
    return make_request(aws, number, guess="bee", **fields)


def answered(aws: LocalAws, project: ReviewProject, request: ReviewRequest, *answers: dict[str, Any]) -> ReviewRequest:
    """Open a review and let one person after the other answer it."""
    ask(project, request)
    for number, answer in enumerate(answers):
        submit(aws, request.name, answer, f"worker-{number}")
    wait_until_ended(project, request.name)
    return request


def annotated(aws: LocalAws, task: ProjectTask = BOXES) -> list[Annotation]:
    """Read all lines that harvests wrote as a snapshot reads them."""
    found = []
    for line in lines(aws, REVIEWED):
        read = KINDS[task].parse(json.dumps(line))
        assert isinstance(read, Annotation), read
        found.append(read)
    return found


def counted(project: ReviewProject, task: ProjectTask = BOXES) -> ImageSnapshot:
    return count_project(project.store, task, as_of=datetime.now(UTC) + timedelta(minutes=1), trained=None)


def test_boxes_become_a_line_that_the_next_training_reads(aws: LocalAws, review_project: ReviewProject) -> None:
    moved = {**BEE, "left": 12, "height": 44}
    request = answered(aws, review_project, request_for(aws, reviewers=2), boxes(BEE, WASP), boxes(WASP, moved))

    result = Harvest(review_project, quorum=2).run()

    assert (result["copied"], result["labelled"]) == (1, 1)
    target = f"{IMAGES}{request.name.removesuffix('-r1')}.png"
    assert keys(aws, IMAGES) == [target]
    assert s3(aws).get_object(Bucket=BUCKET, Key=target)["Body"].read() == picture("rows", 1)
    (line,) = lines(aws, REVIEWED)
    assert line["review"] == {
        "name": request.name,
        "people": 2,
        "votes": [["bee", 2], ["wasp", 2]],
        "image": request.image,
        "etag": request.etag,
        "version": "digits-1",
        "harvested-at": ledger(aws)[0]["harvested_at"],
    }
    (found,) = annotated(aws)
    assert (found.source_ref, found.size) == (f"s3://{BUCKET}/{target}", SIZE)
    assert found.boxes == (Box("bee", 11, 20, 30, 42, 1), Box("wasp", 50, 50, 30, 30, 1))
    assert (found.provenance.human_annotated, found.provenance.job) == ("yes", request.name)
    assert found.created.isoformat(timespec="milliseconds") == ledger(aws)[0]["answers"][1]["submitted_at"]


def test_several_labels_become_a_line_that_the_next_training_reads(
    aws: LocalAws, review_project: ReviewProject
) -> None:
    request = request_for(aws, task=SEVERAL, reviewers=3)
    answered(aws, review_project, request, labels("bee", "wasp"), labels("bee"), labels("bee", "wasp"))

    Harvest(review_project, quorum=2).run()

    (found,) = annotated(aws, SEVERAL)
    assert {each.label: each.confidence for each in found.image_labels} == {"bee": 1, "wasp": pytest.approx(2 / 3)}


@pytest.mark.parametrize(("task", "answer"), [(BOXES, boxes(BEE, WASP)), (SEVERAL, labels("bee", "wasp"))])
def test_the_next_training_counts_what_people_annotated(
    aws: LocalAws, review_project: ReviewProject, task: ProjectTask, answer: dict[str, Any]
) -> None:
    for number in (1, 2):
        answered(aws, review_project, request_for(aws, number, task), answer)
    Harvest(review_project).run()

    snapshot = counted(review_project, task)

    assert (snapshot.images, snapshot.untrained) == (2, 2)
    assert [(label.label, label.images) for label in snapshot.labels] == [("bee", 2), ("wasp", 2)]


@pytest.mark.parametrize(
    ("task", "answer"),
    [(BOXES, boxes()), (SEVERAL, labels("None of the above")), (SEVERAL, labels())],
    ids=["no box", "none of the above", "no label"],
)
def test_that_nothing_is_there_is_kept_and_not_trained_on(
    aws: LocalAws, review_project: ReviewProject, task: ProjectTask, answer: dict[str, Any]
) -> None:
    answered(aws, review_project, request_for(aws, task=task), answer)

    result = Harvest(review_project).run()

    assert (result["copied"], result["empty"], result["labelled"]) == (1, 1, 0)
    assert ledger(aws)[0]["agreement"] == "none_fits"
    assert len(keys(aws, IMAGES)) == 1
    assert [found.labels for found in annotated(aws, task)] == [()]
    snapshot = counted(review_project, task)
    assert (snapshot.images, dict(snapshot.left_out)) == (0, {LeftOut.NOTHING_THERE.value: 1})


def test_an_image_that_shows_none_of_several_labels_may_have_a_label_for_that(
    aws: LocalAws, review_project: ReviewProject
) -> None:
    answered(aws, review_project, request_for(aws, task=SEVERAL), labels())

    result = Harvest(review_project, none_label="other").run()

    assert result["labelled"] == 1
    assert [found.labels for found in annotated(aws, SEVERAL)] == [("other",)]
    assert ledger(aws)[0]["votes"] == [[None, 1]]


def test_people_who_disagree_are_joined_by_one_more(aws: LocalAws, review_project: ReviewProject) -> None:
    request = answered(aws, review_project, request_for(aws, reviewers=2), boxes(BEE, WASP), boxes(BEE))
    runs = Harvest(review_project, quorum=2)

    runs.run()
    assert lines(aws, REVIEWED) == []
    second = request.name.replace("-r1", "-r2")
    submit(aws, second, boxes(WASP, BEE), "worker-2")
    wait_until_ended(review_project, second)
    runs.run()

    assert fates(aws) == ["asked_again", "copied"]
    assert len(ledger(aws)[1]["answers"]) == 3
    (found,) = annotated(aws)
    assert [(box.label, round(box.confidence, 2)) for box in found.boxes] == [("bee", 1), ("wasp", 0.67)]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (boxes({**BEE, "label": "cat"}), "a box has the label 'cat', which was not offered"),
        (boxes(BEE, size={"width": 2 * SIDE, "height": SIDE}), "it is drawn on a picture of 192 x 96 pixels"),
        (boxes({**BEE, "left": 500}), "is beside the 96 x 96 picture"),
        ({}, "it has no 'inputImageProperties'"),
        (labels("bee"), "it has no 'inputImageProperties'"),
    ],
    ids=["another label", "another picture", "beside the picture", "empty", "another page"],
)
def test_an_answer_that_cannot_be_counted_is_on_record_and_asked_again(
    aws: LocalAws, review_project: ReviewProject, answer: dict[str, Any], why: str
) -> None:
    request = answered(aws, review_project, request_for(aws), answer)

    result = Harvest(review_project).run()

    assert (result["asked_again"], result["refused"]) == (1, 1)
    (line,) = ledger(aws)
    assert why in line["refused"][0]["why"]
    assert line["refused"][0]["reviewer"]
    assert line["reason"].startswith("no answer can be counted: ")
    assert request.name.replace("-r1", "-r2") in loops(review_project)
    assert len(keys(aws, "a2i-human-loop-data/")) == 1


def test_an_answer_over_the_edge_is_clipped_with_a_note(aws: LocalAws, review_project: ReviewProject) -> None:
    answered(aws, review_project, request_for(aws), boxes({**BEE, "left": 80}))

    Harvest(review_project).run()

    assert annotated(aws)[0].boxes == (Box("bee", 80, 20, 16, 40),)
    (answer,) = ledger(aws)[0]["answers"]
    assert answer["notes"] == ["the box of 'bee' at left 80, top 20 reached over the edge and was clipped"]


def test_what_custom_labels_does_not_take_is_on_record(aws: LocalAws, review_project: ReviewProject) -> None:
    name = "\N{GRINNING FACE}" * 256
    answered(aws, review_project, request_for(aws, labels=(name, "x" * 300)), boxes({**BEE, "label": "x" * 300}))

    Harvest(review_project).run()

    assert fates(aws) == ["not_usable"]
    assert "has 300 characters: expected 1 to" in ledger(aws)[0]["reason"]
    assert keys(aws, IMAGES) == keys(aws, REVIEWED) == []


@pytest.mark.parametrize("label", ["<script>alert(1)</script>", "{{ task.input }}", "../../registry/live.json", "蜂 é"])
def test_a_label_is_only_a_text(aws: LocalAws, review_project: ReviewProject, label: str) -> None:
    answered(aws, review_project, request_for(aws, labels=(label,)), boxes({**BEE, "label": label}))

    Harvest(review_project).run()

    assert annotated(aws)[0].labels == (label,)
    assert [key for key in keys(aws, "") if ".." in key] == []


@pytest.mark.parametrize("change", ["replaced", "gone"])
def test_an_image_that_is_not_the_one_that_people_saw_is_not_annotated(
    aws: LocalAws, review_project: ReviewProject, change: str
) -> None:
    request = answered(aws, review_project, request_for(aws), boxes(BEE))
    if change == "gone":
        s3(aws).delete_object(Bucket=BUCKET, Key=request.key)
    else:
        s3(aws).put_object(Bucket=BUCKET, Key=request.key, Body=picture("columns", 7))

    Harvest(review_project).run()

    assert fates(aws) == [change]
    assert keys(aws, IMAGES) == keys(aws, REVIEWED) == []


class Killed(BaseException):
    """The worker was killed here."""


@pytest.mark.parametrize(
    ("when", "step", "is_repeated"),
    [
        ("after", "copy_image", True),
        ("before", "write_reviewed", False),
        ("after", "write_reviewed", True),
        ("after", "write_reviewed", False),
        ("after", "write_ledger", True),
    ],
    ids=lambda value: {True: "the task again", False: "the next run"}.get(value, value),
)
def test_a_harvest_that_is_killed_loses_nothing_and_does_nothing_twice(
    aws: LocalAws,
    review_project: ReviewProject,
    monkeypatch: pytest.MonkeyPatch,
    when: str,
    step: str,
    is_repeated: bool,
) -> None:
    for number in (1, 2):
        answered(aws, review_project, request_for(aws, number), boxes(BEE))
    runs = Harvest(review_project)
    kill_at(monkeypatch, step, when)
    with pytest.raises(Killed):
        runs.run()
    monkeypatch.undo()

    if is_repeated:
        runs.runs -= 1
    runs.run(is_repeated=is_repeated)
    runs.run()

    assert fates(aws) == ["copied", "copied"]
    assert len(keys(aws, IMAGES)) == 2
    found = annotated(aws)
    assert len({each.source_ref for each in found}) == 2
    assert {each.boxes for each in found} == {(Box("bee", 10, 20, 30, 40),)}
    assert counted(review_project).images == 2


def kill_at(monkeypatch: pytest.MonkeyPatch, step: str, when: str) -> None:
    """Let a worker be killed before or after it does something."""
    does: Callable[..., Any] = getattr(harvest_writer, step)

    def killed(*args: Any) -> Any:
        if when == "after":
            does(*args)
        raise Killed

    monkeypatch.setattr(harvest_writer, step, killed)


@pytest.mark.usefixtures("short_retries")
def test_throttled_calls_only_take_longer(aws: LocalAws, review_project: ReviewProject) -> None:
    for number in range(4):
        answered(aws, review_project, request_for(aws, number), boxes(BEE))
    aws.control.faults({"operation": "s3.*", "kind": "throttle", "share": 0.4})

    Harvest(review_project).run()

    aws.control.faults()
    assert fates(aws) == ["copied"] * 4
    assert counted(review_project).images == 4


def test_the_newest_line_of_an_image_counts(aws: LocalAws, review_project: ReviewProject) -> None:
    answered(aws, review_project, request_for(aws), boxes(BEE))
    Harvest(review_project).run()
    before = counted(review_project)
    (line,) = lines(aws, REVIEWED)
    line["bounding-box"]["annotations"][0]["left"] += 5
    line["bounding-box-metadata"]["creation-date"] = "2019-01-01T00:00:00"
    review_project.store.call("put_object", "annotations/older.manifest", Body=json.dumps(line).encode())

    assert counted(review_project).digest == before.digest


def test_labels_in_folders_are_harvested_as_ever(aws: LocalAws, review_project: ReviewProject) -> None:
    answered(aws, review_project, make_request(aws), {"label": "rows"})

    Harvest(review_project).run()

    assert copies(aws) == ["rows"]
    assert keys(aws, REVIEWED) == []
