"""One round of the loop: images arrive, Airflow runs, and AWS is asked whether all of it is true."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from include.demo.airflow_api import AirflowApi
from include.demo.errors import DemoError
from include.demo.failures import failure_report
from include.demo.local_cloud import LocalCloud, ModelVersion
from include.demo.view import View

RUN_SECONDS = 420.0
"""A run takes about 40 seconds; a task that fails for a while is tried again after 30, 60 and 120."""
LOOK_SECONDS = 0.7
FINAL = {"success", "failed"}


@dataclass(frozen=True)
class Check:
    """One claim about the loop, and whether AWS or Airflow confirms it."""

    claim: str
    holds: bool


@dataclass(frozen=True)
class Round:
    """What a round was, did and left behind.

    :param added: images put into the bucket in this round; ``images`` counts all that are there.
    :param version: what AWS says of the newest version; ``None`` if there is none.
    :param serving: name of the version in ``registry/live.json``.
    :param stopped: names of versions that AWS says are stopped.
    :param known: of ``shown`` images that no training ever saw, how many the serving version named right.
    :param seconds: from the trigger to the end of the run.
    """

    number: int
    run_id: str
    run_url: str
    run_state: str
    ended_as: str
    note: str
    added: int
    images: int
    version: ModelVersion | None
    serving: str
    stopped: tuple[str, ...]
    known: int
    shown: int
    seconds: float
    checks: tuple[Check, ...]

    @property
    def closed(self) -> bool:
        """Whether every claim holds."""
        return all(check.holds for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON types."""
        return {**asdict(self), "closed": self.closed}


@dataclass(frozen=True)
class Loop:
    """What all rounds share."""

    dag_id: str
    api: AirflowApi
    cloud: LocalCloud
    view: View
    airflow_home: Path
    unseen: Mapping[str, list[Path]]

    def play(self, number: int, images: Mapping[str, list[Path]], before: Round | None) -> Round:
        """Play one round.

        :param images: by label, to be put into the bucket.
        :param before: the round before, which this one must beat.
        """
        added = self.cloud.put_images(images)
        total = self.cloud.count_images()
        self.view.line(f"{added} images put into s3://{self.cloud.project.bucket}, {total} are there now.")
        run_id = f"demo_round_{number}"
        began = time.monotonic()
        self.api.trigger(self.dag_id, run_id, f"Round {number} of the demo: {added} new images")
        run, tasks = self.follow(run_id)
        seconds = time.monotonic() - began
        return self._look(number, run, tasks, added=added, images=total, seconds=seconds, before=before)

    def follow(self, run_id: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Show a run until it ends; returns it and its tasks.

        :raises DemoError: it does not end in time.
        """
        self.view.line(f"Airflow runs {self.dag_id}: {self.api.run_url(self.dag_id, run_id)}")
        deadline = time.monotonic() + RUN_SECONDS
        with self.view.following() as shown:
            while True:
                run = self.api.run(self.dag_id, run_id)
                tasks = self.api.tasks(self.dag_id, run_id)
                shown.update(tasks)
                if run["state"] in FINAL:
                    return run, tasks
                if time.monotonic() > deadline:
                    raise DemoError(
                        f"Run '{run_id}' of {self.dag_id} did not end within {RUN_SECONDS:.0f} seconds. "
                        + (self.failures(run_id, tasks) or f"Its tasks: {task_states(tasks)}.")
                    )
                time.sleep(LOOK_SECONDS)

    def failures(self, run_id: str, tasks: list[dict[str, Any]]) -> str:
        """Word why tasks of a run failed; empty when none did."""
        return failure_report(self.airflow_home, self.dag_id, run_id, tasks)

    def _look(
        self,
        number: int,
        run: Mapping[str, Any],
        tasks: list[dict[str, Any]],
        *,
        added: int,
        images: int,
        seconds: float,
        before: Round | None,
    ) -> Round:
        versions = self.cloud.versions()
        version = next(iter(versions.values()), None)
        live = self.cloud.live()
        ended = {task["task_id"] for task in tasks if task["state"] == "success"}
        serves = version is not None and version.status == "RUNNING"
        known, shown = self.cloud.recognize(version, self.unseen) if version is not None and serves else (0, 0)
        return Round(
            number=number,
            run_id=run["dag_run_id"],
            run_url=self.api.run_url(self.dag_id, run["dag_run_id"]),
            run_state=run["state"],
            ended_as=next((name for name in ENDINGS if name in ended), "failed"),
            note=run.get("note") or "",
            added=added,
            images=images,
            version=version,
            serving=str(live.get("version_name", "")),
            stopped=tuple(each.name for each in versions.values() if each.status == "STOPPED"),
            known=known,
            shown=shown,
            seconds=seconds,
            checks=tuple(check_round(number, run["state"], ended, versions, live, before)),
        )


ENDINGS = ("deployed", "gate_failed", "nothing_to_do", "training_is_off")
"""The branches that a run of the train DAG can end in, each a task."""


def task_states(tasks: list[dict[str, Any]]) -> str:
    """List the tasks that have a state."""
    return ", ".join(f"{task['task_id']} {task['state']}" for task in tasks if task["state"])


def check_round(
    number: int,
    run_state: str,
    ended: set[str],
    versions: Mapping[str, ModelVersion],
    live: Mapping[str, Any],
    before: Round | None,
) -> list[Check]:
    """Compare what must be true after a round with what Airflow and AWS say.

    :param ended: the tasks that succeeded.
    :param versions: all versions at AWS, the newest first.
    :param live: the serving pointer.
    """
    newest = next(iter(versions.values()), None)
    name = newest.name if newest else "(there is none)"
    checks = [
        Check("Airflow: the run succeeded and ended as 'deployed'", run_state == "success" and "deployed" in ended),
        Check(f"AWS: {number} trained so far, not one more", len(versions) == number),
        Check(f"AWS: {name} is RUNNING", newest is not None and newest.status == "RUNNING"),
        Check(f"S3: registry/live.json names {name}", newest is not None and live.get("version_arn") == newest.arn),
    ]
    if before is None or before.version is None:
        return checks
    replaced = versions.get(before.version.name)
    old, new = before.version.f1 or 0.0, (newest.f1 if newest else None) or 0.0
    return [
        *checks,
        Check(
            f"AWS: {before.version.name}, which it replaced, is STOPPED",
            replaced is not None and replaced.status == "STOPPED",
        ),
        Check(f"AWS: F1 rose from {old:.3f} to {new:.3f}", new > old),
    ]
