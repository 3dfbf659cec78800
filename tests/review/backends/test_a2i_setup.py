"""Setting review up: once, whatever is repeated or lost, and with AWS's own words when it cannot be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from custom_labels.core.settings import load_project
from custom_labels.review.backends.a2i.setup import FLOWS, ReviewFlow, ReviewRecord, plan_review, read_review_record
from custom_labels.review.backends.a2i.setup_tasks import CustomLabelsSetupReviewOperator
from tests.conftest import ROOT
from tests.kit.review_project import TEAM, make_store, set_up_surroundings
from tests.kit.support import client
from tests.kit.task_contexts import run

if TYPE_CHECKING:
    from pathlib import Path

    from include.local_aws.process import LocalAws

MADE = ("CreateHumanTaskUi", "CreateFlowDefinition")
NAME = re.compile(r"[a-z0-9](-*[a-z0-9])*")


@pytest.fixture(autouse=True)
def surroundings(aws: LocalAws, airflow_db: None) -> None:
    set_up_surroundings(aws)


def set_up(reviewers: int = 1, *, deferrable: bool = True) -> Any:
    waits = {"deferrable": deferrable, "waiter_delay": 1, "waiter_max_attempts": 20}
    return run(CustomLabelsSetupReviewOperator(task_id="a_task", project="digits", reviewers=reviewers, **waits))


def effects(aws: LocalAws) -> list[int]:
    calls = aws.control.calls()
    return [int(calls.get(f"sagemaker.{name}", {}).get("effects", 0)) for name in MADE]


def recorded() -> ReviewRecord:
    return read_review_record(make_store(load_project("digits")))


@pytest.fixture
def project_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The project's file, to be changed."""
    file = tmp_path / "digits.yaml"
    file.write_text((ROOT / "include" / "projects" / "digits.yaml").read_text())
    monkeypatch.setenv("CUSTOM_LABELS_PROJECTS_DIR", str(tmp_path))
    return file


@pytest.mark.parametrize("deferrable", [False, True], ids=["in a worker", "deferred"])
def test_the_flows_are_made_and_recorded(aws: LocalAws, deferrable: bool) -> None:
    aws.control.durations(flow_create=0.5)

    made = set_up(deferrable=deferrable)

    assert effects(aws) == [1, 1]
    flow = recorded().flow_for(1)
    assert flow is not None
    assert made == {"task_ui": recorded().task_ui, "flows": {"1": flow.name}}
    assert flow.output == "s3://custom-labels-digits/a2i-human-loop-data"
    described = client(aws, "sagemaker").describe_flow_definition(FlowDefinitionName=flow.name)
    loop = described["HumanLoopConfig"]
    assert (described["FlowDefinitionStatus"], described["FlowDefinitionArn"]) == ("Active", flow.arn)
    assert (loop["TaskTitle"], loop["TaskCount"]) == ("Which digit is this?", 1)
    assert (loop["TaskTimeLimitInSeconds"], loop["TaskAvailabilityLifetimeInSeconds"]) == (300, 864_000)


def test_a_second_set_up_changes_nothing(aws: LocalAws) -> None:
    made, record = set_up(), recorded()
    aws.control.clear_calls()

    assert set_up() == made
    assert effects(aws) == [0, 0]
    assert "s3.PutObject" not in aws.control.calls()
    assert recorded() == record


@pytest.mark.usefixtures("short_retries")
@pytest.mark.parametrize("kind", ["lost_response", "throttle", "error"])
@pytest.mark.parametrize("operation", ["CreateHumanTaskUi", "CreateFlowDefinition", "DescribeFlowDefinition"])
def test_a_call_in_trouble_makes_nothing_twice(aws: LocalAws, operation: str, kind: str) -> None:
    aws.control.faults({"operation": f"sagemaker.{operation}", "kind": kind, "times": 2})

    set_up()

    assert effects(aws) == [1, 1]
    assert recorded().flow_for(1) is not None


@pytest.mark.parametrize(
    ("old", "new", "pages"),
    [
        ("Choose the digit", "Pick the digit", 2),
        ("Which digit is this?", "What is it?", 2),
        ("  a2i:", "  a2i:\n    task_seconds: 60", 1),
        ("  title:", "  lifetime_hours: 1\n  title:", 1),
        ("\nqueues:", "\nprefix: elsewhere\nqueues:", 1),
    ],
    ids=["instructions", "title", "time limit", "lifetime", "prefix"],
)
def test_another_setting_makes_another_flow(aws: LocalAws, project_file: Path, old: str, new: str, pages: int) -> None:
    before = set_up()
    project_file.write_text(project_file.read_text().replace(old, new))

    after = set_up()

    assert before["flows"] != after["flows"]
    assert effects(aws) == [pages, 2]


def test_replaced_flows_stay_on_the_record(aws: LocalAws, project_file: Path) -> None:
    before = set_up()
    project_file.write_text(project_file.read_text().replace("Choose", "Pick"))

    after = set_up()

    record = recorded()
    assert {flow.name for flow in record.flows} == {before["flows"]["1"], after["flows"]["1"]}
    assert record.current == {1: after["flows"]["1"]}


def test_going_back_to_earlier_instructions_takes_up_the_earlier_flow(aws: LocalAws, project_file: Path) -> None:
    before, text = set_up(), project_file.read_text()
    project_file.write_text(text.replace("Choose", "Pick"))
    set_up()
    project_file.write_text(text)

    assert set_up() == before
    assert effects(aws) == [2, 2]
    assert recorded().current == {1: before["flows"]["1"]}


def test_requests_that_wait_for_three_people_keep_their_flow(aws: LocalAws) -> None:
    assert set(set_up(3)["flows"]) == {"1", "3"}

    assert set(set_up(2)["flows"]) == {"1", "2", "3"}


def test_a_missing_workteam_makes_nothing(aws: LocalAws) -> None:
    client(aws, "sagemaker").delete_workteam(WorkteamName=TEAM)

    with pytest.raises(
        AirflowFailException, match=r"There is no workteam arn:.*'review.a2i.workteam_arn' in digits.yaml"
    ):
        set_up()
    assert effects(aws) == [0, 0]


def test_a_flow_that_failed_keeps_the_reason_of_aws_and_names_the_way_out(aws: LocalAws) -> None:
    project = load_project("digits")
    (name,) = plan_review(project, make_store(project), [1]).flows.values()
    sagemaker = client(aws, "sagemaker")
    ui = sagemaker.create_human_task_ui(HumanTaskUiName="ui", UiTemplate={"Content": "x"})["HumanTaskUiArn"]
    team = "arn:aws:sagemaker:us-east-1:123456789012:workteam/private-crowd/gone"
    config = {"WorkteamArn": team, "HumanTaskUiArn": ui, "TaskTitle": "t", "TaskDescription": "d", "TaskCount": 1}
    sagemaker.create_flow_definition(
        FlowDefinitionName=name,
        HumanLoopConfig=config,
        OutputConfig={"S3OutputPath": "s3://b/o"},
        RoleArn="arn:aws:iam::123456789012:role/r",
    )

    with pytest.raises(AirflowFailException) as failure:
        set_up()
    assert "is Failed instead of Active: Not found in us-east-1" in str(failure.value)
    assert f"delete-flow-definition --flow-definition-name {name}" in str(failure.value)
    assert recorded() == ReviewRecord()


def test_a_full_quota_keeps_the_words_of_aws(aws: LocalAws) -> None:
    aws.control.quotas(flow_definitions=0)

    with pytest.raises(AirflowFailException, match=r"ResourceLimitExceeded.*raise the quota"):
        set_up()


def test_a_deleted_page_is_made_again(aws: LocalAws) -> None:
    name = set_up()["task_ui"]
    client(aws, "sagemaker").delete_human_task_ui(HumanTaskUiName=name)

    set_up()

    assert effects(aws) == [2, 1]


@pytest.mark.parametrize("project", ["digits", "X", "---", "Ä" * 100, "a_b-c" * 20])
def test_names_are_what_aws_takes(project: str) -> None:
    wanted = load_project("digits").model_copy(update={"name": project})
    plan = plan_review(wanted, make_store(wanted), [1, 2, 3])

    for name in (plan.task_ui, *plan.flows.values()):
        assert NAME.fullmatch(name)
        assert len(name) <= 63


def test_two_projects_of_one_slug_share_nothing() -> None:
    plans = [
        plan_review(wanted, make_store(wanted), [1])
        for wanted in (load_project("digits").model_copy(update={"name": name}) for name in ("Digits", "digits"))
    ]

    assert plans[0].task_ui != plans[1].task_ui
    assert plans[0].flows != plans[1].flows


def test_two_set_ups_at_once_lose_no_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    store = make_store(load_project("digits"))
    first, second = (ReviewFlow(name, f"arn-{name}", n, "s3://b/o") for n, name in enumerate(("one", "two"), 1))
    read = store.read_json
    raced: list[bool] = []

    def race(relative: str) -> Any:
        found = read(relative)
        if not raced:
            raced.append(True)
            FLOWS.change(store, lambda present: (present or ReviewRecord()).with_current("ui", [second]))
        return found

    monkeypatch.setattr(store, "read_json", race)

    FLOWS.change(store, lambda present: (present or ReviewRecord()).with_current("ui", [first]))
    assert {flow.name for flow in read_review_record(store).flows} == {"one", "two"}
