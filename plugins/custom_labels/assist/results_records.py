"""How the training of a round ended, by what the registry has of it."""

from __future__ import annotations

from dataclasses import dataclass

from custom_labels.core.registry import Registry
from custom_labels.evaluation.decision_records import Decisions
from custom_labels.evaluation.judged_record import JudgedRecord
from custom_labels.s3.store import S3Store
from custom_labels.training.training_records import read_trainings


@dataclass(frozen=True)
class TrainingResult:
    """What came of a round's training; the fields are named as those of a round.

    :param trained: name of the version, ``None`` where none was trained; ``f1`` is its F1.
    :param same_images: F1 of the version before it, and its own, on the same images.
    :param result: how the run ended, in words.
    """

    trained: str | None = None
    f1: float | None = None
    same_images: tuple[float, float] | None = None
    result: str = ""


def read_training(store: S3Store, registry: Registry, dag_id: str, run_id: str, before: str) -> TrainingResult:
    """Read how a run of the train DAG ended.

    :param before: name of the version that served before.
    """
    run = f"{dag_id}/{run_id}"
    attempt = next((each for each in reversed(read_trainings(store).every) if each.run == run), None)
    last, live = registry.last_run(dag_id), registry.live()
    is_ours = last.get("run") == run
    result = f"{last.get('outcome')}: {last.get('detail')}" if is_ours else f"run '{run}' left no outcome"
    version = attempt.version_name if attempt else None
    if version is None and live is not None and live.version_name != before:
        # Another run trained on these very images, such as one that a person triggered meanwhile.
        version, result = live.version_name, f"version {live.version_name} was trained on them by another run"
    elif attempt is not None and not is_ours:
        result = f"{attempt.state}: {attempt.detail}"
    if version is None:
        return TrainingResult(result=result)
    record = registry.version(version, JudgedRecord)
    f1 = record.evaluation.f1 if record and record.evaluation else None
    same = Decisions(store, version).comparison().same_images
    both = (same.champion.overall.f1, same.challenger.overall.f1) if same else None
    return TrainingResult(version, f1, both, result)
