"""The first step of every DAG: its settings, read and validated once for the whole run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from custom_labels.operators.project import ProjectContext, step
from custom_labels.settings import Settings


def settings_of(values: Mapping[str, Any]) -> Settings:
    """Take the settings out of what :func:`load_settings` returned, which holds more."""
    return Settings.model_validate({name: values[name] for name in Settings.model_fields})


@step
def load_settings(project: str) -> dict[str, Any]:
    """Read and validate all settings; everything later in the run uses these values.

    They are one XCom: one for each of them would be some sixty rows and requests a run.
    """
    place = ProjectContext(project)
    settings = place.settings()
    short = min(settings.status_poll_seconds, 10)
    return {
        **settings.model_dump(mode="json"),
        "as_of": place.as_of.isoformat(),
        "training_looks": max(1, round(settings.training_timeout_hours * 3600 / settings.status_poll_seconds)),
        "short_poll_seconds": short,
        "short_poll_looks": 3600 // short,
    }
