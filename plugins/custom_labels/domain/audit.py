"""Human sampling: which detections people check, and how often the model turns out to be right."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

T = TypeVar("T")

Z_95 = 1.959964
"""Standard normal quantile of a 95 % confidence interval."""


@dataclass(frozen=True)
class AuditSample:
    """A detection that people check.

    :param review: name of the review that asks them.
    :param label: what the version said, ``None`` for no label; ``confidence`` in percent.
    """

    review: str
    image: str
    version_name: str
    label: str | None
    confidence: float | None

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON types."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> AuditSample:
        """Read back what :meth:`to_json` gave."""
        return cls(**value)


def every_nth(items: Iterable[T], interval: int, *, seen: int) -> Iterator[tuple[T, bool, int]]:
    """Mark every n-th item.

    :param interval: n, from 1.
    :param seen: items since the last marked one, before these.
    :return: each item, whether it is marked, and the items since the last marked one behind it.
    """
    for item in items:
        seen += 1
        marked = seen >= interval
        seen = 0 if marked else seen
        yield item, marked, seen


@dataclass(frozen=True)
class Accuracy:
    """How often a version was right, of the samples that people gave an answer to.

    :param label: what the version had said; ``None`` together with ``is_overall`` false for "no label".
    :param sampled: detections shown to people, of which ``answered`` have an answer that they agree on.
    """

    version_name: str
    label: str | None
    is_overall: bool
    sampled: int
    answered: int
    right: int

    @property
    def share(self) -> float | None:
        """The share of right answers, ``None`` without any answer."""
        return self.right / self.answered if self.answered else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % confidence interval of the share, ``None`` without any answer."""
        return wilson_interval(self.right, self.answered) if self.answered else None

    @property
    def words(self) -> str:
        """Word it for people."""
        if self.share is None or self.interval is None:
            return f"no answers yet to {self.sampled} samples"
        low, high = self.interval
        return f"{self.share:.1%} (95 % interval {low:.1%} to {high:.1%}; {self.right} of {self.answered} samples)"

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON types, with the share and its interval."""
        return {**asdict(self), "share": self.share, "interval": list(self.interval) if self.interval else None}


def wilson_interval(right: int, answered: int, z: float = Z_95) -> tuple[float, float]:
    """Give the Wilson score interval of a share; unlike the normal one it holds for few answers and for 0 and 100 %.

    :param answered: at least 1.
    """
    share = right / answered
    spread = z * z / answered
    centre = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / answered + spread / (4 * answered)) / (1 + spread)
    return max(0.0, centre - half), min(1.0, centre + half)


def accuracy_alarm(live: Accuracy | None, *, minimum: float, minimum_answers: int) -> str | None:
    """Say why people must be told of a version's live accuracy, ``None`` when there is no reason.

    :param minimum: share below which they are told.
    :param minimum_answers: answers without which nothing is said.
    """
    if live is None or live.share is None or live.answered < minimum_answers or live.share >= minimum:
        return None
    return f"{live.version_name} was right in {live.words}, below the minimum of {minimum:.1%}"
