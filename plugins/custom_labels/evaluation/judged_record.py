"""What was measured and decided of a version, as the registry keeps it."""

from __future__ import annotations

from dataclasses import dataclass

from custom_labels.core.gate import GateResult
from custom_labels.datasets.trained_record import TrainedRecord
from custom_labels.evaluation.approval import Approval
from custom_labels.evaluation.evaluation import Evaluation


@dataclass(frozen=True)
class GateVerdict:
    """What the gates say of a version; the whole decision is in ``registry/decisions/``.

    :param version_arn: the version, and ``champion_arn`` the one that it was judged against, ``None`` for none.
    :param reason: which gates hold or fail, as part of a sentence.
    :param headline: the values of the metric by which versions are compared, in words.
    :param decision: URI of the record of the decision.
    """

    version_arn: str
    champion_arn: str | None
    passed: bool
    reason: str
    headline: str = ""
    gates: tuple[GateResult, ...] = ()
    decision: str = ""


@dataclass(frozen=True, kw_only=True)
class JudgedRecord(TrainedRecord):
    """A version with its metrics, and what the gates and a person said of it.

    :param answers: URI of the evaluation snapshot, its answers to its own test images, which stays in the bucket when
        the version is deleted at AWS.
    """

    evaluation: Evaluation | None = None
    answers: str | None = None
    gate: GateVerdict | None = None
    approval: Approval | None = None
