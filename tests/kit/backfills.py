"""Runs of a backfill with ``dag.test()``: one run an interval, its type and data interval set as Airflow sets them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from tests.kit.dag_runs import Run, train
from tests.kit.support import BUCKET, FOLDER, LABELS, put_images
from tests.kit.train_steps import train_by_steps

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

DAY = timedelta(days=1)
BEGIN = datetime.fromisoformat("2026-10-05T00:00:00+00:00")
"""A Monday."""


def day(number: int) -> datetime:
    """Give the beginning of the so manieth day."""
    return BEGIN + number * DAY


def images_of_days(aws: LocalAws, counts: list[int]) -> None:
    """Put so many images a label into the bucket on each day from the first, at noon."""
    start = 0
    for number, count in enumerate(counts):
        put_images(aws, count, start=start)
        for label in LABELS:
            for image in range(start, start + count):
                aws.control.date_objects(BUCKET, f"{FOLDER}{label}/{image:04d}.png", noon(number))
        start += count


def noon(number: int) -> str:
    return (day(number) + DAY / 2).isoformat()


def backfill(number: int, conf: dict[str, Any] | None = None, days: int = 1) -> Run:
    """Run the train DAG for the interval that begins with the so manieth day."""
    with as_backfill(day(number), day(number + days)):
        return train(conf)


def backfill_by_steps(number: int, conf: dict[str, Any] | None = None) -> Run:
    """Train for the interval that begins with the so manieth day, without an Airflow."""
    return train_by_steps(conf, (day(number), day(number + 1)))


@contextmanager
def as_backfill(start: datetime, end: datetime) -> Iterator[None]:
    """Let ``dag.test()`` make a run as a backfill does; by itself it makes such as are triggered by hand."""
    from airflow.models import dagrun
    from airflow.timetables.base import DataInterval
    from airflow.utils.types import DagRunType

    make = dagrun.get_or_create_dagrun

    def make_backfill(**arguments: Any) -> Any:
        made = make(**{**arguments, "data_interval": DataInterval(*map(_pendulum, (start, end)))})
        made.run_type = DagRunType.BACKFILL_JOB
        arguments["session"].commit()
        return made

    with patch.object(dagrun, "get_or_create_dagrun", make_backfill):
        yield


def _pendulum(moment: datetime) -> Any:
    import pendulum

    return pendulum.instance(moment)
