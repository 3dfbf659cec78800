"""Reviews on Airflow's page, on the embedded AWS: opening, asking, answering and ending them, and the project file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from airflow.sdk.exceptions import AirflowSkipException

from custom_labels.core.checks import CheckFailed
from custom_labels.core.run_settings import RunSettings
from custom_labels.core.settings import Project, load_project, read_settings
from custom_labels.errors import SettingError
from custom_labels.operations.announcement_checks import AnnouncementChecks
from custom_labels.review.backends.airflow_page import ask_tasks
from custom_labels.review.backends.airflow_page.ask_operator import AskPersonOperator
from custom_labels.review.backends.airflow_page.backend import AirflowReviewBackend
from custom_labels.review.backends.airflow_page.page_records import ENDED, OPEN, image_link
from custom_labels.review.backends.airflow_page.page_review import GivenAnswer, text_of_moment
from custom_labels.review.backends.base import ReviewBackendFull
from custom_labels.review.backends.registry import definition_of
from custom_labels.review.review import ReviewStatus
from tests.kit.airflow_page import on_airflow_page, set_up_page
from tests.kit.harvests import keys
from tests.kit.review_project import make_request, open_one, since_long
from tests.kit.review_requests import request_for
from tests.kit.support import client, picture
from tests.kit.task_contexts import context, project_context

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    return on_airflow_page(tmp_path, monkeypatch, {"most_open": 3, "questions_at_once": 2})


@pytest.fixture
def backend(aws: LocalAws, project: Project) -> AirflowReviewBackend:
    return set_up_page(aws, project)


def answer(person: str = "w", label: str = "rows") -> GivenAnswer:
    return GivenAnswer(person, (label,), text_of_moment(datetime.now(UTC)))


def status(backend: AirflowReviewBackend, name: str) -> ReviewStatus | None:
    state = backend.status(name)
    return state.status if state else None


def listed(backend: AirflowReviewBackend, since: datetime | None = None) -> list[tuple[str, ReviewStatus]]:
    pages = backend.states(since or since_long())
    return [(state.name, state.status) for page in pages for state in page]


def later(backend: AirflowReviewBackend, **time: float) -> AirflowReviewBackend:
    """Let a backend's clock go on."""
    moved = datetime.now(UTC) + timedelta(**time)
    backend.records.now = lambda: moved
    return backend


def choose(run: str) -> tuple[str, ...]:
    ctx = project_context("digits_ask_people", run_id=run)
    return ask_tasks.choose_reviews.function(ctx, RunSettings(notify_outcomes=())).reviews


# -- opening ------------------------------------------------------------------------------------------------


def test_opening_twice_is_one_review(aws: LocalAws, backend: AirflowReviewBackend) -> None:
    request = make_request(aws)

    assert [open_one(backend, request), open_one(backend, request)] == [True, False]
    assert keys(aws, "reviews/airflow_page/") == [f"{OPEN}{request.name}.json"]
    assert status(backend, "another") is None


def test_what_has_ended_is_not_opened_anew(aws: LocalAws, backend: AirflowReviewBackend) -> None:
    request = make_request(aws)
    open_one(backend, request)
    backend.records.answer(request.name, answer())

    assert not open_one(backend, request)
    # Another that had not seen the end yet.
    assert not backend.records.open(request, timedelta(hours=1))
    assert keys(aws, "reviews/airflow_page/") == [f"{ENDED}{request.name}.json"]


def test_no_more_are_open_than_the_file_allows(aws: LocalAws, backend: AirflowReviewBackend) -> None:
    requests = [make_request(aws, number) for number in range(5)]

    opened = backend.open(requests)
    repeated = backend.open([request for request in requests if request.name in opened.new])
    backend.records.answer(min(opened.new), answer())

    assert (len(opened.new), opened.is_over) == (3, True)
    assert isinstance(opened.troubles[0], ReviewBackendFull)
    assert "'review.airflow.most_open' in digits.yaml" in str(opened.troubles[0])
    assert (repeated.known, repeated.new, repeated.troubles) == (opened.new, frozenset(), ())
    left = [request for request in requests if request.name not in opened.new]
    assert len(backend.open(left).new) == 1


# -- asking -------------------------------------------------------------------------------------------------


def test_the_oldest_are_asked_first_and_by_one_run_at_a_time(aws: LocalAws, backend: AirflowReviewBackend) -> None:
    names = []
    for number in range(3):
        request = make_request(aws, number)
        open_one(backend, request)
        names.append(request.name)

    first, repeated, second, third = choose("one"), choose("one"), choose("two"), choose("three")

    assert (first, second, third) == (tuple(names[:2]), tuple(names[2:]), ())
    assert repeated == first


def test_a_try_that_was_killed_after_the_answer_does_not_ask_again(
    aws: LocalAws, backend: AirflowReviewBackend
) -> None:
    request = make_request(aws)
    open_one(backend, request)
    choose("one")
    backend.records.answer(request.name, answer())

    assert AskPersonOperator(task_id="ask", project="digits", review=request.name).execute(context()) == request.name


@pytest.mark.parametrize("state", ["asked by another run", "no longer open", "unknown"])
def test_what_may_not_be_asked_is_skipped(aws: LocalAws, backend: AirflowReviewBackend, state: str) -> None:
    request = make_request(aws)
    if state != "unknown":
        open_one(backend, request)
        choose("another")
    if state == "no longer open":
        backend.cancel([request.name])

    words = state if state != "unknown" else "no longer open"
    with pytest.raises(AirflowSkipException, match=words):
        AskPersonOperator(task_id="ask", project="digits", review=request.name).execute(context())


# -- ends ---------------------------------------------------------------------------------------------------


def test_one_end_counts_and_is_the_first(aws: LocalAws, backend: AirflowReviewBackend) -> None:
    request = make_request(aws)
    open_one(backend, request)
    open_ = backend.records.read(request.name)
    assert open_ is not None
    first = answer("a", "rows")
    backend.records.answer(request.name, first)

    # Each of these had read it while it was open.
    late = backend.records.end(open_, ReviewStatus.COMPLETED, answer("b", "columns"))
    cancelled = backend.records.end(open_, ReviewStatus.STOPPED)
    backend.cancel([request.name, "unknown"])

    assert late.answer == cancelled.answer == first
    state = backend.status(request.name)
    assert state is not None
    assert (state.status, state.answers_uri) == (
        ReviewStatus.COMPLETED,
        f"s3://{backend.project.bucket}/{ENDED}{request.name}.json",
    )
    found = backend.answers(state)
    assert found is not None
    assert [each.reviewer for each in found.answers] == ["a"]
    assert found.request == request


def test_a_review_expires_at_the_end_of_its_lifetime(aws: LocalAws, backend: AirflowReviewBackend) -> None:
    request = make_request(aws)
    open_one(backend, request)

    assert listed(later(backend, hours=239)) == [(request.name, ReviewStatus.OPEN)]
    assert listed(later(backend, hours=241)) == [(request.name, ReviewStatus.EXPIRED)]
    # It stays so, whatever a clock that is behind says.
    assert backend.records.answer(request.name, answer()) == later(backend, hours=0).records.read(request.name)
    assert status(backend, request.name) is ReviewStatus.EXPIRED


def test_what_a_killed_task_left_of_an_ended_review_is_deleted(aws: LocalAws, backend: AirflowReviewBackend) -> None:
    request = make_request(aws)
    open_one(backend, request)
    body, _ = backend.records.store.read_json(f"{OPEN}{request.name}.json")
    backend.records.answer(request.name, answer())
    backend.records.store.write_json(f"{OPEN}{request.name}.json", body)

    assert listed(backend) == [(request.name, ReviewStatus.COMPLETED)]
    assert choose("one") == ()
    assert keys(aws, OPEN) == []


def test_reviews_are_listed_by_their_age(aws: LocalAws, backend: AirflowReviewBackend) -> None:
    names = []
    for number in range(3):
        request = make_request(aws, number)
        open_one(backend, request)
        names.append(request.name)
    backend.records.answer(names[1], answer())
    second = backend.status(names[1])
    assert second is not None

    assert [name for name, _ in listed(backend)] == names
    assert [name for name, _ in listed(backend, datetime.fromisoformat(second.created_at))] == names[1:]


# -- set-up -------------------------------------------------------------------------------------------------


def test_a_review_that_has_ended_is_read_by_one_call(aws: LocalAws, backend: AirflowReviewBackend) -> None:
    """The open one was asked for first, of each review that was listed, and of each whose answer was read."""
    for number in range(3):
        open_one(backend, request := make_request(aws, number))
        backend.records.answer(request.name, answer())
    aws.control.clear_calls()

    (page,) = backend.states(since_long())
    answered = [backend.answers(state) for state in page]

    assert [len(each.answers) for each in answered if each] == [1, 1, 1]
    calls = {name: entry["calls"] for name, entry in aws.control.calls().items()}
    assert calls == {"s3.ListObjectsV2": 2, "s3.GetObject": 2 * 3}


def test_nothing_is_set_up_and_the_checks_say_what_is_there(aws: LocalAws, backend: AirflowReviewBackend) -> None:
    ctx = project_context("digits_bootstrap")
    ctx.claim()
    definition = definition_of(ctx.project)

    found = {check.subject: check.run() for check in definition.checks(ctx)}

    assert found["questions in Airflow"].startswith("HITLOperator of apache-airflow-providers-standard ")
    assert found["links to images"].endswith("was read by a link")
    assert list(definition.setup_tasks(ctx.project, 1, {})) == []
    assert definition.where(ctx.project).endswith("/dags/digits_ask_people/required_actions?response_received=false")


def test_no_rule_of_eventbridge_is_asked_for(aws: LocalAws, backend: AirflowReviewBackend) -> None:
    ctx, queue = project_context("digits_bootstrap"), "arn:aws:sqs:us-east-1:123456789012:any"
    announced = definition_of(ctx.project).announcements(queue, ctx.project)

    found = AnnouncementChecks(ctx, lambda service: client(aws, service), {"reviews": queue}).reviews(announced)

    assert found == "nothing has to: digits_ask_people triggers the harvest itself"


def test_a_bucket_that_no_link_opens_is_named(aws: LocalAws, backend: AirflowReviewBackend) -> None:
    """Nothing was claimed: there is no such object."""
    ctx = project_context("digits_bootstrap")
    links = [check for check in definition_of(ctx.project).checks(ctx) if check.subject == "links to images"]

    with pytest.raises(
        CheckFailed, match=r"cannot be read by a presigned link: S3 answered 404\. .* Allow s3:GetObject"
    ):
        links[0].run()


def test_an_image_is_read_by_a_link_of_a_few_minutes(aws: LocalAws, backend: AirflowReviewBackend) -> None:
    request = make_request(aws, 1)

    link = image_link(backend.records.store, request.key)

    assert "X-Amz-Expires=300" in link
    assert httpx.get(link).content == picture("rows", 1)


def test_tear_down_ends_what_is_open(aws: LocalAws, backend: AirflowReviewBackend) -> None:
    request = make_request(aws)
    open_one(backend, request)
    definition, store = definition_of(backend.project), backend.records.store

    planned = list(definition.tear_down(backend.project, store, dry_run=True))
    assert status(backend, request.name) is ReviewStatus.OPEN
    done = list(definition.tear_down(backend.project, store, dry_run=False))

    assert planned == done == ["1 open reviews on Airflow's page are ended"]
    assert status(backend, request.name) is ReviewStatus.STOPPED
    assert list(definition.tear_down(backend.project, store, dry_run=False)) == []


def test_boxes_are_refused_when_the_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = r"'review\.backend' in .*digits\.yaml is 'airflow': that backend asks nothing for 'task: object_detection'"
    with pytest.raises(SettingError, match=words):
        on_airflow_page(tmp_path, monkeypatch, task="object_detection")


@pytest.mark.parametrize(
    ("given", "params", "words"),
    [
        ({"digits__reviewers_per_image": "2"}, {}, r"Variable 'digits__reviewers_per_image' is '2': 'review\.backend'"),
        ({}, {"reviewers_per_image": 3}, r"Param 'reviewers_per_image' of this run is '3': 'review\.backend'"),
    ],
    ids=["Variable", "Param"],
)
def test_more_reviewers_than_one_are_refused(
    project: Project, given: dict[str, str], params: dict[str, Any], words: str
) -> None:
    why = r" in digits\.yaml is 'airflow', and that backend asks at most 1 about an image; ask fewer, or choose"
    with pytest.raises(SettingError, match=words + why):
        read_settings(project, given.get, params)


def test_more_reviewers_than_one_are_refused_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_airflow_page(tmp_path, monkeypatch)
    file = tmp_path / "digits.yaml"
    file.write_text(file.read_text().replace("settings:\n", "settings:\n  reviewers_per_image: 2\n"))

    with pytest.raises(SettingError, match=r"'reviewers_per_image' in digits\.yaml is '2': .* Correct the file\."):
        read_settings(load_project("digits"), lambda _: None)


def test_settings_that_do_not_ask_people_are_read_all_the_same(project: Project) -> None:
    read_settings(project, {"digits__reviewers_per_image": "2"}.get, names=("minimum_f1_score",))


def test_a_request_of_another_time_for_several_people_is_opened(backend: AirflowReviewBackend) -> None:
    assert open_one(backend, request_for(reviewers=3))
