"""The rounds of the demo, one after the other, and the report about them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.markup import escape

from custom_labels.settings import load_project
from include.demo.processes import Processes
from include.demo.report import Report
from include.demo.rounds import Loop, Round
from include.demo.stage import Stage, set_stage
from include.demo.view import View

PROJECT = "digits"
UNSEEN = 10
"""Images of each label that are kept back, to be shown to each version that serves."""
FIRST_RUN_SECONDS = 15.0


def play_rounds(root: Path, images: Sequence[int], processes: Processes, view: View) -> Report:
    """Set the stage and play the rounds; the first that does not close is the last.

    :param images: images of each label that each round adds.
    :raises DemoError: something does not start, or does not answer.
    """
    began = time.monotonic()
    project = load_project(PROJECT)
    dag_id = f"{PROJECT}_train"
    stage = set_stage(root, project, dag_id, processes, view)
    unseen = stage.digits.slice(stage.digits.fewest - UNSEEN, stage.digits.fewest)
    loop = Loop(dag_id, stage.api, stage.cloud, view, processes.workspace.airflow_home, unseen)
    wait_for_the_schedule(loop)
    rounds: list[Round] = []
    for number, count in enumerate(images, start=1):
        start = sum(images[: number - 1])
        view.heading(f"Round {number}: {count} {'more ' if rounds else ''}images of each digit")
        rounds.append(loop.play(number, stage.digits.slice(start, start + count), rounds[-1] if rounds else None))
        show_checks(rounds[-1], view)
        if not rounds[-1].closed:
            run_id = rounds[-1].run_id
            view.line(escape(loop.failures(run_id, stage.api.tasks(dag_id, run_id))))
            break
    return Report(tuple(rounds), tuple(stage.cloud.messages()), addresses(stage, rounds), time.monotonic() - began)


def wait_for_the_schedule(loop: Loop) -> None:
    """See the run to its end that the schedule starts as soon as the DAG is switched on.

    It looks at a bucket that is still empty, and one run at a time is allowed: the rounds come after it.
    """
    dag = loop.api.dag(loop.dag_id) or {}
    due = dag.get("next_dagrun_run_after")
    if due is None or datetime.fromisoformat(due) > datetime.now(UTC):
        return
    loop.view.heading("The schedule looks first, at a bucket without images")
    deadline = time.monotonic() + FIRST_RUN_SECONDS
    while time.monotonic() < deadline:
        if runs := loop.api.runs(loop.dag_id):
            run, _ = loop.follow(runs[0]["dag_run_id"])
            loop.view.line(escape(run.get("note") or f"It ended as {run['state']}."))
            return
        time.sleep(0.5)


def show_checks(played: Round, view: View) -> None:
    """Say what was asked after a round, and whether it is so."""
    for check in played.checks:
        mark = "[green]✓[/green]" if check.holds else "[red]✗[/red]"
        view.line(f"{mark} {escape(check.claim)}")
    if played.note:
        # The first lines are what the demo wrote when it triggered the run.
        view.line(f"[dim]Note on the run: {escape(played.note.splitlines()[-1])}[/dim]")


def addresses(stage: Stage, rounds: Sequence[Round]) -> dict[str, str]:
    """Name what can be looked at while everything runs."""
    return {
        "Airflow": stage.api.base_url,
        **{f"Run of round {each.number}": each.run_url for each in rounds},
        "Embedded AWS": f"{stage.endpoint_url} (endpoint_url of any AWS client; credentials: any)",
    }
