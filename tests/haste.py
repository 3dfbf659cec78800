"""What shortens runs with ``dag.test()`` and proves nothing: naps, and work that gives the same each time."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

LONGEST_NAP = 0.1
"""Seconds that a trigger, or Airflow's loop over a run's tasks, waits at most between two looks."""


@contextmanager
def hurried(dag_id: str) -> Iterator[None]:
    """Let runs of a DAG nap little and repeat less; others must not begin meanwhile in this process."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.models.dag_version import DagVersion
    from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
    from jsonschema.validators import Draft202012Validator

    with ExitStack() as stack:
        stack.enter_context(patch.object(asyncio, "sleep", _nap(asyncio.sleep)))
        stack.enter_context(patch.object(time, "sleep", _nap_between_tasks(time.sleep)))
        # Searches the call stack for every client, for a header.
        stack.enter_context(patch.object(AwsGenericHook, "_get_caller", lambda *_: "Unknown"))
        # A DAG's Params are validated a dozen times a task, and their schemas each time before that.
        stack.enter_context(
            patch.object(Draft202012Validator, "check_schema", _once(Draft202012Validator.check_schema))
        )
        if DagVersion.get_version(dag_id):
            # It is in the database, and its file does not change while tests run: no need to read that again.
            stack.enter_context(patch.object(DagBundlesManager, "get_all_dag_bundles", lambda _: iter(())))
        yield


def _nap(sleep: Callable[..., Any]) -> Callable[..., Any]:
    return lambda delay, result=None: sleep(min(delay, LONGEST_NAP), result)


def _nap_between_tasks(sleep: Callable[[float], None]) -> Callable[[float], None]:
    """Shorten the naps of Airflow's loop; what botocore or our own code waits for stays as it is."""

    def nap(seconds: float) -> None:
        is_loop = sys._getframe(1).f_globals["__name__"] == "airflow.sdk.definitions.dag"
        sleep(min(seconds, LONGEST_NAP) if is_loop else seconds)

    return nap


def _once(check: Callable[..., None]) -> Callable[..., None]:
    checked: set[str] = set()

    def check_once(schema: Any, **how: Any) -> None:
        if (written := json.dumps(schema, sort_keys=True)) not in checked:
            check(schema, **how)
            checked.add(written)

    return check_once
