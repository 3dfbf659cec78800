"""The settings of a DAG's runs, as its first step reads them, for tests without Airflow."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

from custom_labels.core.run_settings import RunSettings
from custom_labels.core.settings import Settings

S = TypeVar("S", bound=RunSettings)


def settings(kind: type[S], **changes: Any) -> S:
    """Make the settings of a kind: the defaults, but for these."""
    every = Settings(**changes)
    return kind(**{each.name: getattr(every, each.name) for each in fields(kind)})
