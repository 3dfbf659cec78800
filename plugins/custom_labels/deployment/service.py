"""What is remembered of the live version's service, as ``registry/service.json`` holds it."""

from __future__ import annotations

from dataclasses import dataclass
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
class Notice:
    """That people were notified of something.

    :param about: of what, in words that are others for other news.
    :param level: how bad it was: more of it is news again.
    """

    about: str
    level: int

    def if_news(self, known: Notice | None) -> Notice | None:
        """Give it where there is something to notify of that people do not know."""
        is_known = known is not None and known.about == self.about and known.level >= self.level
        return None if is_known or self.level == 0 else self


@dataclass(frozen=True)
class ServiceMemory:
    """What the cost guard did to the live version, and what it has notified of.

    :param stopped: its stop of the live version, until that runs again or another serves.
    :param notified_unknown: versions that run and that the registry does not know.
    :param notified_idle: for how long the live version was not called; likewise how far the month's budget is exceeded.
    """

    stopped: StoppedByGuard | None = None
    notified_unknown: tuple[str, ...] = ()
    notified_idle: Notice | None = None
    notified_budget: Notice | None = None

    def has_stopped(self, version_name: str) -> bool:
        """Whether the cost guard stopped this version."""
        return self.stopped is not None and self.stopped.version_name == version_name
