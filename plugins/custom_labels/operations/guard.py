"""What the cost guard does about the versions of a project: pure rules on what AWS and the registry say.

A version that the registry does not know is never touched, and one that a person stopped is never started.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from custom_labels.aws.statuses import PASSING, STARTABLE
from custom_labels.core.service_window import ServiceWindow
from custom_labels.deployment.deployment import Units
from custom_labels.deployment.service import Cause, ServiceMemory, StoppedByGuard
from custom_labels.operations.running import RunningVersion
from custom_labels.operations.versions import FoundVersion


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
    :param running_since: when it was started the last time.
    :param last_detection: a detection that it was asked for lately, ``None`` if there was none.
    :param stopped: the guard's memory of a stop.
    """

    name: str | None = None
    running_since: datetime | None = None
    last_detection: datetime | None = None
    stopped: StoppedByGuard | None = None

    @property
    def quiet_since(self) -> datetime | None:
        """Since when nothing was asked of it: its last detection, or its start where that came later."""
        return max((moment for moment in (self.last_detection, self.running_since) if moment), default=None)


@dataclass(frozen=True)
class GuardRules:
    """The settings that the guard heeds.

    :param window: when the live version is meant to run, ``None`` for always.
    :param idle_hours: hours without a detection after which it is stopped, ``None`` for never.
    :param starts_for_images: whether the detect DAG starts it again when images wait.
    :param units: inference units for a version of which it is not known with how many it ran.
    """

    window: ServiceWindow | None = None
    idle_hours: float | None = None
    starts_for_images: bool = False
    units: Units = field(default_factory=lambda: Units(1))


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
    rules: GuardRules,
    *,
    now: datetime,
    deploying: str | None = None,
) -> list[Decision]:
    """Decide about every version that costs money, or that should run and does not.

    :param deploying: the run that starts and stops versions just now: while it lives nothing is done.
    """
    decisions = []
    for version in versions:
        is_live = version.name == live.name
        if not is_live and version.status not in {"RUNNING", *PASSING}:
            continue
        if version.status in PASSING:
            action, reason, cause = Action.LEAVE, f"it is {version.status}: the next look finds what came of it", None
        elif deploying is not None:
            action, reason, cause = Action.LEAVE, f"a deployment is under way: {deploying}", None
        elif is_live:
            action, reason, cause = _about_live(version, live, rules, now)
        else:
            action, reason, cause = *_about_other(version, live, now), None
        units = version.units_or(rules.units) if action is Action.START else None
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
    version: FoundVersion, live: LiveFacts, rules: GuardRules, now: datetime
) -> tuple[Action, str, Cause | None]:
    is_open = rules.window is None or rules.window.is_open(now)
    if version.status == "RUNNING":
        if not is_open and rules.window is not None:
            return Action.STOP, f"it serves outside of the service window ({rules.window})", Cause.WINDOW
        if idle := _idle(live, rules, now):
            return Action.STOP, idle, Cause.IDLE
        return Action.LEAVE, "it serves", None
    if version.status not in STARTABLE:
        return Action.LEAVE, f"it is {version.status}, which is for a person to look at", None
    return *_about_stopped(version, live, is_open=is_open), None


def _idle(live: LiveFacts, rules: GuardRules, now: datetime) -> str | None:
    """Say that nothing was asked of the live version for too long, ``None`` if that is not so."""
    since = live.quiet_since
    if rules.idle_hours is None or since is None or now - since < timedelta(hours=rules.idle_hours):
        return None
    way_out = "the detect DAG starts it when images wait" if rules.starts_for_images else "start it by hand"
    return f"it serves and made no detection for {rules.idle_hours:g} hours; {way_out}"


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
        running.append(
            RunningVersion(
                version.name,
                _role(version, live, decision),
                units.minimum,
                scales=units.maximum is not None,
                quiet_since=live.quiet_since if version.name == live.name and not starts else None,
            )
        )
    return tuple(running)


def _role(version: FoundVersion, live: LiveFacts, decision: Decision | None) -> str:
    if version.name == live.name:
        return "serves"
    is_unknown = decision is not None and decision.action is Action.ALERT
    return "runs unknown to the registry" if is_unknown else "is kept running"


# -- what a look comes to --------------------------------------------------------------------------


class Acting(StrEnum):
    """Whether anything is done."""

    DUE = "act"
    NOT_DUE = "nothing is to be done"


@dataclass(frozen=True)
class Inspection:
    """What the cost guard found, and what it does about it.

    :param at: when it looked.
    :param actions: what is stopped, started and deleted; nothing while another run has the deployment lock.
    :param left: what is left as it is, and what nobody knows.
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
