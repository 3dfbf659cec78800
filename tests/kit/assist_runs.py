"""A round of label assist by its DAG's own steps, one after the other, without an Airflow around them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from custom_labels.assist import assist_tasks
from custom_labels.assist.answers_operator import WaitForAnswersOperator
from custom_labels.assist.assist import AfterAnswers, AfterAsking, AfterPlanning, Assist
from custom_labels.assist.assist_records import assist_record
from custom_labels.assist.assist_work import AnsweredRound, AskedRound, AssistOutcome, PlannedRound
from custom_labels.assist.proposals_operator import ProposeLabelsOperator
from custom_labels.assist.training_operator import TRAIN_ON_ANSWERS
from custom_labels.core.codec import from_json, to_json
from custom_labels.core.context import ProjectContext
from custom_labels.detection.work import BatchResult
from custom_labels.s3.store import S3Store
from tests.kit.fast_clock import fast_polls
from tests.kit.step_runs import harvest_by_steps, new_run, passed
from tests.kit.support import BUCKET, LABELS, picture, s3
from tests.kit.task_contexts import run
from tests.kit.train_steps import train_by_steps

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

FOLDER = "images_to_label/"


@dataclass
class Round:
    """A round on its way: what its steps have handed on so far.

    :param params: the run's Params.
    """

    params: dict[str, Any]
    asked: AskedRound | None = None
    answered: AnsweredRound | None = None
    ctx: ProjectContext = field(init=False)

    def __post_init__(self) -> None:
        self.ctx = new_run("label_assist", params=self.params)
        self.planned = self.plan()

    def plan(self) -> PlannedRound:
        """See what waits for labels."""
        return passed(PlannedRound, assist_tasks.plan_round.function(self.ctx))

    def propose(self) -> list[BatchResult]:
        """Let the live version look at the images."""
        return [from_json(BatchResult, run(self.task(each))) for each in to_json(self.planned.batches)]

    def task(self, batch: Any) -> ProposeLabelsOperator:
        """Make the task of a batch."""
        settings = to_json(self.planned.settings)
        folder = self.planned.folder
        return ProposeLabelsOperator(
            task_id="propose_labels", project="digits", settings=settings, batch=batch, folder=folder
        )

    def ask(self) -> AskedRound:
        """Ask people."""
        self.asked = passed(AskedRound, assist_tasks.ask_people.function(self.ctx, self.planned, self.propose()))
        return self.asked

    def wait(self, until: str | None = None) -> int:
        """Wait for the answers, which must have been harvested, or for a moment."""
        assert self.asked is not None
        task = WaitForAnswersOperator(
            task_id="wait_for_answers",
            project="digits",
            folder=self.planned.folder,
            since=self.planned.begun_at,
            until=until or self.asked.until,
            poll_seconds=1,
            deferrable=True,
        )
        with fast_polls():
            return int(run(task))

    def count(self) -> AnsweredRound:
        """Count what people answered."""
        self.answered = passed(AnsweredRound, assist_tasks.count_answers.function(self.ctx, self.planned))
        return self.answered

    def finish(self) -> AssistOutcome:
        """Record how the round ended."""
        ended = assist_tasks.finish.function(self.ctx, self.planned, self.asked, self.answered)
        return passed(AssistOutcome, ended)

    @property
    def record(self) -> Assist:
        """The assist as it is recorded."""
        found = assist_record(self.planned.assist).read(S3Store(BUCKET))
        assert found is not None
        return found


def assist_by_steps(**params: Any) -> tuple[Round, AssistOutcome]:
    """Play a round; what people answer is harvested at once, and the training runs as soon as it is triggered."""
    played = Round(params)
    if played.planned.choice is AfterPlanning.DETECT and played.ask().choice is AfterAsking.WAIT:
        while played.wait(until=played.planned.begun_at):
            harvest_by_steps()
        assert played.wait() == 0
        if played.count().choice is AfterAnswers.TRAIN and played.answered is not None:
            train_by_steps(TRAIN_ON_ANSWERS, run_id=played.answered.train_run)
    return played, played.finish()


def put_unlabelled(aws: LocalAws, number: int, folder: str = FOLDER, start: int = 300) -> list[str]:
    """Put so many pictures of each label below a folder, which says nothing of them; the workforce sees it by the key.

    :return: the keys.
    """
    keys = []
    for label in LABELS:
        for index in range(start, start + number):
            keys.append(f"{folder}{label}/{index:04d}.png")
            s3(aws).put_object(Bucket=BUCKET, Key=keys[-1], Body=picture(label, index))
    return keys
