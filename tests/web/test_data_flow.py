"""Inlets and outlets: each task of the table has them, as OpenLineage takes them, and none of them triggers a DAG."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.sdk import DAG, Asset

from custom_labels.core.project_task import ProjectTask
from custom_labels.core.settings import Project
from custom_labels.web.assets import Data, data, finished_reviews, labeled_images, live_version, new_images
from custom_labels.web.data_flow import FLOWS
from tests.conftest import ROOT

SIGNALS = (labeled_images, live_version, new_images, finished_reviews)


@pytest.fixture(scope="module")
def dags() -> dict[str, DAG]:
    bag = DagBag(dag_folder=str(ROOT / "dags"))
    assert bag.import_errors == {}
    return dict(bag.dags)


def uris(assets: list[Any]) -> set[str]:
    return {each.uri for each in assets if each.uri.startswith("s3://")}


@pytest.mark.parametrize(
    ("kind", "task_id"),
    [pytest.param(kind, task, id=f"{kind}.{task}") for kind, tasks in FLOWS.items() for task in tasks],
)
def test_a_task_has_the_inlets_and_outlets_of_the_table(dags: dict[str, DAG], kind: str, task_id: str) -> None:
    task, flow, project = dags[f"digits_{kind}"].get_task(task_id), FLOWS[kind][task_id], Project(**DIGITS)

    assert uris(task.inlets) == {data(project, each).uri for each in flow.reads}
    assert uris(task.outlets) == {data(project, each).uri for each in flow.writes}


def test_no_other_task_names_data(dags: dict[str, DAG]) -> None:
    with_data = {
        (dag.dag_id.removeprefix("digits_"), task.task_id)
        for dag in dags.values()
        for task in dag.tasks
        if uris([*task.inlets, *task.outlets])
    }

    assert with_data == {(kind, task_id) for kind, tasks in FLOWS.items() for task_id in tasks}


def test_all_that_is_read_and_made_by_a_project_is_written_by_one_of_its_tasks() -> None:
    flows = [flow for tasks in FLOWS.values() for flow in tasks.values()]
    read = {each for flow in flows for each in flow.reads}
    written = {each for flow in flows for each in flow.writes}

    assert read - written == {Data.INBOX, Data.UNLABELED}
    assert read | written == {*Data}


def scheduled_on(condition: Any) -> Iterator[Asset]:
    """Give the assets of a condition, however it is nested."""
    for each in getattr(condition, "objects", [condition]):
        yield from [each] if isinstance(each, Asset) else scheduled_on(each)


def test_no_dag_is_scheduled_on_data(dags: dict[str, DAG]) -> None:
    conditions = [getattr(dag.timetable, "asset_condition", None) for dag in dags.values()]
    awaited = {asset.uri for each in conditions if each for asset in scheduled_on(each)}

    assert awaited == {
        f"digits_{name}" for name in ("labeled_images", "live_version", "new_images", "finished_reviews")
    }


DIGITS = {"name": "digits", "bucket": "custom-labels-digits"}


@pytest.mark.parametrize(
    ("project", "which", "bucket", "key"),
    [
        ({}, Data.DETECTIONS, "custom-labels-digits", "detections"),
        ({"prefix": "models/birds"}, Data.LIVE, "custom-labels-digits", "models/birds/registry/live.json"),
        (
            {"prefix": "models/b#?%/ü"},
            Data.INBOX,
            "custom-labels-digits",
            "models/b%23%3F%25/%C3%BC/images_for_detection",
        ),
        ({}, Data.TRAINING_IMAGES, "custom-labels-digits", "images_labeled_by_folder"),
        ({"task": ProjectTask.OBJECT_DETECTION}, Data.TRAINING_IMAGES, "custom-labels-digits", "annotations"),
    ],
    ids=["folder", "prefix", "odd-prefix", "folders", "boxes"],
)
def test_openlineage_finds_bucket_and_key(project: dict[str, Any], which: Data, bucket: str, key: str) -> None:
    """The Amazon provider turns a URI into a dataset by this function of its hook."""
    asset = data(Project(**{**DIGITS, **project}), which)

    assert S3Hook.parse_s3_url(asset.uri) == (bucket, key)


def test_neither_another_place_nor_another_project_makes_an_asset_inactive() -> None:
    """Airflow lets one URI have one name and one name one URI, and fails the tasks of whichever comes later."""
    places = [{}, {"prefix": "moved"}, {"bucket": "another-bucket"}, {"name": "another"}]
    projects = [Project(**{**DIGITS, **place}) for place in places]
    assets = [
        *(data(project, which) for project, which in itertools.product(projects, Data)),
        *(signal(project) for project, signal in itertools.product(projects, SIGNALS)),
    ]

    assert all(asset.name == asset.uri for asset in assets)
