"""What the cost guard does about each version: a table of what is found and what follows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.service_window import ServiceWindow
from custom_labels.deployment.deployment import Units
from custom_labels.deployment.service import Cause, StoppedByGuard
from custom_labels.deployment.start_on_demand import why_not_started
from custom_labels.operations.guard import (
    Action,
    Decision,
    LiveFacts,
    decide,
    remember,
    running_after,
)
from custom_labels.operations.settings import GuardSettings
from custom_labels.operations.versions import FoundVersion, RecordedVersion, RunningVersion
from tests.kit.task_contexts import default_settings

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)  # a Friday
NIGHT = NOON.replace(hour=22)
LIVE = LiveFacts("v2", NOON - timedelta(hours=1))
ALWAYS = default_settings(GuardSettings, service_window=None, idle_stop_hours=None, start_when_images_wait=False)
OFFICE = replace(ALWAYS, service_window=ServiceWindow(("0 8 * * mon-fri",), ("0 18 * * mon-fri",)))
IDLE = replace(ALWAYS, idle_stop_hours=2)


def found(
    name: str = "v1",
    status: str = "RUNNING",
    *,
    is_known: bool = True,
    kept_until: datetime | None = None,
    stopped_for: str | None = None,
) -> FoundVersion:
    record = RecordedVersion(kept_until=kept_until, stopped_for=stopped_for) if is_known else None
    return FoundVersion(name, "arn", status, record=record)


def stopped(cause: Cause, name: str = "v2") -> LiveFacts:
    return replace(LIVE, stopped=StoppedByGuard(name, cause, "2026-11-20T07:00:00+00:00"))


def decide_one(version: FoundVersion, live: LiveFacts, rules: GuardSettings, now: datetime) -> tuple[str, str]:
    decisions = decide([version], live, rules, now=now)
    return (decisions[0].action, decisions[0].reason) if decisions else ("", "")


OTHERS = {
    "left running": (found(), LIVE, "stop", "it runs without serving; version v2 serves"),
    "left running, nothing serves": (found(), LiveFacts(), "stop", "it runs without serving; no version serves"),
    "an unknown one": (found(is_known=False), LIVE, "alert", "the registry does not know it"),
    "kept": (found(kept_until=NOON + timedelta(minutes=1)), LIVE, "leave", "kept running until 2026-11-20T12:01"),
    "kept long enough": (found(kept_until=NOON), LIVE, "stop", "was kept running until 2026-11-20T12:00"),
    "starting": (found(status="STARTING"), LIVE, "leave", "it is STARTING: the next run"),
    "stopping": (found(status="STOPPING"), LIVE, "leave", "it is STOPPING: the next run"),
    "unknown and starting": (found(status="STARTING", is_known=False), LIVE, "leave", "the next run"),
    "stopped": (found(status="STOPPED"), LIVE, "", ""),
    "training": (found(status="TRAINING_IN_PROGRESS"), LIVE, "", ""),
    "copied": (found(status="COPYING_COMPLETED"), LIVE, "", ""),
    "unknown status": (found(status="HIBERNATING"), LIVE, "", ""),
}


@pytest.mark.parametrize(("version", "live", "action", "words"), OTHERS.values(), ids=OTHERS)
def test_a_version_that_does_not_serve(version: FoundVersion, live: LiveFacts, action: str, words: str) -> None:
    decided, reason = decide_one(version, live, ALWAYS, NOON)

    assert decided == action
    assert words in reason


RUNS = found("v2")
DOWN = found("v2", "STOPPED")
SERVING = {
    "serves": (RUNS, LIVE, ALWAYS, NOON, "leave", "it serves"),
    "within the window": (RUNS, LIVE, OFFICE, NOON, "leave", "it serves"),
    "outside the window": (RUNS, LIVE, OFFICE, NIGHT, "stop", "outside of the service window (opens 0 8 * * mon-fri; "),
    "asked of late": (RUNS, LIVE, IDLE, NOON, "leave", "it serves"),
    "idle": (RUNS, LIVE, IDLE, NOON + timedelta(hours=1), "stop", "no detection for 2 hours; start it by hand"),
    "idle, images start it": (
        RUNS,
        LIVE,
        replace(IDLE, start_when_images_wait=True),
        NIGHT,
        "stop",
        "the detect DAG starts it when images wait",
    ),
    "never asked": (
        RUNS,
        replace(LIVE, quiet_since=NOON - timedelta(hours=5)),
        IDLE,
        NOON,
        "stop",
        "no detection for 2 hours",
    ),
    "start unknown": (RUNS, LiveFacts("v2"), IDLE, NOON, "leave", "it serves"),
    "stopped by a person": (DOWN, LIVE, OFFICE, NOON, "leave", "it is STOPPED, and not by the cost guard"),
    "stopped for the night": (DOWN, stopped(Cause.WINDOW), OFFICE, NIGHT, "leave", "until the service window opens"),
    "next morning": (DOWN, stopped(Cause.WINDOW), OFFICE, NOON, "start", "the service window is open again"),
    "no window any more": (DOWN, stopped(Cause.WINDOW), ALWAYS, NIGHT, "start", "open again"),
    "failed to start": (found("v2", "FAILED"), stopped(Cause.WINDOW), OFFICE, NOON, "start", "open again"),
    "copied, by the guard's record": (
        found("v2", "COPYING_COMPLETED"),
        stopped(Cause.WINDOW),
        OFFICE,
        NOON,
        "start",
        "open again",
    ),
    "stopped when idle": (DOWN, stopped(Cause.IDLE), OFFICE, NOON, "leave", "there was nothing to detect"),
    "another was stopped": (DOWN, stopped(Cause.WINDOW, "v1"), OFFICE, NOON, "leave", "not by the cost guard"),
    "made room for one that died": (
        found("v2", "STOPPED", stopped_for="version v3"),
        LIVE,
        ALWAYS,
        NOON,
        "start",
        "was stopped for version v3 by a run that did not live",
    ),
    "copied": (
        found("v2", "COPYING_COMPLETED"),
        LIVE,
        OFFICE,
        NOON,
        "leave",
        "it is COPYING_COMPLETED, and not by the",
    ),
    "copying failed": (found("v2", "COPYING_FAILED"), LIVE, OFFICE, NOON, "leave", "for a person to inspect"),
    "starting": (found("v2", "STARTING"), LIVE, OFFICE, NIGHT, "leave", "the next run"),
    "status of tomorrow": (found("v2", "HIBERNATING"), LIVE, ALWAYS, NOON, "leave", "for a person to inspect"),
}


@pytest.mark.parametrize(("version", "live", "rules", "now", "action", "words"), SERVING.values(), ids=SERVING)
def test_the_version_that_serves(
    version: FoundVersion, live: LiveFacts, rules: GuardSettings, now: datetime, action: str, words: str
) -> None:
    decided, reason = decide_one(version, live, rules, now)

    assert decided == action
    assert words in reason


def test_nothing_is_done_while_a_deployment_is_under_way() -> None:
    versions = [found(), found("v2"), found("v3", is_known=False), found("v4", "STARTING")]

    decisions = decide(versions, LIVE, OFFICE, now=NIGHT, deploying="digits_train/run 7")

    assert {decision.action for decision in decisions} == {Action.LEAVE}
    assert ["digits_train/run 7" in decision.reason for decision in decisions] == [True, True, True, False]


STOP = Decision("v2", "arn", Action.STOP, "", Cause.WINDOW)
LEFT_RUNNING = Decision("v1", "arn", Action.STOP, "")


@pytest.mark.parametrize(
    ("decisions", "status", "live", "expected"),
    [
        ([LEFT_RUNNING, STOP], "RUNNING", LIVE, Cause.WINDOW),
        ([LEFT_RUNNING], "RUNNING", LIVE, None),
        ([], "STOPPED", stopped(Cause.WINDOW), Cause.WINDOW),
        ([], "STOPPED", stopped(Cause.IDLE), Cause.IDLE),
        ([], "STARTING", stopped(Cause.WINDOW), Cause.WINDOW),
        ([], "RUNNING", stopped(Cause.WINDOW), None),
        ([], "STOPPED", stopped(Cause.WINDOW, "v1"), None),
    ],
    ids=["stops it", "stops another", "night", "idle", "starting", "runs again", "another serves"],
)
def test_a_stop_of_the_live_version_is_remembered_until_it_runs(
    decisions: list[Decision], status: str, live: LiveFacts, expected: Cause | None
) -> None:
    memory = remember(decisions, [found("v2", status)], live, now=NOON)

    assert (memory and memory.cause) == expected
    assert memory is None or from_json(StoppedByGuard, to_json(memory)) == memory


def test_what_runs_when_all_is_carried_out_is_said_by_what_it_runs_for() -> None:
    start = Decision("v1", "arn", Action.START, "", units=Units(2, 4))
    alert = Decision("v3", "arn", Action.ALERT, "")
    versions = [found("v1", "STOPPED"), found("v2"), found("v3"), found("v4"), found("v5", "STOPPED")]
    decisions = [start, alert, Decision("v4", "arn", Action.STOP, "")]

    assert running_after(versions, decisions, replace(LIVE, name="v1")) == (
        RunningVersion("v1", "serves", Units(2, 4)),
        RunningVersion("v2", "is kept running", Units(1)),
        RunningVersion("v3", "runs unknown to the registry", Units(1)),
    )
    assert running_after(versions, [], LIVE)[0].quiet_since == LIVE.quiet_since


STARTS = replace(OFFICE, start_when_images_wait=True)


@pytest.mark.parametrize(
    ("status", "rules", "now", "words"),
    [
        ("STOPPED", STARTS, NOON, None),
        ("TRAINING_COMPLETED", STARTS, NOON, None),
        ("COPYING_COMPLETED", STARTS, NOON, None),
        ("COPYING_IN_PROGRESS", STARTS, NOON, "it cannot be started from that"),
        ("FAILED", STARTS, NOON, None),
        (
            "STOPPED",
            STARTS,
            NIGHT,
            "the service window (opens 0 8 * * mon-fri; closes 0 18 * * mon-fri; UTC) is closed",
        ),
        ("STOPPED", OFFICE, NOON, "'start_them' is off"),
        ("STARTING", STARTS, NOON, "the next run finds what comes of it"),
        ("DELETING", STARTS, NOON, "it cannot be started from that"),
        (None, STARTS, NOON, "it cannot be started from that"),
    ],
)
def test_images_start_the_live_version_unless(
    status: str | None, rules: GuardSettings, now: datetime, words: str | None
) -> None:
    assert (
        why_not_started(
            status, is_on=rules.start_when_images_wait, window=rules.service_window, setting="start_them", now=now
        )
        == words
    )
