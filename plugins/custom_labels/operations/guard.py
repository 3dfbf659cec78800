"""What the cost guard does about the versions of a project: pure rules on what AWS and the registry say.

A version that the registry does not know is never touched, and one that a person stopped is never started.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from custom_labels.aws.statuses import PASSING, STARTABLE
from custom_labels.deployment.deployment import Units
from custom_labels.deployment.service import Cause, ServiceMemory, StoppedByGuard
from custom_labels.operations.settings import GuardSettings
from custom_labels.operations.versions import FoundVersion, RunningVersion


class Action(StrEnum):
    """What is done about a version."""

    STOP = "stop"
    START = "start"
    DELETE = "delete"
    LEAVE = "leave"
    ALERT = "alert"


@dataclass(frozen=True)
class LiveFacts:
    """What is known of the version that serves.

    :param name: the version; ``None`` before the first deployment.
    :param quiet_since: since when it runs and nothing was asked of it: its last detection, or its start where that
        came later; ``None`` where it does not run.
    :param stopped: the guard's memory of a stop.
    """

    name: str | None = None
    quiet_since: datetime | None = None
    stopped: StoppedByGuard | None = None


@dataclass(frozen=True)
class Decision:
    """What is done about one version, and why in words.

    :param cause: for a stop of the live version.
    :param units: for a start.
    """

    version_name: str
    project_arn: str
    action: Action
    reason: str
    cause: Cause | None = None
    units: Units | None = None

    @property
    def words(self) -> str:
        """Give it as one line."""
        return f"{self.version_name}: {self.action} ({self.reason})"


def decide(
    versions: Sequence[FoundVersion],
    live: LiveFacts,
    settings: GuardSettings,
    *,
    now: datetime,
    deploying: str | None = None,
) -> list[Decision]:
    """Decide about every version that costs money, or that should run and does not.

    :param deploying: the run that starts and stops versions just now: while it lives nothing is done.
    """
    wanted = Units.wanted(settings.minimum_inference_units, settings.maximum_inference_units)
    decisions = []
    for version in versions:
        is_live = version.name == live.name
        if not is_live and version.status not in {"RUNNING", *PASSING}:
            continue
        if version.status in PASSING:
            action, reason, cause = Action.LEAVE, f"it is {version.status}: the next run finds what came of it", None
        elif deploying is not None:
            action, reason, cause = Action.LEAVE, f"a deployment is under way: {deploying}", None
        elif is_live:
            action, reason, cause = _about_live(version, live, settings, now)
        else:
            action, reason, cause = *_about_other(version, live, now), None
        units = version.units_or(wanted) if action is Action.START else None
        decisions.append(Decision(version.name, version.project_arn, action, reason, cause, units))
    return decisions


def _about_other(version: FoundVersion, live: LiveFacts, now: datetime) -> tuple[Action, str]:
    serves = f"version {live.name} serves" if live.name else "no version serves"
    if version.record is None:
        return Action.ALERT, f"it runs and the registry does not know it, so that it is not touched; {serves}"
    if version.kept_until is None:
        return Action.STOP, f"it runs without serving; {serves}"
    until = version.kept_until.isoformat(timespec="minutes")
    if now < version.kept_until:
        return Action.LEAVE, f"it was replaced and is kept running until {until}"
    return Action.STOP, f"it was replaced and was kept running until {until}"


def _about_live(
    version: FoundVersion, live: LiveFacts, settings: GuardSettings, now: datetime
) -> tuple[Action, str, Cause | None]:
    window = settings.service_window
    is_open = window is None or window.is_open(now)
    if version.status == "RUNNING":
        if not is_open:
            return Action.STOP, f"it serves outside of the service window ({window})", Cause.WINDOW
        if idle := _idle(live, settings, now):
            return Action.STOP, idle, Cause.IDLE
        return Action.LEAVE, "it serves", None
    if version.status not in STARTABLE:
        return Action.LEAVE, f"it is {version.status}, which is for a person to inspect", None
    return *_about_stopped(version, live, is_open=is_open), None


def _idle(live: LiveFacts, settings: GuardSettings, now: datetime) -> str | None:
    """Say that nothing was asked of the live version for too long, ``None`` if that is not so."""
    hours, since = settings.idle_stop_hours, live.quiet_since
    if hours is None or since is None or now - since < timedelta(hours=hours):
        return None
    way_out = "the detect DAG starts it when images wait" if settings.start_when_images_wait else "start it by hand"
    return f"it serves and made no detection for {hours:g} hours; {way_out}"


def _about_stopped(version: FoundVersion, live: LiveFacts, *, is_open: bool) -> tuple[Action, str]:
    if version.stopped_for and is_open:
        return Action.START, f"it was stopped for {version.stopped_for} by a run that did not live to start it again"
    if live.stopped is None or live.stopped.version_name != version.name:
        return Action.LEAVE, f"it is {version.status}, and not by the cost guard"
    if live.stopped.cause is Cause.IDLE:
        return Action.LEAVE, f"it is stopped since {live.stopped.at}, as there was nothing to detect"
    if not is_open:
        return Action.LEAVE, f"it is stopped since {live.stopped.at}, until the service window opens"
    return Action.START, "the service window is open again"


def remember(
    decisions: Sequence[Decision], versions: Sequence[FoundVersion], live: LiveFacts, *, now: datetime
) -> StoppedByGuard | None:
    """Give what is to be remembered of the guard's stop of the live version; written before it is stopped.

    It is forgotten when the version runs again, whoever started it, or when another one serves.
    """
    for decision in decisions:
        if decision.cause is not None:
            return StoppedByGuard(decision.version_name, decision.cause, now.isoformat(timespec="seconds"))
    is_running = any(version.name == live.name and version.status == "RUNNING" for version in versions)
    if live.stopped is None or is_running or live.stopped.version_name != live.name:
        return None
    return live.stopped


def running_after(
    versions: Sequence[FoundVersion], decisions: Sequence[Decision], live: LiveFacts
) -> tuple[RunningVersion, ...]:
    """Give what will run when these decisions are carried out."""
    decided = {decision.version_name: decision for decision in decisions}
    running = []
    for version in versions:
        decision = decided.get(version.name)
        starts = decision is not None and decision.action is Action.START
        stops = decision is not None and decision.action is Action.STOP
        if not starts and (version.status != "RUNNING" or stops):
            continue
        units = decision.units if decision and decision.units else version.units
        quiet_since = live.quiet_since if version.name == live.name and not starts else None
        running.append(RunningVersion(version.name, _role(version, live, decision), units, quiet_since))
    return tuple(running)


def _role(version: FoundVersion, live: LiveFacts, decision: Decision | None) -> str:
    if version.name == live.name:
        return "serves"
    is_unknown = decision is not None and decision.action is Action.ALERT
    return "runs unknown to the registry" if is_unknown else "is kept running"


# -- what an inspection comes to -------------------------------------------------------------------


class Acting(StrEnum):
    """Whether anything is done."""

    DUE = "act"
    NOT_DUE = "nothing is to be done"


@dataclass(frozen=True)
class Inspection:
    """What the cost guard found, and what it does about it.

    :param at: when it was found.
    :param actions: what is stopped, started and deleted; nothing while another run has the deployment lock.
    :param left: what is left as it is, and versions that the registry does not know.
    :param running: what is billed once the actions are carried out.
    :param versions: all versions that AWS lists or the registry knows.
    :param memory: what was remembered before.
    :param deploying: the run that has the deployment lock, where that keeps the guard from acting.
    """

    choice: Acting
    at: datetime
    actions: tuple[Decision, ...]
    left: tuple[Decision, ...]
    running: tuple[RunningVersion, ...]
    versions: tuple[FoundVersion, ...]
    memory: ServiceMemory
    deploying: str | None = None

    @property
    def unknown(self) -> tuple[str, ...]:
        """The versions that run and that the registry does not know."""
        return tuple(decision.version_name for decision in self.left if decision.action is Action.ALERT)
