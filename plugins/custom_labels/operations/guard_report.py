"""What the cost guard says at the end of every run: what was done, what runs and what it costs, and what is news."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from custom_labels.core.outcome import Outcome
from custom_labels.deployment.service import Notice, ServiceMemory
from custom_labels.operations.guard import Action, Decision, Inspection
from custom_labels.operations.versions import RunningVersion

HOURS_A_DAY = 24


@dataclass(frozen=True)
class Accounts:
    """What was spent, and which old versions are gone.

    :param month: the present one, which cost ``total_usd`` so far, most of it for ``top_costs``.
    :param prices_as_of: date of the oldest price; ``unit_hour_usd`` is that of an inference unit.
    :param level: how far the budget is exceeded, 0 for not at all.
    :param deleted: versions that were deleted, by this run or by one that did not live to say so.
    """

    month: str
    total_usd: float
    top_costs: tuple[str, ...]
    prices_as_of: str
    unit_hour_usd: float
    budget_usd: float | None
    level: int
    deleted: tuple[str, ...] = ()


@dataclass(frozen=True)
class GuardReport:
    """A run of the cost guard in words.

    :param inspected: what was found and decided.
    :param accounted: what was spent.
    :param became: AWS's status afterwards of each version that was to be stopped or started.
    :param idle_alert_hours: hours without a detection until that is an alert; 0 for no alert.
    :param variable: gives a setting's Variable.
    """

    inspected: Inspection
    accounted: Accounts
    became: Mapping[str, str | None]
    idle_alert_hours: float
    variable: Callable[[str], str]

    @property
    def outcome(self) -> Outcome:
        """An exceeded budget before all else, then a version that is not asked, then what was done or is news."""
        if self.budget_news:
            return Outcome.BUDGET_EXCEEDED
        if self.idle_news:
            return Outcome.LIVE_VERSION_IDLE
        return Outcome.GUARDED if self.actions_taken else Outcome.NOTHING_TO_GUARD

    @property
    def detail(self) -> str:
        """The outcome in a sentence."""
        match self.outcome:
            case Outcome.BUDGET_EXCEEDED:
                return f"{self._spent}; most: {', '.join(self.accounted.top_costs)}. Now {self._runs}"
            case Outcome.LIVE_VERSION_IDLE:
                return (
                    f"{self._runs}; {self._spent}. '{self.variable('idle_stop_hours')}' stops it after so many hours, "
                    f"'{self.variable('idle_alert_hours')}' says when this alert comes"
                )
            case Outcome.GUARDED:
                return "; ".join([*self.actions_taken, f"now {self._runs}", self._spent])
        deploying = self.inspected.deploying
        why = [f"a deployment is under way: {deploying}; nothing is stopped until it has ended"] if deploying else []
        return "; ".join([*why, self._runs, self._spent])

    @property
    def facts(self) -> dict[str, Any]:
        """Named values below the sentence."""
        return {
            **{f"Done {number}": action for number, action in enumerate(self.actions_taken, start=1)},
            **{f"Version {each.version_name}": each.reason for each in self.inspected.left},
            "Runs": self._runs,
            f"Costs of {self.accounted.month}": f"${self.accounted.total_usd:.2f}",
            "Prices of": self.accounted.prices_as_of,
        }

    @property
    def actions_taken(self) -> list[str]:
        """What was done, and what people are to know of for the first time."""
        done = [self._done(each) for each in self.inspected.actions if each.action is not Action.DELETE]
        news = [
            f"version {each.version_name} is unmanaged: {each.reason}"
            for each in self.inspected.left
            if each.action is Action.ALERT and each.version_name not in self.inspected.memory.notified_unknown
        ]
        return [*done, *news, *(f"deleted version {name}, as it is old" for name in self.accounted.deleted)]

    def _done(self, decision: Decision) -> str:
        """Word what became of a version, by its status after its task, which may have been marked."""
        done = "stopped" if decision.action is Action.STOP else "started"
        status = self.became[decision.version_name]
        if (status == "RUNNING") == (decision.action is Action.STOP):
            return f"version {decision.version_name} was to be {done} and is {status or 'gone'}: {decision.reason}"
        return f"{done} version {decision.version_name}: {decision.reason}"

    @property
    def budget_news(self) -> Notice | None:
        """How far the budget is exceeded, where that is news."""
        spent = self.accounted
        return Notice(f"{spent.month}: ${spent.budget_usd}", spent.level).if_news(self.inspected.memory.notified_budget)

    @property
    def idle_news(self) -> Notice | None:
        """For how long the live version was not asked, where that is news."""
        for version in self.inspected.running:
            if version.quiet_since is not None:
                level = idle_level(self.inspected.at - version.quiet_since, self.idle_alert_hours)
                about = f"{version.name} since {version.quiet_since.isoformat()}"
                return Notice(about, level).if_news(self.inspected.memory.notified_idle)
        return None

    def remembered(self, memory: ServiceMemory) -> ServiceMemory:
        """Give the memory with what people were notified of now; an unknown version that is gone is news again."""
        unknown = memory.notified_unknown if self.inspected.deploying else self.inspected.unknown
        is_idle_told = self.outcome is Outcome.LIVE_VERSION_IDLE
        return replace(
            memory,
            notified_unknown=unknown,
            notified_idle=self.idle_news if is_idle_told else memory.notified_idle,
            notified_budget=self.budget_news or memory.notified_budget,
        )

    @property
    def _runs(self) -> str:
        return what_runs(self.inspected.running, self.accounted.unit_hour_usd, self.inspected.at)

    @property
    def _spent(self) -> str:
        variable, spent = self.variable("monthly_budget_usd"), self.accounted
        words = f"{spent.month} costs ${spent.total_usd:.2f} so far"
        if spent.budget_usd is None:
            return f"{words}, '{variable}' is not set"
        return f"{words}, {'more than' if spent.level else 'of'} the ${spent.budget_usd:g} of '{variable}'"


# -- what runs -------------------------------------------------------------------------------------


def what_runs(running: Sequence[RunningVersion], unit_hour_usd: float, now: datetime) -> str:
    """Say all that runs and what it costs a day together, as part of a sentence."""
    if not running:
        return "no version runs"
    every = "; ".join(_words(version, unit_hour_usd, now) for version in running)
    if len(running) == 1:
        return f"version {every}"
    total = sum(_daily_usd(version, unit_hour_usd) for version in running)
    return f"{len(running)} versions run for ${total:.2f} a day: {every}"


def _daily_usd(version: RunningVersion, unit_hour_usd: float) -> float:
    """Give what a day of a version costs, on the units that it was started with."""
    return version.units.minimum * HOURS_A_DAY * unit_hour_usd


def _words(version: RunningVersion, unit_hour_usd: float, now: datetime) -> str:
    least = "at least " if version.units.maximum is not None else ""
    since, asked = version.quiet_since, ""
    if since is not None:
        asked = f", not asked since {since:%Y-%m-%d %H:%M} UTC ({_span(now - since)})"
    return f"{version.name} {version.role}{asked}: {least}${_daily_usd(version, unit_hour_usd):.2f} a day"


def _span(time: timedelta) -> str:
    hours = time.total_seconds() / 3600
    if hours < 1:
        return f"{time.total_seconds() / 60:.0f} min"
    return f"{hours:.0f} h" if hours < 2 * HOURS_A_DAY else f"{hours / HOURS_A_DAY:.0f} days"


def idle_level(quiet: timedelta, alert_hours: float) -> int:
    """Say how long the live version was not asked: 0 is not for long, 1 is for ``alert_hours``, and one more each time
    that it is twice as long, so that alerts grow rarer.

    :param alert_hours: 0 for no alert.
    """
    if alert_hours == 0 or quiet < timedelta(hours=alert_hours):
        return 0
    return 1 + math.floor(math.log2(quiet / timedelta(hours=alert_hours)) + 1e-9)
