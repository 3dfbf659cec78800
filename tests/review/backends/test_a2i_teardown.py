"""Taking away what reviews at Amazon A2I were set up with: all of it, no answer, however often it is begun."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from botocore.retries.standard import ExponentialBackoff

from custom_labels.review.backends.registry import definition_of
from tests.kit.harvests import answer
from tests.kit.review_project import ReviewProject, make_request, open_one, set_up_review
from tests.kit.support import client, wait_until

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws


@pytest.fixture
def review_project(aws: LocalAws) -> ReviewProject:
    return set_up_review(aws, (1, 2))


def tear_down(review_project: ReviewProject, *, dry_run: bool = False) -> list[str]:
    return list(
        definition_of(review_project.project).tear_down(review_project.project, review_project.store, dry_run=dry_run)
    )


def there(aws: LocalAws) -> list[int]:
    """Count what AWS lists: flows, worker pages and loops that have not ended."""
    sagemaker, loops = client(aws, "sagemaker"), client(aws, "sagemaker-a2i-runtime")
    flows = [each["FlowDefinitionArn"] for each in sagemaker.list_flow_definitions()["FlowDefinitionSummaries"]]
    listed = [
        loop
        for flow in flows
        for loop in loops.list_human_loops(FlowDefinitionArn=flow)["HumanLoopSummaries"]
        if loop["HumanLoopStatus"] == "InProgress"
    ]
    return [len(flows), len(sagemaker.list_human_task_uis()["HumanTaskUiSummaries"]), len(listed)]


def test_a_dry_run_names_all_and_takes_nothing(aws: LocalAws, review_project: ReviewProject) -> None:
    open_one(review_project.backend, make_request(aws))

    words = tear_down(review_project, dry_run=True)

    assert [sentence.split()[0] for sentence in words] == ["1", "worker", "flow", "flow"]
    assert there(aws) == [2, 1, 1]


def test_all_of_it_goes_and_answers_stay(aws: LocalAws, review_project: ReviewProject) -> None:
    answered, waiting = make_request(aws, 1), make_request(aws, 2)
    for request in (answered, waiting):
        open_one(review_project.backend, request)
    answer(aws, answered.name, "rows")
    wait_until(lambda: _is_written(review_project, answered.name))

    assert tear_down(review_project)

    wait_until(lambda: there(aws) == [0, 0, 0])
    assert _is_written(review_project, answered.name)
    assert tear_down(review_project) == []


@pytest.mark.parametrize("operation", ["DeleteHumanTaskUi", "DeleteFlowDefinition"])
def test_a_second_run_takes_what_the_first_left(
    aws: LocalAws, review_project: ReviewProject, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0)
    aws.control.faults({"operation": f"sagemaker.{operation}", "kind": "error"})
    with pytest.raises(ClientError, match=operation):
        tear_down(review_project)
    aws.control.faults()

    tear_down(review_project)

    wait_until(lambda: there(aws) == [0, 0, 0])


def test_loops_that_take_a_while_to_stop_are_waited_for(aws: LocalAws, review_project: ReviewProject) -> None:
    open_one(review_project.backend, make_request(aws))
    aws.control.durations(loop_stop=2, flow_delete=0)

    tear_down(review_project)

    wait_until(lambda: there(aws) == [0, 0, 0])


def test_what_a_killed_set_up_made_and_did_not_record_goes_too(aws: LocalAws, review_project: ReviewProject) -> None:
    open_one(review_project.backend, make_request(aws))
    review_project.store.call("delete_object", "registry/review.json")
    planned = tear_down(review_project, dry_run=True)

    tear_down(review_project)

    assert sorted(sentence.split()[0] for sentence in planned) == ["1", "flow", "flow", "worker"]
    wait_until(lambda: there(aws) == [0, 0, 0])


def test_flows_of_another_project_whose_name_begins_alike_are_left(
    aws: LocalAws, review_project: ReviewProject
) -> None:
    sagemaker = client(aws, "sagemaker")
    ours = sagemaker.list_flow_definitions()["FlowDefinitionSummaries"][0]["FlowDefinitionName"]
    described = sagemaker.describe_flow_definition(FlowDefinitionName=ours)
    ui = sagemaker.create_human_task_ui(HumanTaskUiName="digits-2-page", UiTemplate={"Content": "<p>x</p>"})
    sagemaker.create_flow_definition(
        FlowDefinitionName="digits-2-0123456789abcdef-x1",
        HumanLoopConfig={**described["HumanLoopConfig"], "HumanTaskUiArn": ui["HumanTaskUiArn"]},
        OutputConfig={"S3OutputPath": "s3://elsewhere/a2i-human-loop-data"},
        RoleArn=described["RoleArn"],
    )

    tear_down(review_project)

    wait_until(lambda: there(aws)[0] == 1)
    assert there(aws) == [1, 1, 0]


def test_a_page_that_no_flow_names_goes(aws: LocalAws, review_project: ReviewProject) -> None:
    sagemaker = client(aws, "sagemaker")
    for flow in sagemaker.list_flow_definitions()["FlowDefinitionSummaries"]:
        sagemaker.delete_flow_definition(FlowDefinitionName=flow["FlowDefinitionName"])
    wait_until(lambda: there(aws)[0] == 0)

    assert [sentence.split()[0] for sentence in tear_down(review_project)] == ["worker"]
    assert there(aws) == [0, 0, 0]


def _is_written(review_project: ReviewProject, name: str) -> bool:
    state = review_project.backend.status(name)
    return state is not None and state.answers_uri is not None
