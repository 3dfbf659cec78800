"""How a run of one of our DAGs ended, in words that a person reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TITLES = {
    "training_is_off": "training is switched off",
    "nothing_to_do": "nothing to train",
    "gate_failed": "new version refused",
    "training_failed": "training failed",
    "failed": "run failed",
    "approval_wanted": "approval wanted",
    "rejected": "new version rejected",
    "deployed": "new version serves",
    "trained": "version trained, not deployed",
    "planned": "plan of a training",
    "rolled_back": "an earlier version serves",
    "nothing_to_roll_back": "nothing to roll back to",
    "scaled": "inference units changed",
    "nothing_to_scale": "inference units are as wanted",
    "guarded": "cost guard acted",
    "nothing_to_guard": "nothing to stop",
    "budget_exceeded": "monthly budget exceeded",
    "live_version_idle": "live version is not asked",
    "detected": "images detected",
    "detection_trouble": "images in trouble",
    "nothing_serves": "no version serves",
    "nothing_to_detect": "nothing to detect",
    "harvested": "reviews harvested",
    "review_trouble": "reviews fail",
    "nothing_to_harvest": "nothing to harvest",
    "sampling_is_off": "sampling is switched off",
    "sampled": "detections sampled",
    "nothing_to_sample": "nothing to sample",
    "live_accuracy_low": "live accuracy is low",
    "ready": "project is ready",
}
MAX_SUBJECT = 100
"""SNS takes subjects of fewer than 100 characters, ASCII, without control characters."""


@dataclass(frozen=True)
class RunOutcome:
    """How a run ended.

    :param outcome: a key of :data:`TITLES`, also the name of the branch in the DAG.
    :param project: the model project.
    :param detail: one sentence: why.
    :param run: the run, as ``dag_id/run_id``.
    :param facts: named values below the sentence, in order.
    """

    outcome: str
    project: str
    detail: str
    run: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def subject(self) -> str:
        """The subject of a message: ASCII on one line, cut to what SNS takes."""
        text = f"[{self.project}] {TITLES[self.outcome]}: {self.detail}"
        plain = "".join(c if c.isascii() and c.isprintable() else "?" for c in text)
        return plain if len(plain) < MAX_SUBJECT else plain[: MAX_SUBJECT - 4] + "..."

    @property
    def body(self) -> str:
        """The text of a message."""
        lines = [f"Project {self.project}: {TITLES[self.outcome]}.", "", _sentence(self.detail), ""]
        lines += [f"{name}: {value}" for name, value in self.facts.items()]
        return "\n".join([*lines, f"Run: {self.run}"])

    @property
    def note(self) -> str:
        """The note on the run."""
        return f"{TITLES[self.outcome].capitalize()}: {_sentence(self.detail)}"

    def but(self, trouble: str) -> str:
        """The note on the run, with what failed after this was recorded."""
        return f"{self.note} Afterwards: {_sentence(trouble)}"


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."
