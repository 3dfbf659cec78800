"""What was measured of a trained version, and what the gates say of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from custom_labels.core.gate import Scores
from custom_labels.core.live_version import Candidate, LiveVersion
from custom_labels.evaluation.evaluation import Evaluation


class AfterEvaluation(StrEnum):
    """What a version was trained for."""

    JUDGE = "may serve"
    NOTHING = "only measured"


@dataclass(frozen=True)
class EvaluatedVersion:
    """A version with what Custom Labels measured, and the live version that it is compared with.

    :param champion: ``None`` where no version serves, or this one does.
    :param champion_scores: of the champion's own evaluation, where its record has one.
    """

    choice: AfterEvaluation
    project_arn: str
    version_name: str
    version_arn: str
    digest: str
    evaluation: Evaluation
    champion: LiveVersion | None = None
    champion_scores: Scores | None = None


class AfterJudging(StrEnum):
    """What the gates, and a person who answered before, say."""

    DEPLOY = "passed"
    ASK = "ask"
    NOTHING = "refused"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Judgement:
    """The decision about a version.

    :param reason: which gates hold or fail, as part of a sentence.
    :param headline: the values of the metric by which versions are compared, in words.
    """

    choice: AfterJudging
    candidate: Candidate
    passed: bool
    reason: str
    headline: str
