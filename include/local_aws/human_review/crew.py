"""The simulated workforce at work: it reads open tasks as people do, and answers them in its time."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from PIL import Image

from include.local_aws.human_review.questions import Kind, Question, find_elements
from include.local_aws.human_review.state import Answer, Region, Work
from include.local_aws.human_review.templates import TemplateError, split_s3_uri
from include.local_aws.human_review.workforce import Reply, Size, Workforce
from include.local_aws.objects import ObjectDenied, ObjectMissing
from include.local_aws.pictures import UNREADABLE, open_picture, upright_size

_COUNTS = ("answered", "wrong", "only_submitted", "ignored", "unanswerable")


@dataclass
class _Crew:
    """A workforce at work: when each worker is free (monotonic seconds), and which loops were looked at."""

    rules: Workforce
    free_at: dict[str, float] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)


class SimulatedWorkforce:
    """Puts a Workforce to work on the open loops; there is none at the start."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._crew: _Crew | None = None

    def employ(self, workforce: Workforce) -> None:
        """Let this workforce answer from now on, instead of the one before; counts start anew."""
        workers = {f"simulated-{number}": 0.0 for number in range(1, workforce.workers + 1)}
        with self._lock:
            self._crew = _Crew(workforce, workers)

    def dismiss(self) -> None:
        """Answer nothing more, not even what was begun."""
        with self._lock:
            self._crew = None

    def to_json(self) -> dict[str, Any]:
        """Return the rules and the counts: answered, wrong, only_submitted, ignored and unanswerable."""
        crew = self._crew
        if crew is None:
            return {"employed": False}
        rules = asdict(crew.rules)
        if isinstance(crew.rules.truth, dict):
            rules["truth"] = {"images": len(crew.rules.truth)}
        counts = {name: crew.counts[name] for name in _COUNTS}
        return {"employed": True, **rules, **counts}

    def work(self, region: Region) -> None:
        """Give the open loops of a region that nobody looked at yet to workers; the caller holds its lock."""
        crew = self._crew
        if crew is None:
            return
        for work in list(region.active_work.values()):
            key = f"{work.arn} {work.serial}"
            if work.is_open and key not in crew.seen:
                crew.seen.add(key)
                self._hand_out(region, work, crew)

    def _hand_out(self, region: Region, work: Work, crew: _Crew) -> None:
        question = _question(region, work)
        if crew.rules.ignores(work.name):
            crew.counts["ignored"] += 1
            return
        size = _size_of(region, question)
        wanted = work.task_count - len(work.answers)
        for worker in sorted(crew.free_at, key=lambda name: crew.free_at[name])[:wanted]:
            reply = None if question is None else crew.rules.answer(question, work.name, worker, size)
            if question is None or reply is None:
                crew.counts["unanswerable"] += 1
                return
            now = time.monotonic()
            start = max(now, crew.free_at[worker])
            crew.free_at[worker] = start + crew.rules.seconds
            delay = crew.free_at[worker] - now
            action = self._answering(work, crew, worker, question.field, reply)
            region.transitions.schedule("simulated answer", delay, action)

    def _answering(self, work: Work, crew: _Crew, worker: str, field: str, reply: Reply) -> Callable[[], None]:
        def answer() -> None:
            if self._crew is not crew or not work.is_open or worker in work.answers:
                return
            submitted = time.time()
            crew.counts["answered"] += 1
            crew.counts["wrong"] += not reply.is_right
            crew.counts["only_submitted"] += reply.only_submitted
            said = {field: reply.content}
            work.keep(Answer(worker, said, submitted - crew.rules.seconds, submitted))

        return answer


def _question(region: Region, work: Work) -> Question | None:
    """Read a loop's page as a worker does; None if it has nothing that the simulation can answer."""
    try:
        elements = find_elements(work.page(region))
        return elements[0].question() if elements else None
    except (TemplateError, ValueError):
        return None


def _size_of(region: Region, question: Question | None) -> Size | None:
    """Return the size of the image that boxes are to be drawn on, None where it cannot be seen or does not matter."""
    if question is None or question.kind is not Kind.BOXES:
        return None
    try:
        with open_picture(region.objects.read(*split_s3_uri(question.image))) as image:
            return upright_size(image)
    except (ObjectMissing, ObjectDenied, Image.DecompressionBombError, *UNREADABLE):
        return None
