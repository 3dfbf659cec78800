"""The settings that the runs of a DAG use: read once, at the start of a run, and handed on as a value."""

from __future__ import annotations

from dataclasses import dataclass

from custom_labels.core.outcome import Outcome


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """What every run needs; each DAG adds its own. The fields are named as those of ``Settings``, which explains them.

    Only the Variables of these are read: each is a request to Airflow.
    """

    notify_outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, kw_only=True)
class TriggerSettings(RunSettings):
    """When new labelled images trigger a training."""

    enable_automatic_training: bool
    minimum_untrained_images: int
