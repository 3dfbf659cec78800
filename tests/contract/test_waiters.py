"""The waiters' JSON and the status tables say the same of every status that AWS has, and of one that it has not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.waiter import WaiterModel

import custom_labels
from custom_labels.aws.statuses import DATASET_TABLES, GONE, PROJECT_TABLES, VERSION_TABLES, Verdict
from custom_labels.aws.statuses import TABLES as CUSTOM_LABELS_TABLES
from custom_labels.review.backends.a2i.setup import FLOW_ACTIVE

FOLDER = Path(custom_labels.__file__).parent / "aws" / "waiters"
MODELS = {file.stem: WaiterModel(json.loads(file.read_text())) for file in FOLDER.glob("*.json")}
WAITERS = {name: model.get_waiter(name) for model in MODELS.values() for name in model.waiter_names}
TABLES = {**CUSTOM_LABELS_TABLES, FLOW_ACTIVE.waiter: FLOW_ACTIVE}
RESOURCES = {
    "project": (PROJECT_TABLES, "rekognition", "ProjectStatus"),
    "dataset": (DATASET_TABLES, "rekognition", "DatasetStatus"),
    "version": (VERSION_TABLES, "rekognition", "ProjectVersionStatus"),
    "flow": ((FLOW_ACTIVE,), "sagemaker", "FlowDefinitionStatus"),
}
GONE_CODES = {"dataset": "ResourceNotFoundException", "flow": "ResourceNotFound"}
STATES = {"success": Verdict.DONE, "failure": Verdict.FAILED, "retry": Verdict.WAIT}


def statuses(service: str, enum: str) -> list[str]:
    shape: Any = botocore.session.get_session().get_service_model(service).shape_for(enum)
    return list(shape.enum)


def cases() -> list[Any]:
    found = []
    for resource, (tables, service, enum) in RESOURCES.items():
        for table in tables:
            found += [
                pytest.param(resource, table.waiter, status, id=f"{table.waiter}-{status}")
                for status in [*statuses(service, enum), "SOMETHING_NEW", GONE]
            ]
    return found


def response(resource: str, status: str) -> dict[str, Any]:
    if status == GONE:
        if resource in GONE_CODES:
            return {"Error": {"Code": GONE_CODES[resource], "Message": "gone"}}
        return {"project": {"ProjectDescriptions": []}, "version": {"ProjectVersionDescriptions": []}}[resource]
    responses: dict[str, dict[str, Any]] = {
        "project": {"ProjectDescriptions": [{"Status": status}]},
        "dataset": {"DatasetDescription": {"Status": status}},
        "version": {"ProjectVersionDescriptions": [{"Status": status}]},
        "flow": {"FlowDefinitionStatus": status},
    }
    return responses[resource]


@pytest.mark.parametrize(("resource", "waiter", "status"), cases())
def test_waiter_and_table_judge_alike(resource: str, waiter: str, status: str) -> None:
    acceptors = WAITERS[waiter].acceptors
    first = next(a for a in acceptors if a.matcher_func(response(resource, status)))

    assert STATES[first.state] is TABLES[waiter].judge(status)


@pytest.mark.parametrize("waiter", TABLES)
def test_an_unknown_status_fails(waiter: str) -> None:
    assert TABLES[waiter].judge("SOMETHING_NEW") is Verdict.FAILED


def test_every_table_has_a_waiter_and_every_waiter_a_table() -> None:
    assert set(WAITERS) == set(TABLES)


@pytest.mark.parametrize("waiter", TABLES)
def test_a_wait_is_bounded(waiter: str) -> None:
    config = WAITERS[waiter]

    assert 0 < config.delay * config.max_attempts <= 26 * 3600


def test_the_tables_name_only_statuses_that_aws_has() -> None:
    known = {status for _, service, enum in RESOURCES.values() for status in statuses(service, enum)} | {GONE}

    assert {status for table in TABLES.values() for status in table.done | table.wait} <= known
