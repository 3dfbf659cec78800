"""What one run of each DAG costs: the tasks that it starts, the calls of AWS and the Variables that it reads.

Real runs on the embedded AWS, beside what the same runs took before values with a type passed between their tasks.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from rich.table import Table

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {
    "minimum_untrained_images": "10",
    "minimum_f1_score": "0",
    "drain_seconds": "0",
    "status_poll_seconds": "1",
    "idle_alert_hours": "0",
}
BEFORE: dict[str, tuple[int, int, int]] = {
    "detect, one image": (7, 40, 47),
    "harvest, one review": (10, 26, 47),
    "train, first version, 20 images": (34, 197, 47),
    "train that finds nothing": (10, 21, 47),
    "cost guard that finds nothing": (11, 58, 47),
}
"""Tasks, calls and Variables of the runs before."""


@dataclass(frozen=True)
class Cost:
    """What a run took.

    :param tasks: that were started and succeeded, setup and teardown included.
    :param calls: of AWS; ``variables`` that were read.
    """

    name: str
    tasks: int
    calls: int
    variables: int


def run() -> list[Cost]:
    """Measure in a process of its own, since Airflow writes its logs to the terminal."""
    command = [sys.executable, "-m", "tests.benchmarks.runs"]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return [Cost(**each) for each in json.loads(done.stdout.splitlines()[-1])]


def main() -> None:
    """Run every DAG once, and count."""
    from include.local_aws.process import LocalAws
    from tests.conftest import FAST, HOME, connection

    os.environ.update({f"AIRFLOW_VAR_DIGITS__{name.upper()}": value for name, value in SETTINGS.items()})
    _make_database()
    with LocalAws(FAST, log=Path(HOME) / "runs.log") as aws:
        os.environ["AIRFLOW_CONN_AWS_DEFAULT"] = connection(aws.endpoint_url)
        found = [asdict(each) for each in _measure(aws)]
    sys.stdout.write("\n" + json.dumps(found) + "\n")


def _make_database() -> None:
    """Make Airflow's database, in the home that the tests' conftest has made for this process."""
    from airflow.utils import db

    db.initdb()


def _measure(aws: LocalAws) -> Iterator[Cost]:
    from tests.kit.review_project import set_up_review
    from tests.kit.support import BUCKET, picture, put_images, s3

    set_up_review(aws, reviewers=(1,), announced=False)
    put_images(aws, 10)
    yield _cost(aws, "train, first version, 20 images", "train", "deployed")
    yield _cost(aws, "train that finds nothing", "train", "nothing_to_do")
    s3(aws).put_object(Bucket=BUCKET, Key="images_for_detection/one.png", Body=picture("rows", 99))
    os.environ["AIRFLOW_VAR_DIGITS__MINIMUM_LABEL_DETECTION_CONFIDENCE"] = "100"
    yield _cost(aws, "detect, one image", "detect", "detected")
    aws.control.workforce(seconds=0)
    deadline = time.monotonic() + 60
    while not aws.control.workforce_state()["answered"]:
        assert time.monotonic() < deadline, "no review was opened"
        time.sleep(0.1)
    yield _cost(aws, "harvest, one review", "harvest_reviews", "harvested")
    # The first look after a deployment puts on record what it finds.
    _cost(aws, "", "cost_guard", "nothing_to_guard")
    yield _cost(aws, "cost guard that finds nothing", "cost_guard", "nothing_to_guard")


def _cost(aws: LocalAws, name: str, kind: str, end: str) -> Cost:
    from tests.kit.dag_runs import run_dag

    aws.control.clear_calls()
    with _counting_variables() as read:
        ended = run_dag(kind)
    assert (ended.state, ended.ends) == ("success", {end}), ended
    calls = sum(int(each["calls"]) for each in aws.control.calls().values())
    return Cost(name, sum(state == "success" for state in ended.tasks.values()), calls, len(read))


@contextmanager
def _counting_variables() -> Iterator[list[str]]:
    """Note the Variables of the project that are read."""
    from custom_labels.core import context
    from custom_labels.core.variables import read_variable

    read: list[str] = []

    def noting(key: str) -> str | None:
        read.append(key)
        return read_variable(key)

    with patch.object(context, "read_variable", noting):
        yield read


def table(costs: list[Cost]) -> Table:
    """Lay out the runs beside those before."""
    made = Table(title="What one run takes, and took before typed seams", title_justify="left")
    made.add_column("")
    for name in ("tasks", "before", "AWS calls", "before", "Variables", "before"):
        made.add_column(name, justify="right")
    for each in costs:
        values: tuple[Any, ...] = (each.tasks, each.calls, each.variables)
        made.add_row(each.name, *(str(v) for pair in zip(values, BEFORE[each.name], strict=True) for v in pair))
    return made


if __name__ == "__main__":
    main()
