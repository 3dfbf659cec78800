"""Reviews at a real Label Studio: opened once each, answered, changed, skipped, stopped, deleted and announced."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Box, ImageSize
from custom_labels.review.backends.base import OpenedTogether
from custom_labels.review.review import BoxesAnswer, LabelsAnswer, Purpose, ReviewAnswer, ReviewRequest, ReviewStatus
from tests.kit.label_studio import (
    Asked,
    account,
    announce_answers,
    announced,
    choice,
    make_project,
    names,
    rectangle,
    set_up_asking,
)
from tests.kit.review_requests import request_for
from tests.kit.support import wait_until

if TYPE_CHECKING:
    from include.label_studio.server import LabelStudio
    from include.local_aws.process import LocalAws

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("label_studio")]

LABELS = ("<script>alert(1)</script>", 'b "c" & {{ x }}', "../ä €")
SIZE = ImageSize(96, 96)
_numbers = itertools.count(1)
Ask = Callable[..., Asked]


@pytest.fixture
def ask(aws: LocalAws, label_studio: LabelStudio) -> Ask:
    """Makes a project of its own at Label Studio."""

    def make(
        *reviewers: int, task: ProjectTask = ProjectTask.IMAGE_CLASSIFICATION, with_storages: bool = False
    ) -> Asked:
        project = make_project(aws, f"backend/{next(_numbers)}", task)
        return set_up_asking(aws, project, *reviewers, labels=LABELS, with_storages=with_storages)

    return make


@pytest.fixture
def person(label_studio: LabelStudio, ask: Ask) -> int:
    """A second account."""
    return account(ask().client, "somebody")


def requests_for(asked: Asked, count: int, **more: Any) -> list[ReviewRequest]:
    """Make requests about images of the project."""
    made = []
    for number in range(count):
        key = f"images_for_detection/{number}.png"
        base = request_for(key, label=LABELS[0], labels=LABELS, task=asked.project.task, **more)
        made.append(replace(base, name=f"{base.name}-{next(_numbers)}", image=asked.store.uri(key)))
    return made


def since_long() -> datetime:
    return datetime.now(UTC) - timedelta(hours=1)


def states(asked: Asked) -> dict[str, ReviewStatus]:
    return {state.name: state.status for page in asked.backend.states(since_long()) for state in page}


def test_reviews_are_opened_once_and_listed_oldest_first(ask: Ask) -> None:
    asked = ask(2)
    one, two = requests_for(asked, 3), requests_for(asked, 2, reviewers=2)

    first = asked.backend.open([*one, *two])
    again = asked.backend.open([*two, *one, *requests_for(asked, 1)])

    assert first == OpenedTogether(new=names([*one, *two]))
    assert (len(again.new), again.troubles) == (1, ())
    assert again.known == names([*one, *two])
    assert [name for name in states(asked) if name in names(one)] == [each.name for each in one]
    assert set(states(asked).values()) == {ReviewStatus.OPEN}
    assert len(states(asked)) == 6


def test_the_guess_is_filled_in_with_its_score_and_not_in_an_audit(ask: Ask) -> None:
    asked = ask()
    doubt, audit = requests_for(asked, 2)
    audit = replace(audit, purpose=Purpose.AUDIT)
    asked.backend.open([doubt, audit])

    (prediction,) = asked.task(doubt.name)["predictions"]
    assert (prediction["score"], prediction["result"]) == (0.43, choice(LABELS[0]))
    assert asked.task(doubt.name)["data"]["version"] == "digits-1"
    assert asked.task(audit.name)["predictions"] == []
    assert (
        asked.client.get(f"/api/projects/{asked.backend.asking[1].id}/")["model_version"] == prediction["model_version"]
    )


def test_an_answer_comes_back_with_its_question(ask: Ask) -> None:
    asked = ask()
    (request,) = requests_for(asked, 1)
    asked.backend.open([request])
    assert states(asked) == {request.name: ReviewStatus.OPEN}

    asked.annotate(request.name, choice(LABELS[1]), lead_time=4.5)
    answered = asked.answered(request.name)
    (answer,) = answered.answers

    assert states(asked) == {request.name: ReviewStatus.COMPLETED}
    assert answered.request == request
    assert isinstance(answer, ReviewAnswer)
    assert (answer.reviewer, answer.label, answer.seconds) == ("label-studio-1", LABELS[1], 4.5)


def test_two_people_are_two_answers_and_a_changed_one_counts_once(ask: Ask, person: int) -> None:
    asked = ask(2)
    (request,) = requests_for(asked, 1, reviewers=2)
    asked.backend.open([request])

    number = asked.annotate(request.name, choice(LABELS[0]))
    assert states(asked) == {request.name: ReviewStatus.OPEN}
    asked.annotate(request.name, choice(LABELS[2]), by=person)
    asked.client.patch(f"/api/annotations/{number}/", {"result": choice(LABELS[1])})
    answers = asked.answered(request.name).answers

    assert states(asked) == {request.name: ReviewStatus.COMPLETED}
    assert [(each.reviewer, each.label) for each in answers if isinstance(each, ReviewAnswer)] == [
        (f"label-studio-{person}", LABELS[2]),
        ("label-studio-1", LABELS[1]),
    ]


def test_a_skipped_image_is_no_answer_and_goes_to_somebody_else(ask: Ask, person: int) -> None:
    asked = ask()
    (request,) = requests_for(asked, 1)
    asked.backend.open([request])

    asked.annotate(request.name, [], was_cancelled=True)
    assert states(asked) == {request.name: ReviewStatus.OPEN}
    (refused,) = asked.answered(request.name).refused
    assert refused.why == "the image was skipped"

    asked.annotate(request.name, choice(LABELS[0]), by=person)
    assert states(asked) == {request.name: ReviewStatus.COMPLETED}
    assert len(asked.answered(request.name).answers) == 1


def test_several_labels_and_boxes_come_back_as_they_were_chosen_and_drawn(ask: Ask) -> None:
    several = ask(task=ProjectTask.MULTI_LABEL_CLASSIFICATION)
    (request,) = requests_for(several, 1, guesses=LABELS[:2])
    several.backend.open([request])
    assert several.task(request.name)["predictions"][0]["result"] == choice(*LABELS[:2])
    several.annotate(request.name, choice(LABELS[2], LABELS[0]))
    (labels,) = several.answered(request.name).answers
    assert isinstance(labels, LabelsAnswer)
    assert labels.labels == tuple(sorted((LABELS[2], LABELS[0])))

    drawn = ask(task=ProjectTask.OBJECT_DETECTION)
    found, empty = requests_for(drawn, 2, boxes=(Box(LABELS[0], 24, 12, 48, 24),), size=SIZE)
    drawn.backend.open([found, empty])
    (guess,) = drawn.task(found.name)["predictions"][0]["result"]
    assert (guess["value"]["x"], guess["value"]["height"]) == (25, 25)
    drawn.annotate(found.name, [guess, rectangle(LABELS[1], 50, 50, 25, 50)])
    drawn.annotate(empty.name, [])
    (boxes,), (nothing,) = drawn.answered(found.name).answers, drawn.answered(empty.name).answers
    assert isinstance(boxes, BoxesAnswer)
    assert boxes.boxes == (Box(LABELS[0], 24, 12, 48, 24), Box(LABELS[1], 48, 48, 24, 48))
    assert isinstance(nothing, BoxesAnswer)
    assert (nothing.boxes, nothing.size) == ((), SIZE)


def test_a_label_that_is_new_later_is_offered_and_no_answer_is_lost(ask: Ask) -> None:
    asked = ask()
    before, after = requests_for(asked, 2)
    asked.backend.open([before])
    asked.annotate(before.name, choice(LABELS[0]))
    asked.backend.open([replace(after, labels=(*LABELS, "new"), label="new")])

    assert asked.backend.asking[1].labels == (*sorted(LABELS), "new")
    assert len(asked.answered(before.name).answers) == 1
    asked.annotate(before.name, choice("new"))
    (answer,) = asked.answered(before.name).answers
    assert isinstance(answer, ReviewAnswer)
    assert answer.label == "new"


def test_a_review_that_was_stopped_is_given_to_nobody_and_late_answers_are_refused(ask: Ask, person: int) -> None:
    asked = ask(2)
    first, second, done = requests_for(asked, 3, reviewers=2)
    asked.backend.open([first, second, done])
    asked.annotate(first.name, choice(LABELS[0]))
    for by in (None, person):
        asked.annotate(done.name, choice(LABELS[0]), by=by)

    for _ in range(2):
        asked.backend.cancel([first.name, second.name, done.name, "unknown"])
    asked.annotate(first.name, choice(LABELS[1]), by=person)

    stopped, completed = ReviewStatus.STOPPED, ReviewStatus.COMPLETED
    assert states(asked) == {first.name: stopped, second.name: stopped, done.name: completed}
    answered = asked.answered(first.name)
    assert [each.reviewer for each in answered.answers] == ["label-studio-1"]
    assert "after the review had been stopped" in answered.refused[0].why
    project = asked.backend.asking[2].id
    assert asked.client.get(f"/api/projects/{project}/next", absent={404}) is None


def test_a_task_that_somebody_deleted_is_unknown_and_may_be_opened_again(ask: Ask) -> None:
    asked = ask()
    (request,) = requests_for(asked, 1)
    asked.backend.open([request])
    asked.client.delete(f"/api/tasks/{asked.task(request.name)['id']}/")

    assert asked.backend.status(request.name) is None
    assert states(asked) == {}
    assert asked.backend.open([request]).new == {request.name}


def test_of_a_review_that_was_opened_twice_one_task_is_left_and_both_are_read(ask: Ask, person: int) -> None:
    from custom_labels.review.backends.label_studio.task_content import task_of

    asked = ask()
    answered, unanswered = requests_for(asked, 2)
    asked.backend.open([answered, unanswered])
    doubles = [task_of(answered), task_of(unanswered)]
    project = asked.backend.asking[1].id
    added = asked.client.post(f"/api/projects/{project}/import", doubles, {"return_task_ids": "true"})["task_ids"]
    asked.client.post(f"/api/tasks/{added[0]}/annotations/", {"result": choice(LABELS[0])})

    assert asked.backend.open([answered, unanswered]).known == {answered.name, unanswered.name}
    assert len(asked.backend._find([unanswered.name])) == 1
    assert states(asked)[answered.name] is ReviewStatus.COMPLETED
    assert len(asked.answered(answered.name).answers) == 1


def test_an_answer_is_written_to_s3_and_announced(ask: Ask) -> None:
    asked = ask(with_storages=True)
    announce_answers(asked)
    (request,) = requests_for(asked, 1)
    asked.backend.open([request])
    asked.annotate(request.name, choice(LABELS[0]))
    found: list[dict[str, Any]] = []

    def receive() -> bool:
        found.extend(announced(asked))
        return any("Records" in each for each in found)

    wait_until(receive)

    # S3 begins with a message of its own, to test the way.
    read = [asked.backend.state_from_event(each) for each in found]
    assert [(state.name, state.status) for state in read if state] == [(request.name, ReviewStatus.COMPLETED)]


def test_a_request_that_cannot_be_shown_is_refused_and_others_are_opened(ask: Ask) -> None:
    asked = ask()
    good, bad = requests_for(asked, 2)
    opened = asked.backend.open([replace(bad, key="images_for_detection/what?.png"), good])

    assert opened.new == {good.name}
    assert [str(each) for each in opened.troubles if "Put the image under another name" in str(each)]
    assert not opened.is_over
