"""How a run of one of our DAGs ended, in words that a person reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self


class Outcome(StrEnum):
    """How a run of one of our DAGs ended, or what it waits for."""

    words: str

    def __new__(cls, value: str, words: str) -> Self:
        """Make one of its name and what a person reads."""
        made = str.__new__(cls, value)
        made._value_ = value
        made.words = words
        return made

    TRAINING_IS_OFF = "training_is_off", "training is switched off"
    NOTHING_TO_DO = "nothing_to_do", "nothing to train"
    GATE_FAILED = "gate_failed", "new version refused"
    TRAINING_FAILED = "training_failed", "training failed"
    FAILED = "failed", "run failed"
    APPROVAL_WANTED = "approval_wanted", "approval wanted"
    REJECTED = "rejected", "new version rejected"
    DEPLOYED = "deployed", "new version serves"
    TRAINED = "trained", "version trained, not deployed"
    PLANNED = "planned", "plan of a training"
    ROLLED_BACK = "rolled_back", "an earlier version serves"
    NOTHING_TO_ROLL_BACK = "nothing_to_roll_back", "nothing to roll back to"
    SCALED = "scaled", "inference units changed"
    NOTHING_TO_SCALE = "nothing_to_scale", "inference units are as wanted"
    GUARDED = "guarded", "cost guard acted"
    NOTHING_TO_GUARD = "nothing_to_guard", "nothing to stop"
    BUDGET_EXCEEDED = "budget_exceeded", "monthly budget exceeded"
    LIVE_VERSION_IDLE = "live_version_idle", "live version is not asked"
    DETECTED = "detected", "images detected"
    DETECTION_TROUBLE = "detection_trouble", "images in trouble"
    NOTHING_SERVES = "nothing_serves", "no version serves"
    NOTHING_TO_DETECT = "nothing_to_detect", "nothing to detect"
    HARVESTED = "harvested", "reviews harvested"
    REVIEW_TROUBLE = "review_trouble", "reviews fail"
    REVIEWER_FAR_OFF = "reviewer_far_off", "a reviewer disagrees"
    NOTHING_TO_HARVEST = "nothing_to_harvest", "nothing to harvest"
    SAMPLING_IS_OFF = "sampling_is_off", "sampling is switched off"
    SAMPLED = "sampled", "detections sampled"
    NOTHING_TO_SAMPLE = "nothing_to_sample", "nothing to sample"
    LIVE_ACCURACY_LOW = "live_accuracy_low", "live accuracy is low"
    ASKED = "asked", "people asked"
    NOTHING_TO_ASK = "nothing_to_ask", "nothing to ask"
    IMPORTED = "imported", "images imported"
    IMPORT_TROUBLE = "import_trouble", "nothing of a source can be used"
    NOTHING_TO_IMPORT = "nothing_to_import", "nothing to import"
    ASSIST_GOES_ON = "assist_goes_on", "a round of label assist is done"
    ASSIST_ENDED = "assist_ended", "label assist has ended"
    NOTHING_TO_LABEL = "nothing_to_label", "nothing to label"
    READY = "ready", "project is ready"
    TORN_DOWN = "torn_down", "project taken away from AWS"
    TEARDOWN_PLANNED = "teardown_planned", "plan of a teardown"
    NOTHING_TO_TEAR_DOWN = "nothing_to_tear_down", "nothing to take away"


MAX_SUBJECT = 100
"""SNS takes subjects of fewer than 100 characters, ASCII, without control characters."""


@dataclass(frozen=True)
class RunOutcome:
    """How a run ended.

    :param outcome: which of them.
    :param project: the model project.
    :param detail: one sentence: why.
    :param run: the run, as ``dag_id/run_id``.
    :param facts: named values below the sentence, in order.
    """

    outcome: Outcome
    project: str
    detail: str
    run: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def subject(self) -> str:
        """The subject of a message: ASCII on one line, cut to what SNS takes."""
        text = f"[{self.project}] {self.outcome.words}: {self.detail}"
        plain = "".join(c if c.isascii() and c.isprintable() else "?" for c in text)
        return plain if len(plain) < MAX_SUBJECT else plain[: MAX_SUBJECT - 4] + "..."

    @property
    def body(self) -> str:
        """The text of a message."""
        lines = [f"Project {self.project}: {self.outcome.words}.", "", _sentence(self.detail), ""]
        lines += [f"{name}: {value}" for name, value in self.facts.items()]
        return "\n".join([*lines, f"Run: {self.run}"])

    @property
    def note(self) -> str:
        """The note on the run."""
        return f"{self.outcome.words.capitalize()}: {_sentence(self.detail)}"

    def but(self, trouble: str) -> str:
        """The note on the run, with what failed after this was recorded."""
        return f"{self.note} Afterwards: {_sentence(trouble)}"


class NewImages(StrEnum):
    """Whether images came in that a training may learn from."""

    SOME = "new labelled images"
    NONE = "no new labelled image"


@dataclass(frozen=True)
class NewImagesOutcome(RunOutcome):
    """How a run ended that may bring labelled images, and whether to see if there is enough to train on."""

    choice: NewImages = NewImages.NONE


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."
