"""The demo's story on an Airflow of many parts, while workers, a scheduler and the triggerer are killed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from custom_labels.core.settings import Project
from include.demo.airflow_api import AirflowApi
from include.demo.digits import LATE_BATCH, DigitsMaterial
from include.demo.evidence import Batch, look_at
from include.demo.local_cloud import LocalCloud
from include.demo.material import Said
from include.demo.people import A2IPeople
from include.demo.predict_caller import PredictCaller
from include.demo.processes import Processes
from include.demo.runs import Run, Runs
from include.demo.stage import DAGS, set_stage
from include.demo.story import Part, Story
from include.demo.view import View
from include.local_aws.process import Control
from tests.distributed.killing import killing
from tests.distributed.members import SCHEDULERS, TRIGGERER, Members
from tests.distributed.tasks import FINAL, Task, at_work, run_states, tasks_of

PATIENCE = 2
"""What is killed is missed only after a while."""
SETTLE_SECONDS = 120.0
TRAINING_PAID = {"operation": "rekognition.CreateProjectVersion", "kind": "hold_after"}
RESULT_WRITTEN = {"operation": "s3.PutObject", "subject": "detections/*", "kind": "hold_after", "nth": 20}
"""The calls whose answers do not reach the workers that made them: what was asked is done, and they are killed."""
TRAINING_SECONDS = 8


@dataclass(frozen=True)
class Played:
    """What is to be judged.

    :param victims: the parts of Airflow that were killed, in that order.
    :param broken: claims of the story that do not hold.
    :param killed_training: the task whose worker was killed, at its end.
    :param runs: state of every run, by DAG and run id; ``tasks`` are those of all runs.
    :param late: images that came at last.
    """

    cloud: LocalCloud
    control: Control
    victims: list[str]
    broken: list[str]
    killed_training: Task
    runs: dict[tuple[str, str], str]
    tasks: list[Task]
    late: Batch


class Player:
    """Plays it.

    :param members: the parts of Airflow.
    """

    def __init__(self, project: Project, story: Story, api: AirflowApi, members: Members) -> None:
        self.project = project
        self.story = story
        self.api = api
        self.members = members
        self.victims: list[str] = []

    def play(self) -> Played:
        """Play until the second version has labelled images."""
        first = self.train_first()
        self.drop_images(first)
        self.story.ask_people(first, by_hand=False)
        self.train_again(first)
        late = self.drop_late_images()
        runs = self.settle()
        return Played(
            cloud=self.story.cloud,
            control=self.story.control,
            victims=self.victims,
            broken=[check.claim for check in self.story.checks if not check.holds],
            killed_training=self._task(first.run, "start_training"),
            runs=runs,
            tasks=[task for dag_id, run_id in runs for task in tasks_of(self.api, dag_id, run_id)],
            late=look_at(self.story.cloud, self.story.people, late, self.story.material.reading),
        )

    def train_first(self) -> Part:
        """Train, and kill the worker that has begun the training before it hears that it has."""
        self.story.control.faults(TRAINING_PAID)
        with killing(lambda: self._held_worker("train", "start_training"), self._kill_held):
            part = self.story.train_first()
        self.members.start(self.victims[0])
        return part

    def drop_images(self, part: Part) -> None:
        """Let images come, and kill a worker that writes their results, and a scheduler with it."""

        def kill(worker: str) -> None:
            self._kill_held(worker)
            self.kill(SCHEDULERS[0])

        self.story.control.faults(RESULT_WRITTEN)
        with killing(lambda: self._held_worker("detect", "detect_batch"), kill):
            self.story.drop_images(part, 1)

    def train_again(self, part: Part) -> None:
        """See the answers trigger the training, and kill the triggerer while it waits; another takes its place."""
        self.story.control.durations(training=TRAINING_SECONDS)

        def triggerer() -> str | None:
            return TRIGGERER if at_work(self.api, self._dag_id("train"), "training_is_done", "deferred") else None

        def replace(name: str) -> None:
            self.kill(name)
            self.members.start(name)

        with killing(triggerer, replace):
            self.story.train_again(part)

    def drop_late_images(self) -> dict[str, Said]:
        """Let images come once more, of which the new triggerer must hear; gives the label of each by its name."""
        images, truth = self.story.material.batch(LATE_BATCH)
        self.story.cloud.put_inbox(images)
        # The first runs may be those of earlier events, which found nothing to do.
        while len(look_at(self.story.cloud, self.story.people, truth, self.story.material.reading).results) < len(
            truth
        ):
            self.story.runs.await_next("detect")
        return truth

    def settle(self) -> dict[tuple[str, str], str]:
        """Wait until no run is at work any more; gives the state of each."""
        dag_ids = [self._dag_id(kind) for kind in ("bootstrap", *DAGS)]
        deadline = time.monotonic() + SETTLE_SECONDS
        while left := {run: state for run, state in run_states(self.api, dag_ids).items() if state not in FINAL}:
            assert time.monotonic() < deadline, f"still at work: {left}"
            time.sleep(1)
        return run_states(self.api, dag_ids)

    def kill(self, name: str) -> None:
        """Kill a part of Airflow."""
        self.members.kill(name)
        self.victims.append(name)
        self.story.view.line(f"Killed: {name}")

    def _held_worker(self, kind: str, task_name: str) -> str | None:
        """Name a worker that does the task, once AWS keeps a call of it waiting."""
        if not self.story.control.held():
            return None
        task = at_work(self.api, self._dag_id(kind), task_name, "running")
        return task.member if task else None

    def _kill_held(self, worker: str) -> None:
        self.kill(worker)
        self.story.control.faults()

    def _task(self, run: Run, name: str) -> Task:
        return next(task for task in tasks_of(self.api, run.dag_id, run.run_id) if task.name == name)

    def _dag_id(self, kind: str) -> str:
        return f"{self.project.name}_{kind}"


def play(root: Path, project: Project, processes: Processes, members: Members, view: View) -> Played:
    """Start everything and play.

    :param processes: get the parts of Airflow and the embedded AWS.
    """
    material = DigitsMaterial()
    stage = set_stage(root, project, material, processes, view, members.start_all)
    members.wait_for_workers()
    runs = Runs(project.name, stage.api, view, processes.workspace.airflow_home, PATIENCE)
    stage.switch_on(runs, view)
    control = Control(stage.endpoint_url)
    people = A2IPeople(stage.cloud, control)
    caller = PredictCaller(processes, project, stage.endpoint_url)
    story = Story(runs, stage.cloud, control, people, material, view, caller, by_hand=False)
    return Player(project, story, stage.api, members).play()


def effects(control: Control, operation: str) -> int:
    """Count the calls of Custom Labels that had an effect."""
    return int(control.calls().get(f"rekognition.{operation}", {}).get("effects", 0))
