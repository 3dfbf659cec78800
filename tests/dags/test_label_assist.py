"""Label assist by ``dag.test()``: a round from the images without labels to the version that was trained on them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from custom_labels.s3.store import S3Store
from tests.kit.dag_runs import ROOT, Run, Variables, record, run_dag
from tests.kit.review_project import set_up_review
from tests.kit.step_runs import harvest_by_steps
from tests.kit.support import BUCKET, LABELS, picture, put_images, s3
from tests.kit.train_steps import train_by_steps

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

# A run whose answers or training never came would wait for ever.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

IMAGES = 8


@contextmanager
def others() -> Iterator[None]:
    """Do what other runs do while a round waits: harvest what people answer, and train when that is triggered.

    All of it is done while a trigger sleeps: two threads at once would take Airflow's way to its API from each other.
    """
    sleep, busy = asyncio.sleep, False

    async def sleep_meanwhile(seconds: float, *args: Any) -> None:
        nonlocal busy
        if not busy:
            busy = True
            try:
                await asyncio.get_running_loop().run_in_executor(None, work)
            finally:
                busy = False
        await sleep(min(seconds, 0.1), *args)

    with patch.object(asyncio, "sleep", sleep_meanwhile):
        yield


def work() -> None:
    """Do what is due by now."""
    if asked():
        harvest_by_steps()
    for run_id, conf in triggered():
        ended = train_by_steps(conf, run_id=run_id)
        end_run(run_id, ended.state)


def asked() -> bool:
    """Whether a round asks people."""
    found = S3Store(BUCKET).client.list_objects_v2(Bucket=BUCKET, Prefix="reviews/opened/")
    return bool(found.get("KeyCount"))


def triggered(dag_id: str = "digits_train") -> list[tuple[str, Any]]:
    """Give the runs of a DAG that wait to be run, with their Params."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    waiting = select(DagRun).where(DagRun.dag_id == dag_id, DagRun.state == "queued")
    with create_session() as session:
        return [(row.run_id, row.conf) for row in session.scalars(waiting)]


def end_run(run_id: str, state: str) -> None:
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import update

    with create_session() as session:
        session.execute(update(DagRun).where(DagRun.run_id == run_id).values(state=state))


def assist(**params: Any) -> Run:
    know_dag("train")
    with others():
        return run_dag("label_assist", params)


def know_dag(kind: str) -> None:
    """Let Airflow know a DAG, so that it can be triggered."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db

    DagBundlesManager().sync_bundles_to_db()
    sync_bag_to_db(DagBag(dag_folder=str(ROOT / "dags" / f"{kind}.py")), kind, None)


def put_unlabelled(aws: LocalAws, number: int = IMAGES) -> None:
    for label in LABELS:
        for index in range(number):
            key = f"images_to_label/{label}/{index:04d}.png"
            s3(aws).put_object(Bucket=BUCKET, Key=key, Body=picture(label, 300 + index))


def test_a_round_ends_with_a_version_trained_on_what_people_answered(digits: LocalAws, variables: Variables) -> None:
    variables.set(detections_per_unit_second=1000, daily_review_budget=1000)
    set_up_review(digits)
    put_images(digits, 6)
    assert train_by_steps().ends == {"deployed"}
    before = record(digits, "live")["version_name"]
    put_unlabelled(digits)
    digits.control.workforce(seconds=0)

    run = assist(images_a_round=10, rounds=2, minimum_gain=-1)

    assert (run.state, run.ends) == ("success", {"assist_goes_on"})
    assert record(digits, "live")["version_name"] != before
    assert run.note is not None
    assert run.note.startswith("A round of label assist is done: round 1 of 2, people kept ")
    ((next_run, params),) = triggered("digits_label_assist")
    assert (params["round"], params["images_a_round"]) == (2, 10)
    assert next_run == f"{params['assist']}__round_2"
