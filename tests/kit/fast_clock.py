"""What shortens runs with ``dag.test()`` and proves nothing: sleep, and work that gives the same each time."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

LONGEST_SLEEP = 0.1
"""Seconds that a trigger, or Airflow's loop over a run's tasks, waits at most between two polls."""
LONGEST_POLL = 300
"""Seconds above which a trigger's pause is not one between two polls, but between two beats of a lease."""

KEPT: dict[tuple[str, str], Any] = {}
"""What would be made again and again, by its maker and its name, for as long as the process lives."""


@contextmanager
def fast_clock(dag_id: str) -> Iterator[None]:
    """Let runs of a DAG poll often and repeat less; others must not begin meanwhile in this process."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.models.dag_version import DagVersion
    from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
    from botocore.client import ClientCreator
    from fastapi.dependencies import utils as dependencies
    from jsonschema.validators import Draft202012Validator

    with ExitStack() as stack:
        stack.enter_context(patch.object(asyncio, "sleep", _short_sleep(asyncio.sleep)))
        stack.enter_context(patch.object(time, "sleep", _sleep_between_tasks(time.sleep)))
        # Searches the call stack for every client, for a header.
        stack.enter_context(patch.object(AwsGenericHook, "_get_caller", lambda *_: "Unknown"))
        for owner, name, better in (
            # A DAG's Params are validated a dozen times a task, and their schemas each time before that.
            (Draft202012Validator, "check_schema", _kept(Draft202012Validator.check_schema, _name_of_schema)),
            # The methods of a service's client are made from its model for every client.
            (
                ClientCreator,
                "_create_methods",
                _copied(_kept(ClientCreator._create_methods, _name_of_service)),  # type: ignore[attr-defined]
            ),
            # Airflow's API in the process reads its own signatures for every request.
            (dependencies, "get_dependant", _kept(dependencies.get_dependant, _name_of_dependant)),
        ):
            stack.enter_context(patch.object(owner, name, better))
        if DagVersion.get_version(dag_id):
            # It is in the database, and its file does not change while tests run: no need to read that again.
            stack.enter_context(patch.object(DagBundlesManager, "get_all_dag_bundles", lambda _: iter(())))
        yield


@contextmanager
def fast_polls() -> Iterator[None]:
    """Let triggers poll often."""
    with patch.object(asyncio, "sleep", _short_sleep(asyncio.sleep)):
        yield


def _short_sleep(sleep: Callable[..., Any]) -> Callable[..., Any]:
    return lambda delay, result=None: sleep(min(delay, LONGEST_SLEEP) if delay <= LONGEST_POLL else delay, result)


def _sleep_between_tasks(sleep: Callable[[float], None]) -> Callable[[float], None]:
    """Shorten the sleeps of Airflow's loop; what botocore or our own code waits for stays as it is."""

    def short(seconds: float) -> None:
        is_loop = sys._getframe(1).f_globals["__name__"] == "airflow.sdk.definitions.dag"
        sleep(min(seconds, LONGEST_SLEEP) if is_loop else seconds)

    return short


def _kept(make: Callable[..., Any], name: Callable[..., str]) -> Callable[..., Any]:
    """Make a thing of the same name once in a process."""

    def kept(*args: Any, **how: Any) -> Any:
        key = (make.__qualname__, name(*args, **how))
        if key not in KEPT:
            KEPT[key] = make(*args, **how)
        return KEPT[key]

    return kept


def _name_of_schema(schema: Any, **_how: Any) -> str:
    return json.dumps(schema, sort_keys=True)


def _name_of_service(creator: Any, model: Any) -> str:
    return f"{type(creator).__name__} {model.service_name}"


def _name_of_dependant(**how: Any) -> str:
    return repr(sorted(how.items()))


def _copied(make: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    return lambda *args: dict(make(*args))
