"""Whether images that wait may start the version that serves, where it is stopped."""

from __future__ import annotations

from datetime import datetime

from custom_labels.aws.statuses import PASSING, STARTABLE
from custom_labels.core.service_window import ServiceWindow


def why_not_started(
    status: str | None, *, is_on: bool, window: ServiceWindow | None, setting: str, now: datetime
) -> str | None:
    """Say why images may not start the live version, ``None`` if they may.

    :param status: AWS's status of it, which is not RUNNING.
    :param is_on: whether the setting lets them; ``setting`` is its name.
    :param window: when the live version is meant to run, ``None`` for always.
    """
    if status in PASSING:
        return "the next run finds what comes of it"
    if status not in STARTABLE:
        return "it cannot be started from that"
    if not is_on:
        return f"'{setting}' is off"
    if window is not None and not window.is_open(now):
        return f"the service window ({window}) is closed"
    return None
