"""A label assist: rounds of detecting, asking people and training, and when they end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from custom_labels.assist.progress import RoundProgress
from custom_labels.assist.selection import Strategy
from custom_labels.core.codec import to_json
from custom_labels.core.keys import OWN_FOLDERS, UNLABELED, has_control_character
from custom_labels.errors import SettingError

OF_THE_DAG = ("assist", "round")
"""Params that the DAG gives itself when it triggers its next round."""


@dataclass(frozen=True)
class AssistPlan:
    """What a person asks of a label assist.

    :param prefix: folder of the images without labels, relative to the project's prefix.
    :param images_a_round: images that people are asked about in a round, at most.
    :param rounds: rounds at most.
    :param minimum_gain: rise of F1 in a round, below which no further one begins.
    :param maximum_candidates: images that are detected in a round, at most; ``None`` for all.
    :param wait_hours: how long a round waits for people.
    """

    prefix: str = UNLABELED
    strategy: Strategy = Strategy.LEAST_CONFIDENT
    images_a_round: int = 50
    rounds: int = 3
    minimum_gain: float = 0.01
    maximum_candidates: int | None = None
    wait_hours: float = 72

    @property
    def candidates(self) -> int | None:
        """Images to detect in a round: of a random choice no more than people are asked about."""
        if self.strategy is Strategy.RANDOM:
            return self.images_a_round
        return None if self.maximum_candidates is None else max(self.maximum_candidates, self.images_a_round)

    def params(self, assist: str, number: int) -> dict[str, Any]:
        """Give the Params of a round's run.

        :param assist: name of the assist; ``number`` is the round's.
        """
        return {**to_json(self), "assist": assist, "round": number}


def why_no_prefix(prefix: str) -> str | None:
    """Explain why a folder can hold no images that wait for labels; ``None`` if it can."""
    if not prefix.endswith("/") or prefix.startswith("/") or has_control_character(prefix):
        return "expected a folder of the project, relative to its prefix, with a slash at its end"
    if own := next((each for each in OWN_FOLDERS if prefix.startswith(each) or each.startswith(prefix)), None):
        return f"the project keeps '{own}' there, which is no folder of images that wait for labels"
    return None


def read_plan(params: Mapping[str, Any]) -> AssistPlan:
    """Read what a person asks for.

    :raises SettingError: the prefix can hold no images that wait for labels.
    """
    plan = AssistPlan(
        prefix=params.get("prefix") or UNLABELED,
        strategy=Strategy(params.get("strategy") or Strategy.LEAST_CONFIDENT),
        **{
            name: params[name]
            for name in ("images_a_round", "rounds", "minimum_gain", "maximum_candidates", "wait_hours")
            if params.get(name) is not None
        },
    )
    if why := why_no_prefix(plan.prefix):
        raise SettingError(
            f"Param 'prefix' is '{plan.prefix}': {why}. Put the images below '{UNLABELED}', or another folder of "
            "theirs, and trigger the DAG again with it."
        )
    return plan


@dataclass(frozen=True)
class AssistRound:
    """One round of a label assist.

    :param number: from 1.
    :param begun_at: when, ISO 8601 in UTC; ``asked_at`` when people were asked, empty before that.
    :param proposed_by: name of the version that made the proposals; ``f1_before`` is its F1.
    :param candidates: images without an answer that were put to the version, and ``failed`` those that got no result.
    :param asked: images that people are asked about.
    :param least_overlap: intersection over union from which boxes of a person and of the model are the same one.
    :param progress: what they answered, as far as it was counted.
    :param trained: name of the version that was trained on it, ``None`` where none was; ``f1`` is its F1.
    :param same_images: F1 of the version before it, and its own, on the same images, where both were asked about them.
    :param result: how the training ended, in words.
    """

    number: int
    begun_at: str
    proposed_by: str
    f1_before: float
    candidates: int = 0
    failed: int = 0
    asked: int = 0
    least_overlap: float = 0.5
    asked_at: str = ""
    progress: RoundProgress | None = None
    trained: str | None = None
    f1: float | None = None
    same_images: tuple[float, float] | None = None
    result: str = ""

    @property
    def gain(self) -> float | None:
        """How much F1 rose, on the same images where that is known; ``None`` where nothing was trained."""
        if self.f1 is None:
            return None
        before, after = self.same_images or (self.f1_before, self.f1)
        return after - before

    @property
    def in_words(self) -> str:
        """What came of it, as part of a sentence."""
        done = self.progress or RoundProgress()
        before, after = self.same_images or (self.f1_before, self.f1 or 0.0)
        share = "" if done.confirmed_share is None else f"people kept {done.confirmed_share:.0%} of the proposals, "
        return f"{share}F1 {before:.3f} -> {after:.3f}"


@dataclass(frozen=True)
class Assist:
    """A label assist as it is recorded.

    :param name: begins with its moment.
    :param begun_by: the run of its first round, as ``dag_id/run_id``.
    :param ended: why it ended, in words; empty while it goes on.
    """

    name: str
    plan: AssistPlan
    begun_by: str
    rounds: tuple[AssistRound, ...] = ()
    ended: str = ""

    def round(self, number: int) -> AssistRound | None:
        """Give a round by its number."""
        return next((each for each in self.rounds if each.number == number), None)

    def with_round(self, changed: AssistRound) -> Assist:
        """Give the assist with a round as it is now."""
        others = tuple(each for each in self.rounds if each.number != changed.number)
        return replace(self, rounds=tuple(sorted((*others, changed), key=lambda each: each.number)))


class AfterPlanning(StrEnum):
    """How a round goes on once it is known what there is to detect."""

    DETECT = "images wait"
    START = "start first"
    END = "nothing to label"


class AfterAsking(StrEnum):
    """How a round goes on once the images are chosen."""

    WAIT = "people are asked"
    END = "nobody to ask about"


class AfterAnswers(StrEnum):
    """How a round goes on once people have answered."""

    TRAIN = "new labels"
    END = "no new labels"


class AfterRound(StrEnum):
    """Whether there is another round."""

    NEXT = "another round"
    END = "the end"


def why_ended(plan: AssistPlan, done: AssistRound, *, is_deployed: bool) -> str:
    """Explain why no further round begins after one; empty if one does.

    :param is_deployed: whether the version that was trained serves.
    """
    if done.trained is None or done.gain is None:
        return done.result or "nothing was trained"
    if not is_deployed:
        return f"version {done.trained} does not serve: {done.result}"
    if done.gain < plan.minimum_gain:
        rose = "fell" if done.gain < 0 else "rose"
        return f"F1 {rose} by {abs(done.gain):.3f}, and less than {plan.minimum_gain:g} more ends it"
    if done.number >= plan.rounds:
        return f"{'its one round is' if plan.rounds == 1 else f'all {plan.rounds} rounds are'} done"
    if done.candidates <= done.asked:
        return f"no image below '{plan.prefix}' is left"
    return ""
