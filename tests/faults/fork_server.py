"""A process that has imported all that a run of a DAG needs and forks a child for each run, which starts at once.

``python -m tests.faults.fork_server`` reads orders from stdin, one JSON object a line, and answers each with the
child's process id. It ends, and all its children with it, at the end of stdin.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
import traceback
from contextlib import nullcontext
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.kit.api_models import read_models_once
from tests.kit.approvals import person
from tests.kit.dag_runs import ROOT, run_dag

SERVICES = ("events", "iam", "rekognition", "s3", "sagemaker", "sagemaker-a2i-runtime", "sns", "sqs", "sts")
database: str | None = None
"""The database of the order that this process works on."""
inherited: list[object] = []
"""What a child must not let die, since it would wait for threads that only its parent has."""


def warm_up() -> None:
    """Do once what every run would do: import, read AWS's API descriptions, compile SQL, build Airflow's own API.

    That takes a run of the one task that asks nothing of AWS; all others are taken for done.
    """
    import boto3
    from airflow import settings
    from airflow.dag_processing.dagbag import DagBag
    from sqlalchemy import event

    read_models_once()
    session = boto3.session.Session(region_name="us-east-1")
    for service in SERVICES:
        session.client(
            service,  # type: ignore[call-overload]
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
    assert settings.async_engine is not None
    for engine in (settings.engine, settings.async_engine.sync_engine):
        event.listen(engine, "do_connect", open_own_database)
    for file in sorted((ROOT / "dags").glob("*.py")):
        DagBag(dag_folder=str(file))
    dag = DagBag(dag_folder=str(ROOT / "dags" / "bootstrap.py")).dags["digits_bootstrap"]
    ended = dag.test(mark_success_pattern="(?!use_pool$).*")
    assert ended.state == "success", ended


def open_own_database(_dialect: Any, _record: Any, arguments: list[Any], _keywords: Any) -> None:
    """Connect to the database of the order that this process works on, with the fork server's warm engines."""
    if database is not None:
        arguments[0] = database


def forget_threads() -> None:
    """Let a child make anew what had a thread in its parent: the loop of Airflow's own API."""
    from airflow.sdk.execution_time.supervisor import in_process_api_server

    api = in_process_api_server()
    inherited.append(api.transport)
    del api.transport


def pause_less() -> None:
    """Let retries come as often as ever, with a hundredth of the pause between two tries."""
    from botocore.retries.standard import ExponentialBackoff

    from custom_labels.aws import inference
    from custom_labels.s3 import store

    patient = ExponentialBackoff.delay_amount
    ExponentialBackoff.delay_amount = lambda self, context: patient(self, context) / 100  # type: ignore[method-assign]
    store.LONGEST_PAUSE /= 100
    inference.FIRST_PAUSE /= 100
    inference.LONGEST_PAUSE /= 100


def run_at(moment: datetime) -> None:
    """Let the run be the one of a moment: the same as another Airflow's run of that moment, cleared."""
    from airflow.sdk import DAG

    test = DAG.test
    again = functools.partialmethod(test, run_after=moment, logical_date=moment)
    DAG.test = again  # type: ignore[assignment, method-assign]


def run(order: dict[str, Any]) -> None:
    """Run a DAG once in a child, with an Airflow of its own, and write down what became of it."""
    global database  # noqa: PLW0603 - the engines were told of it before the fork
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    home = Path(order["home"])
    log = os.open(home / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(log, stream)
    for name in [name for name in os.environ if name.startswith("AIRFLOW_VAR_")]:
        del os.environ[name]
    os.environ.update(order["environment"])
    database = str(home / "airflow.db")
    forget_threads()
    if order["short_retries"]:
        pause_less()
    if order["moment"]:
        run_at(datetime.fromisoformat(order["moment"]))
    # Whoever is asked on Airflow's page answers at once.
    with person("rows") if order["kind"] == "ask_people" else nullcontext():
        ended = run_dag(order["kind"], order["conf"])
    part = home / "run.part"
    part.write_text(json.dumps(asdict(ended), default=str), encoding="utf-8")
    part.rename(home / "run.json")


def fork(order: dict[str, Any]) -> int:
    """Start a child on an order; give its process id."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        run(order)
        code = 0
    except BaseException:  # noqa: BLE001 - a child must never come back into its parent's loop
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def forget_ended(children: set[int]) -> None:
    """Take note of the children that have ended, so that they leave no zombies."""
    for child in tuple(children):
        try:
            has_ended = os.waitpid(child, os.WNOHANG)[0] != 0
        except ChildProcessError:  # noted by the signal's handler in this moment
            has_ended = True
        if has_ended:
            children.discard(child)


def main() -> None:
    """Fork a child for each order until stdin ends."""
    orders, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    warm_up()
    children: set[int] = set()
    # A number of a child that has ended may be another's process by now: only those that live are ever killed.
    signal.signal(signal.SIGCHLD, lambda *_: forget_ended(children))
    print("ready", file=answers, flush=True)
    for line in orders:
        child = fork(json.loads(line))
        children.add(child)
        forget_ended(children)
        print(child, file=answers, flush=True)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # from here on one that ends keeps its number as a zombie
    forget_ended(children)
    for child in children:
        os.killpg(child, signal.SIGKILL)
    os._exit(0)  # Airflow's own ways to end wait for threads


if __name__ == "__main__":
    main()
