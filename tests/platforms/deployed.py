"""An Airflow that has of the checkout what was deployed and nothing else: run by its path, asked by lines of JSON.

Each line is the name of a question and its arguments; each answer is a line that begins with ``ANSWER``.
"""

from __future__ import annotations

import importlib.util
import json
import runpy
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

ANSWER = "ANSWER "


@cache
def _bag() -> Any:
    from airflow.dag_processing.dagbag import DagBag

    return DagBag()


def parse() -> dict[str, Any]:
    """Read all DAG files of the DAG folder."""
    bag = _bag()
    return {
        "errors": bag.import_errors,
        "dags": sorted(bag.dags),
        "library": sys.modules["custom_labels"].__file__,
        "checkout": [name for name in ("include", "tests") if importlib.util.find_spec(name)],
    }


def plugin() -> dict[str, Any]:
    """Say what Airflow's plugin manager found."""
    from airflow import plugins_manager

    plugins, errors = plugins_manager._get_plugins()
    ours = next(each for each in plugins if each.name == "custom_labels")
    return {
        "errors": errors,
        "timetables": [each.__name__ for each in ours.timetables],
        "pages": [each["url_prefix"] for each in ours.fastapi_apps],
        "names": [each.name for each in plugins if "custom" in (each.name or "")],
    }


@cache
def _server() -> Any:
    from airflow.api_fastapi.app import create_app
    from fastapi.testclient import TestClient

    return TestClient(create_app(), raise_server_exceptions=False).__enter__()


def page(path: str) -> dict[str, Any]:
    """Ask Airflow's API server for a page, as a user who may see all."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    server = _server()
    user: Any = SimpleAuthManagerUser(username="anna", role="ADMIN")
    answer = server.get(path, headers={"Authorization": f"Bearer {get_auth_manager().generate_jwt(user)}"})
    return {"status": answer.status_code, "type": answer.headers.get("content-type"), "text": answer.text}


def run(dag_id: str) -> dict[str, Any]:
    """Run a DAG once by ``dag.test()``."""
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    # By its path as well: the tests' package is not to be found here.
    with runpy.run_path(str(Path(__file__).parents[1] / "kit" / "fast_clock.py"))["fast_clock"](dag_id):
        dag_run = _bag().get_dag(dag_id).test()
    with create_session() as session:
        finish = session.scalars(
            select(XComModel).where(
                XComModel.run_id == dag_run.run_id, XComModel.task_id == "finish", XComModel.key == "return_value"
            )
        ).first()
        outcome = XComModel.deserialize_value(finish)["outcome"] if finish else None
        tasks = {ti.task_id: str(ti.state) for ti in dag_run.get_task_instances(session=session)}
    return {"state": str(dag_run.state), "outcome": outcome, "tasks": tasks}


QUESTIONS: dict[str, Callable[..., dict[str, Any]]] = {"parse": parse, "plugin": plugin, "page": page, "run": run}


def main() -> None:
    """Answer until there are no more questions."""
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        sys.stdout.write(f"{ANSWER}{json.dumps(QUESTIONS[name](*arguments))}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
