"""What the steps of a round of label assist hand on to each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from custom_labels.assist.assist import AfterAnswers, AfterAsking, AfterPlanning, AfterRound
from custom_labels.assist.progress import RoundProgress
from custom_labels.assist.settings import AssistSettings
from custom_labels.core.outcome import Outcome, RunOutcome
from custom_labels.detection.work import DetectionBatch, VersionToStart


@dataclass(frozen=True)
class PlannedRound:
    """What a round begins with.

    :param settings: those of the run.
    :param assist: name of the label assist; ``number`` is the round's.
    :param begun_at: ISO 8601 in UTC.
    :param folder: of the round's files, relative to the project's prefix.
    :param batches: images to detect, one batch a mapped task; ``work`` is the folder of the batches' files.
    :param images: how many images they are.
    :param start: the version that is to be started first, if any.
    :param outcome: how the run ends where it does not go on, and ``detail`` why.
    """

    settings: AssistSettings
    choice: AfterPlanning
    assist: str
    number: int
    begun_at: str
    folder: str = ""
    batches: tuple[DetectionBatch, ...] = ()
    work: str = ""
    images: int = 0
    start: VersionToStart | None = None
    outcome: Outcome | None = None
    detail: str = ""


@dataclass(frozen=True)
class AskedRound:
    """What people are asked.

    :param asked: images that they are asked about.
    :param until: when the wait for them ends, ISO 8601 in UTC.
    :param examples: what went wrong with single images; the first few.
    """

    choice: AfterAsking
    asked: int
    until: str
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class AnsweredRound:
    """What people answered.

    :param train_run: id of the train DAG's run that is to train on it.
    """

    choice: AfterAnswers
    progress: RoundProgress
    train_run: str


@dataclass(frozen=True)
class AssistOutcome(RunOutcome):
    """How a round ended, and the run of the next one.

    :param next_run: id of the next round's run, with its Params; empty where there is none.
    """

    choice: AfterRound = AfterRound.END
    next_run: str = ""
    next_params: dict[str, Any] = field(default_factory=dict)
