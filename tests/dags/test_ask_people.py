"""The DAG that asks people on Airflow's own page: every answer is recorded as it comes, and harvested."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.label_names import NONE_OF_THE_ABOVE
from custom_labels.review.review import ReviewStatus
from tests.kit.airflow_page import on_airflow_page, set_up_page
from tests.kit.approvals import nobody, person
from tests.kit.dag_runs import Run, Variables, run_dag
from tests.kit.harvests import copies, fates, ledger
from tests.kit.review_project import make_request, open_one
from tests.kit.step_runs import harvest_by_steps
from tests.kit.support import LABELS

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

# A run whose question nobody answers would wait for ever.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

HOSTILE = "images_for_detection/rows/{{ 7 * 7 }} `x` [a](javascript:alert) <script>\"' 図.png"


@pytest.fixture
def digits(aws: LocalAws, variables: Variables, airflow_db: None) -> LocalAws:
    """The embedded AWS; further rounds wait for a budget that is used up."""
    variables.set(daily_review_budget=0)
    return aws


def ask() -> Run:
    return run_dag("ask_people")


def test_every_answer_is_recorded_as_it_comes_and_its_image_becomes_a_training_image(
    digits: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = set_up_page(digits, on_airflow_page(tmp_path, monkeypatch))
    first, second = make_request(digits, 1, confidence=43.0), make_request(digits, 2, labels=("rows", "a|b"))
    for request in (first, second):
        assert open_one(backend, request)
    seen: dict[str, Any] = {}

    def answer(asked: Any) -> Sequence[str]:
        seen[asked.subject] = (asked.options, asked.defaults, asked.multiple)
        if "0001.png" in asked.subject:
            return ["rows"]
        # The other one waits until the first is on record.
        state = backend.status(first.name)
        return [NONE_OF_THE_ABOVE] if state and state.status is ReviewStatus.COMPLETED else ()

    with person(answer, name="ann@example.org") as asked:
        run = ask()
    again = ask()
    harvested = harvest_by_steps()

    assert (run.state, run.ends, run.note) == ("success", {"asked"}, "People asked: 2 of 2 questions were answered.")
    assert again.ends == {"nothing_to_ask"}
    assert seen == {
        "Which digit is this? (digits: 0001.png)": ([*LABELS, NONE_OF_THE_ABOVE], ["columns"], False),
        "Which digit is this? (digits: 0002.png)": (["rows", "a|b", NONE_OF_THE_ABOVE], None, False),
    }
    body = next(body for body in asked.bodies if "0001.png" in body)
    assert body.startswith(f"![The image](/custom-labels/digits/reviews/{first.name}/image)\n")
    assert "The model says ` columns `, 43 % sure." in body
    assert harvested.outcome == "harvested"
    assert copies(digits) == ["rows"]
    assert sorted(fates(digits)) == ["copied", "copied"]
    (reviewer,) = {answer["reviewer"] for line in ledger(digits) for answer in line["answers"]}
    assert "ann" not in reviewer


def test_an_answer_triggers_the_harvest(digits: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import func, select

    backend = set_up_page(digits, on_airflow_page(tmp_path, monkeypatch))

    def events() -> int:
        ours = select(func.count()).select_from(AssetEvent).join(AssetModel, AssetModel.id == AssetEvent.asset_id)
        with create_session() as session:
            return session.scalar(ours.where(AssetModel.name == "digits_finished_reviews")) or 0

    for number in (1, 2):
        open_one(backend, make_request(digits, number))
    before = events()
    with person("rows"):
        ask()
    assert events() == before + 2


def test_several_labels_are_chosen_together(digits: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    several = ProjectTask.MULTI_LABEL_CLASSIFICATION
    backend = set_up_page(digits, on_airflow_page(tmp_path, monkeypatch, task=several.value))
    request = make_request(digits, 1, task=several, guesses=("columns",), label="columns")
    open_one(backend, request)
    seen: list[Any] = []

    def answer(asked: Any) -> Sequence[str]:
        seen.append((asked.multiple, asked.defaults))
        return ["rows", "columns"]

    with person(answer):
        ask()
    state = backend.status(request.name)

    assert state is not None
    answered = backend.answers(state)
    assert answered is not None
    assert [getattr(each, "labels", None) for each in answered.answers] == [("columns", "rows")]
    assert seen[0] == (True, ["columns"])


def test_a_question_that_nobody_answers_is_asked_again_until_the_review_is_over(
    digits: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At its end Airflow takes the preselected option for the answer, of nobody."""
    backend = set_up_page(digits, on_airflow_page(tmp_path, monkeypatch, {"question_hours": 0.0005}))
    request = make_request(digits, 1)
    open_one(backend, request)

    with nobody() as asked:
        run = ask()
    state = backend.status(request.name)
    with person("rows"):
        again = ask()

    assert (run.state, run.tasks["ask"]) == ("success", "skipped")
    assert run.note == "People asked: 0 of 1 questions were answered; the others may be asked again."
    assert len(asked.subjects) == 1
    assert (state and state.status) is ReviewStatus.OPEN
    assert again.note == "People asked: 1 of 1 questions were answered."


def test_an_answer_to_a_review_that_is_no_longer_open_does_not_count(
    digits: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = set_up_page(digits, on_airflow_page(tmp_path, monkeypatch))
    request = make_request(digits, 1)
    open_one(backend, request)

    with person("rows", before=lambda: backend.cancel([request.name])):
        run = ask()
    state = backend.status(request.name)

    assert (run.state, run.tasks["ask"]) == ("success", "skipped")
    assert (state and state.status) is ReviewStatus.STOPPED
    answered = backend.answers(state) if state else None
    assert answered is not None
    assert answered.answers == ()
    assert answered.request == request


def test_a_key_that_is_markup_is_shown_as_it_is(
    digits: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = set_up_page(digits, on_airflow_page(tmp_path, monkeypatch))
    labels = ("rows", "{{ 7 * 7 }}", "<script>alert(1)</script>")
    request = make_request(digits, 1, labels=labels, guess="{{ 7 * 7 }}", key=HOSTILE)
    open_one(backend, request)

    with person("{{ 7 * 7 }}") as asked:
        run = ask()
    state = backend.status(request.name)

    assert run.ends == {"asked"}
    assert asked.subjects == [f"Which digit is this? (digits: {HOSTILE.rpartition('/')[2]})"]
    assert f"`` {HOSTILE} ``" in asked.bodies[0]
    assert "The model says ` {{ 7 * 7 }} `" in asked.bodies[0]
    answered = backend.answers(state) if state else None
    assert answered is not None
    assert [getattr(each, "label", None) for each in answered.answers] == ["{{ 7 * 7 }}"]
