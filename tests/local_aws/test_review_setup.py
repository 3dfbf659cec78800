"""Task UIs, workteams and flow definitions: what is accepted, how it changes, what is refused."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.review_support import LABELS, ROLE, TEMPLATE, Reviews
from tests.local_aws.support import BUCKET, Aws, wait_for

UI = "arn:aws:sagemaker:us-east-1:123456789012:human-task-ui/ui"
TEAM = "arn:aws:sagemaker:us-east-1:123456789012:workteam/private-crowd/team"


@pytest.fixture
def reviews(aws: Aws) -> Reviews:
    return Reviews(aws)


def render(reviews: Reviews, template: str, task_input: object) -> dict[str, Any]:
    return dict(
        reviews.sagemaker.render_ui_template(
            UiTemplate={"Content": template}, Task={"Input": json.dumps(task_input)}, RoleArn=ROLE
        )
    )


def test_task_ui_is_described_by_its_hash(reviews: Reviews) -> None:
    assert reviews.task_ui("ui", "a") == UI
    described = reviews.sagemaker.describe_human_task_ui(HumanTaskUiName="ui")
    assert described["HumanTaskUiStatus"] == "Active"
    assert described["UiTemplate"]["ContentSha256"].startswith("ca978112ca1bbdca")


def test_task_ui_is_gone_when_deleted(reviews: Reviews) -> None:
    reviews.task_ui()
    reviews.sagemaker.delete_human_task_ui(HumanTaskUiName="ui")
    assert reviews.sagemaker.list_human_task_uis()["HumanTaskUiSummaries"] == []
    with pytest.raises(ClientError, match="ResourceNotFound"):
        reviews.sagemaker.describe_human_task_ui(HumanTaskUiName="ui")


def test_workteam_belongs_to_the_workforce_and_names_the_portal(reviews: Reviews) -> None:
    reviews.sagemaker.create_workforce(
        WorkforceName="people", CognitoConfig={"UserPool": "us-east-1_x", "ClientId": "c"}
    )
    assert reviews.workteam() == TEAM
    team = reviews.sagemaker.describe_workteam(WorkteamName="team")["Workteam"]
    assert team["WorkforceArn"].endswith(":workforce/private-crowd/people")
    assert f"http://{team['SubDomain']}" == f"{reviews.aws.url}/_local_aws/work/"
    assert reviews.sagemaker.list_workteams()["Workteams"][0]["WorkteamArn"] == TEAM


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["b-team", "a-team", "other"]),
        ({"SortBy": "Name"}, ["a-team", "b-team", "other"]),
        ({"SortBy": "Name", "SortOrder": "Descending"}, ["other", "b-team", "a-team"]),
        ({"NameContains": "team"}, ["b-team", "a-team"]),
    ],
    ids=["as made", "by name", "by name, descending", "some"],
)
def test_workteams_are_listed_in_order_over_pages(reviews: Reviews, query: dict[str, str], expected: list[str]) -> None:
    for name in ("b-team", "a-team", "other"):
        reviews.workteam(name)
    pages = reviews.sagemaker.get_paginator("list_workteams").paginate(**query, MaxResults=1)
    assert [team["WorkteamName"] for page in pages for team in page["Workteams"]] == expected


def test_workteam_is_gone_when_deleted(reviews: Reviews) -> None:
    reviews.workteam()
    assert reviews.sagemaker.delete_workteam(WorkteamName="team")["Success"] is True
    with pytest.raises(ClientError, match="does not exist"):
        reviews.sagemaker.describe_workteam(WorkteamName="team")


@pytest.mark.parametrize("operation", ["ui", "team", "flow"])
def test_name_is_in_use_when_taken(reviews: Reviews, operation: str) -> None:
    creations: dict[str, Callable[[], object]] = {
        "ui": reviews.task_ui,
        "team": reviews.workteam,
        "flow": lambda: reviews.create_flow("f", UI, TEAM),
    }
    create = creations[operation]
    create()
    with pytest.raises(ClientError, match="ResourceInUse"):
        create()


@pytest.mark.parametrize(
    ("quota", "operation"), [("task_uis", "ui"), ("workteams", "team"), ("flow_definitions", "flow")]
)
def test_creation_is_refused_when_the_quota_is_full(reviews: Reviews, quota: str, operation: str) -> None:
    reviews.aws.control.quotas(**{quota: 0})
    creations: dict[str, Callable[[], object]] = {
        "ui": reviews.task_ui,
        "team": reviews.workteam,
        "flow": lambda: reviews.create_flow("f", UI, TEAM),
    }
    create = creations[operation]
    with pytest.raises(ClientError, match="ResourceLimitExceeded"):
        create()


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("Flow", {}),
        ("a" * 64, {}),
        ("flow", {"TaskCount": 0}),
        ("flow", {"TaskCount": 4}),
        ("flow", {"TaskTimeLimitInSeconds": 29}),
        ("flow", {"TaskTitle": "x" * 129}),
        ("flow", {"WorkteamArn": "team"}),
    ],
    ids=["upper case", "long name", "no worker", "too many workers", "time limit", "title", "team"],
)
def test_flow_is_refused_when_it_breaks_the_model(reviews: Reviews, name: str, config: dict[str, Any]) -> None:
    arguments = {"ui": UI, "team": config.pop("WorkteamArn", TEAM)}
    with pytest.raises(ClientError, match="ValidationException"):
        reviews.create_flow(name, **arguments, **config)


def test_flow_is_refused_when_it_names_no_template(reviews: Reviews) -> None:
    with pytest.raises(ClientError, match=r"ValidationException.*HumanLoopConfig"):
        reviews.sagemaker.create_flow_definition(
            FlowDefinitionName="flow", OutputConfig={"S3OutputPath": f"s3://{BUCKET}/out"}, RoleArn=ROLE
        )
    assert reviews.sagemaker.list_flow_definitions()["FlowDefinitionSummaries"] == []


def test_flow_is_initializing_and_then_active(reviews: Reviews) -> None:
    reviews.aws.control.durations(flow_create=0.3)
    reviews.create_flow("f", reviews.task_ui(), reviews.workteam())
    assert reviews.flow_status("f") == "Initializing"
    wait_for(lambda: reviews.flow_status("f"), "Active")
    described = reviews.sagemaker.describe_flow_definition(FlowDefinitionName="f")
    assert described["HumanLoopConfig"]["TaskCount"] == 1
    assert described["OutputConfig"] == {"S3OutputPath": f"s3://{BUCKET}/out"}


@pytest.mark.parametrize("missing", ["ui", "team"])
def test_flow_fails_when_what_it_names_is_missing(reviews: Reviews, missing: str) -> None:
    ui = UI if missing == "ui" else reviews.task_ui()
    team = TEAM if missing == "team" else reviews.workteam()
    reviews.create_flow("f", ui, team)
    wait_for(lambda: reviews.flow_status("f"), "Failed")
    described = reviews.sagemaker.describe_flow_definition(FlowDefinitionName="f")
    assert (UI if missing == "ui" else TEAM) in described["FailureReason"]


def test_flow_is_deleting_and_then_gone(reviews: Reviews) -> None:
    reviews.flow("f")
    reviews.aws.control.durations(flow_delete=0.2)
    reviews.sagemaker.delete_flow_definition(FlowDefinitionName="f")
    assert reviews.flow_status("f") == "Deleting"
    wait_for(lambda: reviews.sagemaker.list_flow_definitions()["FlowDefinitionSummaries"], [])


def test_flow_stays_when_it_has_active_loops(reviews: Reviews) -> None:
    reviews.start(reviews.flow("f"))
    with pytest.raises(ClientError, match="ResourceInUse"):
        reviews.sagemaker.delete_flow_definition(FlowDefinitionName="f")


def test_regions_do_not_share_task_uis(reviews: Reviews) -> None:
    reviews.task_ui()
    assert Reviews(reviews.aws, "eu-west-1").sagemaker.list_human_task_uis()["HumanTaskUiSummaries"] == []


def test_other_operations_of_sagemaker_are_left_to_moto(reviews: Reviews) -> None:
    assert reviews.sagemaker.list_models()["Models"] == []


def test_page_shows_the_image_from_the_endpoint(reviews: Reviews) -> None:
    reviews.aws.put("a b+ü.png", b"image")
    rendered = render(reviews, "{{ task.input.x | grant_read_access }}", {"x": f"s3://{BUCKET}/a b+ü.png"})
    link = html.unescape(rendered["RenderedContent"])
    assert link.startswith(f"{reviews.aws.url}/")
    with urlopen(link) as answer:
        assert answer.read() == b"image"


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{{ task.input.x | grant_read_access }}", "is not a valid S3 URI"),
        ("{{ task.input.nope | grant_read_access }}", "is not a valid S3 URI"),
        ("{% if task %}", "expected tag endif"),
        ("{{ task | nope }}", "unknown filter 'nope'"),
        ("{% for i in (1..9000000) %}{{ i }}{% endfor %}", "limit"),
    ],
    ids=["no S3 URI", "missing", "unclosed", "unknown filter", "endless"],
)
def test_error_is_returned_when_a_template_cannot_be_rendered(reviews: Reviews, template: str, says: str) -> None:
    [error] = render(reviews, template, {"x": "https://example.org/a.png"})["Errors"]
    assert says in error["Message"]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ task.input.x }}", "&lt;b&gt;&#34;&#39;"),
        ("{{ task.input.x | escape }}", "&lt;b&gt;&#34;&#39;"),
        ("{{ task.input.x | skip_autoescape }}", "<b>\"'"),
        ("{{ task.input.list | to_json }}", "[&#34;&lt;b&gt;\\&#34;&#39;&#34;]"),
        ("{{ task.input.list | to_json | escape }}", "[&#34;&lt;b&gt;\\&#34;&#39;&#34;]"),
        ("{{ task.input.nope | to_json }}", "null"),
        ("{{ task.input.nope }}", ""),
    ],
    ids=["plain", "escape", "skip", "json", "json escaped", "missing json", "missing"],
)
def test_input_cannot_break_out_of_its_place(reviews: Reviews, template: str, expected: str) -> None:
    rendered = render(reviews, template, {"x": "<b>\"'", "list": ["<b>\"'"]})
    assert rendered["RenderedContent"] == expected


def test_kept_template_is_rendered_by_its_arn(reviews: Reviews) -> None:
    arn = reviews.task_ui("ui", TEMPLATE)
    rendered = reviews.sagemaker.render_ui_template(
        HumanTaskUiArn=arn,
        Task={"Input": json.dumps({"taskObject": "s3://b/k", "labels": LABELS})},
        RoleArn=ROLE,
    )
    assert rendered["Errors"] == []
    assert "None of the above" in rendered["RenderedContent"]
