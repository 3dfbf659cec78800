"""A training by the train DAG's own steps and operators, one after the other, without an Airflow around them.

For what a training does to AWS and to the records; how the DAG is wired, tests of the DAG show. What passes between the
steps is written as JSON and read back, as between tasks.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, TypeVar

from airflow.sdk.exceptions import AirflowException
from airflow.sdk.execution_time.context import set_current_context

from custom_labels.aws.operators.datasets import CustomLabelsCreateProjectOperator, CustomLabelsReplaceDatasetOperator
from custom_labels.aws.sensors.rekognition import CustomLabelsDatasetSensor, CustomLabelsVersionSensor
from custom_labels.core.codec import to_json
from custom_labels.core.context import BACKFILL, ProjectContext, RunInfo
from custom_labels.core.dag_arguments import connection, custom_labels_arguments, making_arguments, sensor_arguments
from custom_labels.core.lock_records import DEPLOYMENT_LOCK
from custom_labels.core.lock_tasks import AcquireProjectLockOperator, release_locks
from custom_labels.core.outcome import RunOutcome
from custom_labels.deployment import deploy_tasks, end_tasks
from custom_labels.deployment.deployment import AfterSwap, DeploymentPlan, SmokeTest, Swap
from custom_labels.deployment.settings import TrainSettings
from custom_labels.deployment.version_operator import (
    StartChallengerOperator,
    StopChallengerOperator,
    StopVersionOperator,
)
from custom_labels.errors import CustomLabelsError
from custom_labels.evaluation.judge_tasks import judge_version
from custom_labels.evaluation.judgement import AfterEvaluation, AfterJudging, EvaluatedVersion, Judgement
from custom_labels.training import train_tasks
from custom_labels.training.result_tasks import evaluate
from custom_labels.training.retraining import Due, PreparedTraining, Retrain, RunDecision, TrainingAttempt
from custom_labels.training.train_operator import TrainingSensor, TrainVersionOperator
from tests.kit.dag_runs import Run
from tests.kit.fast_clock import fast_polls
from tests.kit.step_runs import passed
from tests.kit.task_contexts import TaskInstance
from tests.kit.task_contexts import run as run_task

T = TypeVar("T")

_numbers = itertools.count(1)


def train_by_steps(
    conf: dict[str, Any] | None = None,
    interval: tuple[datetime, datetime] | None = None,
    run_id: str | None = None,
) -> Run:
    """Train once, as a run triggered by hand or a backfill's; where a step fails, clean up as the DAG does.

    :param conf: the run's Params.
    :param interval: of a backfill's run.
    :param run_id: the run's id; without one no other run has it.
    :return: its note is the end's, or the error's words; ``tasks`` and ``xcoms`` are those of the steps that ran.
    """
    training = _Training(conf or {}, interval, run_id or f"steps-{next(_numbers)}")
    state = "success"
    try:
        training.play()
    except (CustomLabelsError, AirflowException) as error:
        state = "failed"
        training.ctx.note(str(error))
        training.stop_challenger()
    finally:
        training.release_locks()
    return Run(state, training.ctx.notes[-1], training.tasks, training.xcoms)


@dataclass
class _Training:
    params: dict[str, Any]
    interval: tuple[datetime, datetime] | None
    run_id: str
    tasks: dict[str, str] = field(default_factory=dict)
    xcoms: dict[str, Any] = field(default_factory=dict)
    version: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        now = datetime.now(UTC)
        start, end = self.interval or (now, now)
        self.dag_run = SimpleNamespace(
            dag_id="digits_train",
            run_id=self.run_id,
            run_type=BACKFILL if self.interval else "manual",
            logical_date=start,
            run_after=now,
            data_interval_start=start,
            data_interval_end=end,
            start_date=now,
        )
        self.ctx = ProjectContext("digits", run=RunInfo.of(self.context()))
        self.project = self.ctx.project

    def context(self) -> Any:
        """Give the context of a task."""
        return {"ti": TaskInstance(), "dag_run": self.dag_run, "params": self.params}

    # -- one step ----------------------------------------------------------------------------------

    def do(self, name: str, function: Callable[..., T], *args: Any) -> T:
        """Call a step's function."""
        return self._ended(name, lambda: function(self.ctx, *args))

    def operate(self, task: Any) -> Any:
        """Execute an operator or sensor."""
        context = self.context()
        with set_current_context(context), fast_polls():
            return self._ended(task.task_id, lambda: run_task(task, context))

    def _ended(self, name: str, work: Callable[[], T]) -> T:
        self.tasks[name] = "failed"
        value = work()
        self.tasks[name] = "success"
        self.xcoms[name] = to_json(value)
        return value

    # -- all of them -------------------------------------------------------------------------------

    def play(self) -> RunOutcome:
        """Go through the steps as the decisions say."""
        settings = self.do("load_settings", _load_settings)
        decided = passed(RunDecision, self.do("decide_training", train_tasks.decide_training.function, settings))
        prepared = evaluated = judged = None
        if decided.choice is Due.YES:
            self.operate(AcquireProjectLockOperator(task_id="acquire_lock", project="digits"))
            prepare = train_tasks.prepare_images.function
            prepared = passed(PreparedTraining, self.do("prepare_images", prepare, settings, decided))
        if prepared is not None and prepared.choice is not Retrain.NOTHING:
            attempt = self.train(settings, prepared)
            evaluated = passed(EvaluatedVersion, self.do("evaluate", evaluate.function, settings, attempt))
        if evaluated is not None and evaluated.choice is AfterEvaluation.JUDGE:
            judged = passed(Judgement, self.do("judge_version", judge_version.function, settings, evaluated))
        if judged is not None and judged.choice is AfterJudging.DEPLOY:
            self.deploy(settings, judged)
        return self.do("finish", end_tasks.finish.function, settings, decided, prepared, evaluated, judged)

    def train(self, settings: TrainSettings, prepared: PreparedTraining) -> TrainingAttempt:
        """Make the datasets unless a training is gone on with, claim the training and wait for it."""
        aws = making_arguments(self.project)
        project_arn: str | None = None
        arns: list[str] = []
        if prepared.choice is Retrain.TRAIN:
            create = CustomLabelsCreateProjectOperator(task_id="create_project", project_name="digits", **aws)
            project_arn = str(self.operate(create))
            arns = [
                self.dataset(project_arn, kind, uri, aws)
                for kind, uri in (("train", prepared.train_uri), ("test", prepared.test_uri))
            ]
        claim = train_tasks.claim_training.function
        attempt = passed(TrainingAttempt, self.do("claim_training", claim, settings, prepared, project_arn, arns))
        about: dict[str, Any] = {"project": "digits", "attempt": attempt}
        output = f"s3://{self.project.bucket}/{self.project.prefix}evaluation/digits"
        start = TrainVersionOperator(
            task_id="start_training", output_uri=output, wait_for_completion=False, **about, **aws
        )
        self.operate(start)
        done = TrainingSensor(
            task_id="training_is_done",
            poll_seconds=1,
            timeout_hours=settings.training_timeout_hours,
            deferrable=True,
            **about,
            **connection(self.project),
        )
        self.operate(done)
        return attempt

    def dataset(self, project_arn: str, kind: str, uri: str | None, aws: dict[str, Any]) -> str:
        """Make a dataset, and wait until it is ready."""
        create = CustomLabelsReplaceDatasetOperator(
            task_id=f"create_{kind}_dataset",
            project_arn=project_arn,
            dataset_type=kind.upper(),
            manifest_uri=str(uri),
            wait_for_completion=False,
            **aws,
        )
        arn: str = self.operate(create)
        ready = {"dataset_arn": arn, **sensor_arguments(self.project)}
        self.operate(CustomLabelsDatasetSensor(task_id=f"{kind}_dataset_is_ready", **ready))
        return arn

    def deploy(self, settings: TrainSettings, judged: Judgement) -> None:
        """Start, test and swap in the version, and stop those that are to go."""
        self.operate(
            AcquireProjectLockOperator(
                task_id="acquire_deployment_lock", project="digits", lock=DEPLOYMENT_LOCK, poll_seconds=1
            )
        )
        planned = self.do("plan_deployment", deploy_tasks.plan_deployment.function, settings, judged.candidate)
        plan = passed(DeploymentPlan, planned)
        aws = {"project": "digits", **custom_labels_arguments(self.project)}
        for kept in plan.kept:
            self.stop("stop_kept", kept.project_arn, kept.version_name)
        self.version = {"project_arn": plan.candidate.project_arn, "version_name": plan.candidate.version_name}
        start = StartChallengerOperator(
            task_id="start_version",
            plan=plan,
            wait_for_completion=False,
            min_inference_units=plan.units.minimum,
            max_inference_units=plan.units.maximum,
            **self.version,
            **aws,
        )
        self.operate(start)
        running = {"until": "running", **self.version, **sensor_arguments(self.project)}
        self.operate(CustomLabelsVersionSensor(task_id="version_is_running", **running))
        test = deploy_tasks.smoke_test.function
        tested = passed(SmokeTest, self.do("smoke_test", test, settings, *self.version.values(), plan.candidate.digest))
        swap = passed(Swap, self.do("swap_live", deploy_tasks.swap_live.function, settings, plan, tested))
        if swap.choice is AfterSwap.STOP:
            self.stop("stop_replaced", str(swap.live.previous_project_arn), str(swap.live.previous_version_name))

    def stop(self, name: str, project_arn: str, version_name: str) -> None:
        """Stop a version."""
        arguments = {"project_arn": project_arn, "version_name": version_name, **custom_labels_arguments(self.project)}
        self.operate(StopVersionOperator(task_id=name, project="digits", **arguments))

    def release_locks(self) -> None:
        """Give back the locks, where the run took one."""
        if "acquire_lock" in self.xcoms:
            self.do("release_locks", release_locks.function, [self.ctx.owner])

    def stop_challenger(self) -> None:
        """After a failure: stop the version that was to serve, where the run came so far."""
        if self.version:
            arguments = {**self.version, **custom_labels_arguments(self.project)}
            self.operate(StopChallengerOperator(task_id="stop_challenger", project="digits", **arguments))


def _load_settings(ctx: ProjectContext) -> TrainSettings:
    ctx.require_region()
    ctx.claim()
    return ctx.read_settings(TrainSettings)
