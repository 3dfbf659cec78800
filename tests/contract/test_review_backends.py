"""What every review backend promises the loop, whoever answers and wherever."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from botocore.retries.standard import ExponentialBackoff

from custom_labels.core.review_setup import BACKENDS
from custom_labels.review.backends.base import ReviewBackendError
from custom_labels.review.backends.registry import definition_of
from custom_labels.review.opening_records import ReviewOpener
from custom_labels.review.review import Answered, ReviewAnswer, ReviewState, ReviewStatus
from custom_labels.review.waiting_records import WaitingReviews
from tests.kit.review_project import make_request
from tests.kit.review_requests import labels_of
from tests.kit.review_stands import SERVERS, STANDS, Stand

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "liquid": "{{ task.input.labels }}",
    "quotes": "\"; drop 'em",
    "path": "../up",
    "unicode": "größe 数字",
    "entity": "a &amp; b",
    "long": "x" * 200,
}
"""Labels of somebody who means ill, or of somebody who does not write English."""


def test_every_backend_is_tried() -> None:
    assert set(STANDS) == set(BACKENDS)


@pytest.fixture(
    params=[
        pytest.param(name, marks=[pytest.mark.slow, pytest.mark.xdist_group(name)] if name in SERVERS else [])
        for name in sorted(STANDS)
    ]
)
def stand(request: pytest.FixtureRequest, aws: LocalAws) -> Stand:
    if request.param in SERVERS:
        request.getfixturevalue(SERVERS[request.param])
    return STANDS[request.param](aws)


def states(stand: Stand, since: datetime | None = None) -> dict[str, ReviewState]:
    listed = [state for page in stand.backend.states(since or datetime.now(UTC) - timedelta(hours=1)) for state in page]
    assert [state.created_at for state in listed] == sorted(state.created_at for state in listed)
    found = {state.name: state for state in listed}
    assert len(found) == len(listed), "a review is listed twice"
    return found


def answered(stand: Stand, name: str) -> Answered:
    found = stand.backend.answers(states(stand)[name])
    assert found is not None
    return found


def test_what_waits_twice_is_one_review(aws: LocalAws, stand: Stand) -> None:
    request = make_request(aws)

    opened = stand.backend.open([request, request])

    assert opened.new == {request.name}
    assert opened.troubles == ()
    stand.answer(request.name, "rows", "ann")
    stand.wait_until_ended(request.name)
    assert labels_of(answered(stand, request.name)) == ["rows"]
    assert states(stand).keys() == {request.name}


def test_what_is_opened_again_is_one_review(aws: LocalAws, stand: Stand) -> None:
    requests = [make_request(aws, number) for number in range(3)]

    first, second = stand.backend.open(requests[:2]), stand.backend.open(requests[1:])

    assert first.new == {request.name for request in requests[:2]}
    assert second.new | second.known == {request.name for request in requests[1:]}
    assert requests[2].name in second.new
    assert states(stand).keys() == {request.name for request in requests}
    assert {state.status for state in states(stand).values()} == {ReviewStatus.OPEN}


def test_an_answer_comes_back_with_its_question(aws: LocalAws, stand: Stand) -> None:
    chosen, none = make_request(aws, 1), make_request(aws, 2, guess=None)
    stand.backend.open([chosen, none])

    stand.answer(none.name, None, "berta")
    stand.answer(chosen.name, "rows", "anna")
    stand.wait_until_ended(chosen.name, none.name)

    assert {state.status for state in states(stand).values()} == {ReviewStatus.COMPLETED}
    for request, label in ((chosen, "rows"), (none, None)):
        found = answered(stand, request.name)
        assert found.request == request
        assert labels_of(found) == [label]
        (said,) = found.answers
        moment = datetime.fromisoformat(said.submitted_at)
        assert abs(datetime.now(UTC) - moment) < timedelta(minutes=5)


def test_a_person_has_one_answer_of_several(aws: LocalAws, stand: Stand) -> None:
    """Whoever is asked with others is an opaque id: the same for all that they answer, and never their name."""
    one, other = (make_request(aws, number, reviewers=stand.most_reviewers) for number in (1, 2))
    stand.backend.open([one, other])
    people = ["anna", "berta", "carla"][: stand.most_reviewers]

    for request, order in ((one, people), (other, people[::-1])):
        for number, person in enumerate(order):
            stand.answer(request.name, ("rows", "columns", None)[number], person)
    stand.wait_until_ended(one.name, other.name)

    found = [
        {each.reviewer: each.label for each in answered(stand, request.name).answers if isinstance(each, ReviewAnswer)}
        for request in (one, other)
    ]
    assert found[0].keys() == found[1].keys()
    assert len(found[0]) == len(people)
    assert sorted(map(str, found[0].values())) == sorted(map(str, ("rows", "columns", None)[: len(people)]))
    assert not {word for word in found[0] if any(person in word for person in people)}


@pytest.mark.parametrize("label", HOSTILE.values(), ids=HOSTILE)
def test_a_label_is_data(aws: LocalAws, stand: Stand, label: str) -> None:
    request = make_request(aws, guess=label, labels=(label, "rows"))
    stand.backend.open([request])

    stand.answer(request.name, label, "anna")
    stand.wait_until_ended(request.name)

    found = answered(stand, request.name)
    assert (found.request.labels, labels_of(found)) == (request.labels, [label])


def test_what_is_cancelled_has_ended_and_keeps_its_answers(aws: LocalAws, stand: Stand) -> None:
    request = make_request(aws, reviewers=stand.most_reviewers)
    stand.backend.open([request])
    if stand.most_reviewers > 1:
        stand.answer(request.name, "rows", "anna")

    stand.backend.cancel([request.name, "digits-0123456789abcdef-r1"])
    stand.backend.cancel([request.name])
    stand.wait_until_ended(request.name)

    assert states(stand)[request.name].status is ReviewStatus.STOPPED
    found = stand.backend.answers(states(stand)[request.name])
    assert (labels_of(found) if found else []) == ["rows"] * (stand.most_reviewers > 1)


def test_what_it_does_not_know_is_nothing(stand: Stand) -> None:
    assert stand.backend.status("digits-0123456789abcdef-r1") is None
    assert stand.backend.state_from_event({"source": "acme", "detail": {"humanLoopName": "x"}}) is None
    assert stand.backend.state_from_event({}) is None
    assert states(stand) == {}


def test_only_what_was_opened_since_is_listed(aws: LocalAws, stand: Stand) -> None:
    stand.backend.open([make_request(aws)])

    assert states(stand, datetime.now(UTC) + timedelta(minutes=1)) == {}


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_each_review_is_opened_once_however_many_calls_fail(
    aws: LocalAws, stand: Stand, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0)
    monkeypatch.setattr("custom_labels.review.backends.one_by_one.LONGEST_PAUSE", 0.05)
    requests = [make_request(aws, number) for number in range(10)]
    WaitingReviews(stand.store).add("asked", requests)

    with stand.failing(share):
        for _ in range(20):
            with contextlib.suppress(ReviewBackendError):
                ReviewOpener(stand.store, stand.backend, budget=1000).run()
    ReviewOpener(stand.store, stand.backend, budget=1000).run()

    assert states(stand).keys() == {request.name for request in requests}
    assert list(WaitingReviews(stand.store).read()) == []


def test_reviews_wait_while_it_is_down(aws: LocalAws, stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0)
    request = make_request(aws)
    WaitingReviews(stand.store).add("asked", [request])

    with stand.failing(1), pytest.raises(ReviewBackendError) as down:
        ReviewOpener(stand.store, stand.backend, budget=100).run()

    assert down.value.is_passing
    assert [each.request.name for each in WaitingReviews(stand.store).read()] == [request.name]
    assert ReviewOpener(stand.store, stand.backend, budget=100).run().opened == 1
    assert states(stand).keys() == {request.name}


def test_what_it_can_ask_is_said(stand: Stand) -> None:
    definition = definition_of(stand.project)

    assert definition.abilities.most_reviewers >= stand.most_reviewers
    assert definition.abilities.together >= 1
    assert stand.project.task in definition.abilities.tasks
    assert definition.where(stand.project)
