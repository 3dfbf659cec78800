"""A person's word on a version that passed its gates: what is asked, and what is kept of the answer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import computed_field

from custom_labels.evaluation.judgement import Judgement

_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&])")


@dataclass(frozen=True)
class Approval:
    """The answer to one question, as a version's record in the registry holds it.

    :param by: who answered, ``None`` where no answer came in time.
    :param at: when, ISO 8601 in UTC.
    :param comment: what they wrote; of people, so data and never markup.
    :param reason: the gates' verdict that was shown, and ``champion_arn`` the version compared with: an answer holds
        for no other decision.
    :param hours: how long an answer was waited for, at most.
    :param run: the run that asked.
    """

    approved: bool
    by: str | None
    at: str
    comment: str
    reason: str
    champion_arn: str | None
    hours: float
    run: str

    @computed_field  # type: ignore[prop-decorator]
    @property
    def sentence(self) -> str:
        """The answer as a sentence."""
        if self.by is None and not self.approved:
            return f"no answer came within {self.hours:g} hours, which counts as a rejection"
        words = f": {self.comment}" if self.comment else ""
        return f"{'approved' if self.approved else 'rejected'} by {self.by or 'unknown'}{words}"

    def covers(self, reason: str, champion_arn: str | None) -> bool:
        """Say whether it answers the same question: the same verdict, against the same champion."""
        return (self.reason, self.champion_arn) == (reason, champion_arn)


def ask(judged: Judgement, decision: Mapping[str, Any], page: str, hours: float) -> str:
    """Word the question from the decision and its record, in Markdown; all that came from outside is escaped.

    :param decision: the record with ``gates``, ``champion`` and ``same_images``.
    :param page: URL or path of the decision's page.
    :param hours: how long an answer is waited for.
    """
    champion = (decision.get("champion") or {}).get("version_name")
    lines = [
        f"Version **{markdown(judged.candidate.version_name)}** passed its gates. "
        + (f"It would replace **{markdown(champion)}**, which serves." if champion else "No version serves yet."),
        markdown(judged.headline),
        "\n".join(_table(decision.get("gates", ()))),
        _flips((decision.get("same_images") or {}).get("flips")),
        f"[The whole decision, with the images on which the two differ]({page})",
        f"Without an answer within {hours:g} hours it counts as rejected, and these images are not trained again.",
    ]
    return "\n\n".join(filter(None, lines))


def _table(gates: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = [
        f"| {gate['metric']} | {markdown(gate['label'] or 'all labels')} | {_number(gate['value'])} "
        f"| {_number(gate['champion'])} | {'at least' if gate['gate']['at_least'] is not None else 'at most'} "
        f"{_number(gate['bound'])} | {'holds' if gate['passed'] else 'fails'} |"
        for gate in gates
    ]
    if not rows:
        return []
    return ["| metric | label | value | champion | bound | verdict |", "|---|---|---|---|---|---|", *rows]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _flips(flips: Sequence[Mapping[str, Any]] | None) -> str:
    if flips is None:
        return ""
    changes = _counted(flips)
    boxes = _counted(box for flip in flips for box in flip.get("boxes", ()) if box["change"])
    words = f" Of the boxes on these: {boxes}." if boxes else ""
    return (
        f"Of the same images the two versions say different things: {changes}.{words}"
        if changes
        else "They say the same."
    )


def _counted(changed: Iterable[Mapping[str, Any]]) -> str:
    counts = Counter(str(each["change"]) for each in changed)
    return "; ".join(f"{markdown(change)}: {count}" for change, count in counts.items())


def markdown(text: str) -> str:
    """Escape a text from outside, so that Markdown shows it as it is, on one line."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))
