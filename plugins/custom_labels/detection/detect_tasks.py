"""The steps of the detect DAG: what there is to detect, and what became of it.

Every function is one task. It takes the project's name and small values, and may be run again after any crash.
"""

from __future__ import annotations

import logging
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from custom_labels.aws.hooks.queue import QueueHook
from custom_labels.aws.inputs import require_inputs
from custom_labels.aws.messages import Message
from custom_labels.core.batches import MOST_BATCHES
from custom_labels.core.context import REASON, ProjectContext, branch, step
from custom_labels.core.keys import INBOX
from custom_labels.core.label_settings import in_words, unknown_labels
from custom_labels.core.listener import NOTE_KEY
from custom_labels.core.queues import project_queue
from custom_labels.core.reporting_tasks import outcome
from custom_labels.detection.events import Announcement, PassedOver, read_event
from custom_labels.detection.inbox_records import Inbox
from custom_labels.detection.work import group_announcements
from custom_labels.detection.work_records import LEFT, DetectionWork, work_name
from custom_labels.review.review_tasks import dropped_facts, dropped_reviews

log = logging.getLogger(__name__)

MOST_MESSAGES = 5_000
LEAST_VISIBILITY = 900
EXAMPLES = 5


@step
def collect(project: str, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Drain the queue, list images without a result unless only the queue triggered the run, and share all out."""
    ctx = ProjectContext(project)
    work = DetectionWork(ctx.store, work_name(ctx.owner))
    plan = work.plan()
    if plan is None:
        plan = plan_run(ctx, settings, work)
        work.save_plan(plan)
    batches: list[dict[str, Any]] = plan.pop("batches")
    log.info("%s images in %s batches: %s", plan["images"], len(batches), plan)
    ctx.context["ti"].xcom_push(key="plan", value=plan)
    return batches


def plan_run(ctx: ProjectContext, settings: dict[str, Any], work: DetectionWork) -> dict[str, Any]:
    """Find out what there is to do, and write it down in batches.

    :return: the ``batches``, and what was found and drained on the way.
    """
    most_batch = settings["detection_batch_images"]
    swept = not ctx.run.triggered_by_queue_only
    with tempfile.TemporaryDirectory() as folder:
        most = ctx.param("maximum_images") or MOST_BATCHES * most_batch
        with Inbox(ctx.store, Path(folder) / "inbox.db", most) as inbox:
            drained = _receive(ctx, settings, inbox, swept=swept)
            batches = work.write_batches(inbox, most=most_batch, workers=ctx.project.detection_workers)
            left = inbox.left
    return {
        "run": work.run,
        "batches": batches,
        "images": sum(batch["images"] for batch in batches),
        "workers": max((batch["workers"] for batch in batches), default=1),
        "swept": swept,
        "left": left,
        "misspelt": _misspelt(ctx, settings),
        **drained,
    }


def _misspelt(ctx: ProjectContext, settings: dict[str, Any]) -> str:
    """Say which thresholds are those of no label, so that detections go by another than was meant; empty if none is."""
    live = ctx.registry.live()
    if live is None or not (unknown := unknown_labels(settings["label_detection_confidence"], live.labels)):
        return ""
    words = (
        f"'{ctx.project.variable('label_detection_confidence')}' names labels that version {live.version_name} does "
        f"not know: {in_words(unknown, live.labels)}"
    )
    log.warning("%s. Correct it under Admin > Variables, or in %s.yaml.", words, ctx.project.name)
    return words


def _receive(ctx: ProjectContext, settings: dict[str, Any], inbox: Inbox, *, swept: bool) -> dict[str, Any]:
    """Fill the inbox from the queue and from what is found, and delete the messages that are of no more use."""
    queue = project_queue(ctx.project, "detections")
    drained = DrainedMessages(ctx)
    announced = group_announcements(drained.drain(queue, _visibility(ctx, settings)) if queue else ())
    over = inbox.announce(announced, swept=swept)
    if swept:
        over += inbox.sweep()
    if outside := drained.reasons[PassedOver.OUTSIDE]:
        log.warning(
            "%s objects outside %s were announced, such as what the project writes itself. Give the bucket's "
            "notification to 'queues.detections' that prefix; %s_bootstrap names the one that is wrong.",
            outside,
            ctx.store.uri(INBOX),
            ctx.project.name,
        )
    if swept:  # those that were announced lie there, too
        drained.reasons[PassedOver.NOT_AN_IMAGE] = inbox.passed_over[PassedOver.NOT_AN_IMAGE]
    done = [*drained.passed_over, *(message for item in over for message in item.messages)]
    if queue:
        queue.delete([*done, *drained.hand_over()])
    return {
        "messages": drained.messages,
        "passed_over": len(done),
        "reasons": {reason.value: count for reason, count in drained.reasons.items() if count},
        "dead_lettered": len(drained.garbage) if drained.dead_letters else 0,
        "garbage": len(drained.garbage),
        "examples": [f"a message: {why}" for _, why in drained.garbage[:EXAMPLES]],
    }


def _visibility(ctx: ProjectContext, settings: dict[str, Any]) -> int:
    """Give the seconds for which messages stay ours: twice what one inference unit needs for as many as are taken."""
    needed = 2 * MOST_MESSAGES / settings["detections_per_unit_second"]
    return int(ctx.param("visibility_seconds") or max(LEAST_VISIBILITY, needed))


class DrainedMessages:
    """What the messages of a drain say, sorted."""

    def __init__(self, ctx: ProjectContext) -> None:
        self.ctx = ctx
        self.dead_letters = project_queue(ctx.project, "dead_letters")
        self.messages = 0
        self.passed_over: list[Message] = []
        self.reasons: Counter[PassedOver] = Counter()
        self.garbage: list[tuple[Message, str]] = []

    def drain(self, queue: QueueHook, visibility: int) -> Iterator[tuple[Message, tuple[Announcement, ...]]]:
        """Drain the queue and give the messages that announce images."""
        store = self.ctx.store
        for message in queue.receive(MOST_MESSAGES, visibility):
            self.messages += 1
            read = read_event(message.body, bucket=store.bucket, prefix=store.prefix)
            self.reasons.update(read.passed_over)
            if read.trouble:
                log.warning("Message %s: %s.", message.id, read.trouble)
                self.garbage.append((message, read.trouble))
            elif read.announcements:
                yield message, read.announcements
            else:
                log.info("Message %s: %s.", message.id, "; ".join(read.examples) or "no records")
                self.passed_over.append(message)

    def hand_over(self) -> list[Message]:
        """Send what nobody understands to the dead-letter queue; without one it stays where it is.

        :return: the messages that were sent.
        """
        if self.dead_letters is None:
            return []
        for message, why in self.garbage:
            self.dead_letters.send(message.body, {"reason": why})
        return [message for message, _ in self.garbage]


@branch
def choose_outcome(project: str) -> list[str]:
    """Sum up what became of the images, delete the run's work, and say how the run ends."""
    ctx = ProjectContext(project)
    ti = ctx.context["ti"]
    # Pulled, not handed in: a batch that is skipped, since there is none, would let this be skipped too.
    plan = ti.xcom_pull(task_ids="collect", key="plan")
    require_inputs("choose_outcome", {"plan": plan})
    done = [each for each in ti.xcom_pull(task_ids=["detect_batch"]) if each]
    counts: Counter[str] = Counter()
    for each in done:
        counts.update(each["counts"])
    counts["dead_lettered"] += plan["dead_lettered"]
    seconds = sum(each["seconds"] for each in done) / plan["workers"]
    summary = {
        "images": plan["images"],
        "counts": dict(counts),
        "examples": [*plan["examples"], *(example for each in done for example in each["examples"])][:EXAMPLES],
        "calls_a_second": round(sum(each["calls"] for each in done) / seconds, 1) if seconds else 0,
        "garbage": plan["garbage"],
        "reasons": plan["reasons"],
        "misspelt": plan["misspelt"],
        "left": plan["left"],
    }
    ti.xcom_push(key="summary", value=summary)
    DetectionWork(ctx.store, plan["run"]).delete()
    is_trouble = bool(counts["failed"] or counts["unreadable"] or plan["garbage"])
    end = "detection_trouble" if is_trouble else "detected" if plan["images"] else "nothing_to_detect"
    return [end, "go_on_detecting"] if plan["left"] else [end]


@step
def go_on_detecting(project: str) -> None:
    """Trigger the next run: there are more images than one run takes."""
    log.info("Images of project '%s' are left for another run.", project)


# -- how a run ends --------------------------------------------------------------------------------


@step
def nothing_serves(project: str) -> dict[str, Any]:
    """Say that no version serves; the images wait where they are. It is notified once, not at every run."""
    ctx = ProjectContext(project)
    reason = ctx.context["ti"].xcom_pull(task_ids="is_version_serving", key=REASON)
    end = outcome(ctx, "nothing_serves", f"{reason}; new images wait")
    before = ctx.registry.last_run(ctx.run.dag_id)
    if (before.get("outcome"), before.get("detail")) == (end["outcome"], end["detail"]):
        ctx.context["ti"].xcom_push(key=NOTE_KEY, value=f"Still: {end['detail']}.")
        raise AirflowSkipException(f"That was notified by run '{before.get('run')}' and has not changed since.")
    return end


@step
def nothing_to_detect(project: str) -> dict[str, Any]:
    """Say that every image has its result."""
    ctx = ProjectContext(project)
    summary = _summary(ctx)
    other = summary["reasons"].get(PassedOver.NOT_AN_IMAGE.value, 0)
    rest = f"; {other} files in the inbox are of another kind by their names" if other else ""
    detail = f"every image has its result{rest}{_remark(summary)}{_dropped(ctx)}"
    return outcome(ctx, "nothing_to_detect", detail, _facts(ctx, summary))


@step
def detected(project: str) -> dict[str, Any]:
    """Say what became of the images."""
    ctx = ProjectContext(project)
    summary = _summary(ctx)
    return outcome(ctx, "detected", _words(summary) + _dropped(ctx), _facts(ctx, summary))


@step
def detection_trouble(project: str) -> dict[str, Any]:
    """Say which images are in trouble, in AWS's words, beside what became of the others."""
    ctx = ProjectContext(project)
    summary = _summary(ctx)
    counts, garbage = summary["counts"], summary["garbage"]
    wrong = [f"{counts['failed']} images failed"] if counts.get("failed") else []
    wrong += [f"{counts['unreadable']} images cannot be read"] if counts.get("unreadable") else []
    wrong += [f"{garbage} messages are no events of this project's inbox"] if garbage else []
    facts = {**_facts(ctx, summary), **{f"Example {n}": text for n, text in enumerate(summary["examples"], start=1)}}
    detail = f"{' and '.join(wrong)}; {_words(summary)}{_dropped(ctx)}"
    return outcome(ctx, "detection_trouble", detail, facts)


def _summary(ctx: ProjectContext) -> dict[str, Any]:
    summary: dict[str, Any] = ctx.context["ti"].xcom_pull(task_ids="choose_outcome", key="summary")
    return summary


def _words(summary: dict[str, Any]) -> str:
    counts = summary["counts"]
    said = f"{counts.get('accepted', 0)} of {summary['images']} accepted, {counts.get('review', 0)} to people"
    return said + _remark(summary)


def _remark(summary: dict[str, Any]) -> str:
    return f"; {summary['misspelt']}" if summary["misspelt"] else ""


def _opened(ctx: ProjectContext) -> dict[str, Any]:
    return ctx.context["ti"].xcom_pull(task_ids="open_reviews") or {}


def _dropped(ctx: ProjectContext) -> str:
    return dropped_reviews(_opened(ctx))


def _facts(ctx: ProjectContext, summary: dict[str, Any]) -> dict[str, Any]:
    counts, opened = summary["counts"], _opened(ctx)
    facts = {
        "Images": summary["images"],
        "Accepted": counts.get("accepted", 0),
        "To people": counts.get("review", 0),
        "Doubtful, not reviewed": counts.get("not_reviewed", 0),
        "Unreadable": counts.get("unreadable", 0),
        "Gone meanwhile": counts.get("gone", 0),
        "Had a result already": counts.get("repeated", 0),
        "Failed": counts.get("failed", 0),
        "Dead-lettered": counts.get("dead_lettered", 0),
        "Left until the version runs again": counts.get(LEFT, 0),
        "Reviews opened": opened.get("opened", 0),
        "Waiting for budget": opened.get("waiting", 0),
        "Reviews in trouble": opened.get("trouble"),
        "Calls a second": summary.get("calls_a_second", 0),
        "Left for the next run": "yes" if summary.get("left") else 0,
        **dropped_facts(ctx, opened),
        **summary["reasons"],
    }
    return {name: value for name, value in facts.items() if value}
