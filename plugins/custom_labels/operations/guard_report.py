"""What the cost guard says of a project in every run: what runs, what it costs, and since when nobody asked it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from custom_labels.core.codec import from_json
from custom_labels.core.context import ProjectContext
from custom_labels.operations.running import RunningVersion, idle_level, what_runs


def runs_in_words(inspected: Mapping[str, Any], accounted: Mapping[str, Any]) -> str:
    """Say what runs and what that costs a day.

    :param inspected: what ``inspect`` returned, and ``accounted`` what ``account`` did.
    """
    running = [from_json(RunningVersion, version) for version in inspected["running"]]
    return what_runs(running, accounted["unit_hour_usd"], datetime.fromisoformat(inspected["at"]))


def spent_in_words(ctx: ProjectContext, accounted: Mapping[str, Any]) -> str:
    """Say what the month cost so far, and whether that is too much."""
    variable, budget = ctx.project.variable("monthly_budget_usd"), accounted["budget_usd"]
    spent = f"{accounted['month']} costs ${accounted['total_usd']:.2f} so far"
    if budget is None:
        return f"{spent}, '{variable}' is not set"
    return f"{spent}, {'more than' if accounted['level'] else 'of'} the ${budget:g} of '{variable}'"


def idle_news(ctx: ProjectContext, settings: Mapping[str, Any], inspected: Mapping[str, Any]) -> dict[str, Any] | None:
    """Give how long nobody asked the live version, if that is news; ``None`` if it was notified, or is not for long."""
    at = datetime.fromisoformat(inspected["at"])
    for version in (from_json(RunningVersion, each) for each in inspected["running"]):
        if version.quiet_since is None:
            continue
        level = idle_level(at - version.quiet_since, settings["idle_alert_hours"])
        news = {"version_name": version.name, "since": version.quiet_since.isoformat(), "level": level}
        notified = ctx.registry.service().get("notified_idle") or {}
        known = notified.get("level", 0) if {**notified, "level": level} == news else 0
        return news if level > known else None
    return None
