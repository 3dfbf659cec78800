"""Reviews that fail for a technical reason: no answer, no round, no budget, told once, asked again after the repair."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from custom_labels.core.settings import projects_dir
from custom_labels.review.backends.a2i.backend import A2IReviewBackend
from custom_labels.review.opening_records import HALT, ReviewBudget
from tests.kit.dag_runs import Variables, record, run_dag
from tests.kit.harvests import Harvest, answer_all, ask, copies, fates, ledger, waiting
from tests.kit.review_project import ReviewProject, loops, make_request, set_up_review, wait_until_ended
from tests.kit.step_runs import harvest_by_steps
from tests.kit.support import client

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.slow

GOOD = (
    '<crowd-image-classifier name="shown" src="{{ task.input.taskObject | grant_read_access }}" '
    'categories="[{% for label in task.input.labels %}{{ label | to_json | escape }}, {% endfor %}&quot;None of the '
    'above&quot;]"></crowd-image-classifier>'
)
BROKEN = GOOD.replace("taskObject", "key")
ONE_BREAKS = GOOD + '{% if task.input.key contains "0001" %}{{ "no uri" | grant_read_access }}{% endif %}'
WHY = "Task failed to render: [ InvalidParameters: '\"grant_read_access\" input is not a valid S3 URI' ]"


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The project's own page, to be written."""
    digits = (projects_dir() / "digits.yaml").read_text()
    (tmp_path / "digits.yaml").write_text(digits.replace("  a2i:\n", "  a2i:\n    template: mine.html\n"))
    monkeypatch.setenv("CUSTOM_LABELS_PROJECTS_DIR", str(tmp_path))
    return tmp_path / "mine.html"


@pytest.fixture
def mail(aws: LocalAws) -> str:
    """A queue that gets the project's messages."""
    topic = client(aws, "sns").create_topic(Name="custom-labels-digits")["TopicArn"]
    queue: str = client(aws, "sqs").create_queue(QueueName="mail")["QueueUrl"]
    client(aws, "sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:mail")
    return queue


def room(review_project: ReviewProject, budget: int) -> int:
    return ReviewBudget(review_project.store, datetime.now(UTC).date()).read().room(budget)


def test_reviews_that_all_fail_are_asked_again_after_the_repair(
    aws: LocalAws, airflow_db: None, variables: Variables, page: Path, mail: str
) -> None:
    """Each failed harvest was a round and was charged, so that after the repair nobody was ever asked again."""
    page.write_text(BROKEN)
    review_project = set_up_review(aws)
    variables.set(maximum_review_rounds=1, daily_review_budget=4)
    asked = [make_request(aws, number) for number in range(4)]
    ask(review_project, *asked)
    wait_until_ended(review_project, *(each.name for each in asked))

    failed, still = harvest_by_steps(), harvest_by_steps()

    assert (failed.outcome, still.outcome) == ("review_trouble", "nothing_to_harvest")
    assert f"4 reviews failed before anybody could answer: {WHY}" in failed.note
    assert fates(aws) == ["technical_failure"] * 4
    assert [(line["round"], line["attempt"]) for line in waiting(aws)] == [(1, 2)] * 4
    assert (len(loops(review_project)), room(review_project, 4)) == (4, 4)
    facts = record(aws, "last_run/digits_harvest_reviews")["facts"]
    assert WHY in facts["Trouble while opening"]
    messages = client(aws, "sqs").receive_message(QueueUrl=mail, MaxNumberOfMessages=10)["Messages"]
    subjects = [json.loads(message["Body"])["Subject"] for message in messages]
    assert [subject for subject in subjects if "reviews fail" in subject] == subjects
    assert len(subjects) == 1

    page.write_text(GOOD)
    assert run_dag("bootstrap").state == "success"
    repaired = harvest_by_steps()
    assert repaired.facts["Reviews opened"] == 4
    assert room(review_project, 4) == 0
    for each in asked:
        answer_all(aws, review_project, f"{each.name}x2", ["rows"])
    harvest_by_steps()

    assert fates(aws) == ["technical_failure"] * 4 + ["copied"] * 4
    assert copies(aws) == ["rows"] * 4


def test_one_probe_is_opened_when_nothing_was_repaired(
    aws: LocalAws, airflow_db: None, variables: Variables, page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.write_text(BROKEN)
    review_project = set_up_review(aws)
    asked = [make_request(aws, number) for number in range(3)]
    ask(review_project, *asked)
    wait_until_ended(review_project, *(each.name for each in asked))
    monkeypatch.setattr("custom_labels.review.opening.FIRST_PAUSE", datetime.resolution)

    probed = harvest_by_steps()
    (probe,) = set(loops(review_project)) - {each.name for each in asked}
    wait_until_ended(review_project, probe)
    again = harvest_by_steps()

    assert probed.facts["Reviews opened"] == 1
    assert again.facts["Trouble while opening"].startswith("reviews fail since")
    assert again.outcome == "nothing_to_harvest"
    assert f"reviews still fail before anybody can answer them: {WHY}" in again.note
    assert fates(aws) == ["technical_failure"] * 4


def test_answers_on_an_earlier_page_do_not_hide_that_the_new_one_fails(
    aws: LocalAws, airflow_db: None, variables: Variables, page: Path
) -> None:
    """Images would be asked about three times in minutes, and given up before anybody mends the page."""
    page.write_text(GOOD)
    review_project = set_up_review(aws)
    before, after = make_request(aws, 1), make_request(aws, 2)
    ask(review_project, before)
    page.write_text(BROKEN)
    assert run_dag("bootstrap").failed == {"check_everything"}
    renewed = ReviewProject(
        review_project.project,
        review_project.store,
        A2IReviewBackend(review_project.project, review_project.store),
        review_project.queues,
    )
    ask(renewed, after)
    wait_until_ended(renewed, after.name)
    answer_all(aws, review_project, before.name, ["rows"])

    run = harvest_by_steps()

    assert run.outcome == "review_trouble"
    assert sorted(fates(aws)) == ["copied", "technical_failure"]
    assert "1 labelled image from 1 other review" in run.note
    assert HALT.read(review_project.store) is not None
    assert run.facts["Reviews opened"] == 0


def test_an_image_whose_own_review_always_fails_is_given_up(
    aws: LocalAws, airflow_db: None, variables: Variables, page: Path
) -> None:
    page.write_text(ONE_BREAKS)
    review_project = set_up_review(aws)
    asked = [make_request(aws, number) for number in range(3)]
    ask(review_project, *asked)
    for each in (asked[0], asked[2]):
        answer_all(aws, review_project, each.name, ["rows"])
    runs = Harvest(review_project)

    for name in (asked[1].name, f"{asked[1].name}x2", f"{asked[1].name}x3"):
        wait_until_ended(review_project, name)
        runs.run()

    assert sorted(fates(aws)[:3]) == ["copied", "copied", "technical_failure"]
    assert fates(aws)[3:] == ["technical_failure", "given_up"]
    assert ledger(aws)[-1]["reason"].endswith(f"{WHY}; it is given up after 3 attempts")
    assert waiting(aws) == []
