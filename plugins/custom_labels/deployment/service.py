"""What is remembered of the live version's service, as ``registry/service.json`` holds it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Cause(StrEnum):
    """Why the cost guard stopped the live version, which says who starts it again."""

    WINDOW = "window"
    IDLE = "idle"


@dataclass(frozen=True)
class StoppedByGuard:
    """That the cost guard stopped the live version.

    :param at: when, ISO 8601 in UTC.
    """

    version_name: str
    cause: Cause
    at: str


@dataclass(frozen=True)
class IdleNotice:
    """That people know for how long nobody asked a version anything.

    :param since: since when it was not asked.
    :param level: how often the alert's time went by, as ``idle_level`` counts.
    """

    version_name: str
    since: datetime
    level: int


@dataclass(frozen=True)
class BudgetNotice:
    """That people know how far the budget of a month is exceeded.

    :param level: how far, as ``budget_level`` counts.
    :param budget_usd: the budget; of another one they know nothing.
    """

    month: str
    level: int
    budget_usd: float


@dataclass(frozen=True)
class ServiceMemory:
    """What the cost guard did to the live version, and what it has notified of.

    :param stopped: its stop of the live version, until that runs again or another serves.
    :param notified_unknown: versions that run and that the registry does not know.
    """

    stopped: StoppedByGuard | None = None
    notified_unknown: tuple[str, ...] = ()
    notified_idle: IdleNotice | None = None
    notified_budget: BudgetNotice | None = None

    def has_stopped(self, version_name: str) -> bool:
        """Whether the cost guard stopped this version."""
        return self.stopped is not None and self.stopped.version_name == version_name
