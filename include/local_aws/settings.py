"""What a user may change about the emulator: durations, quotas, outcomes; by start options or the control endpoint."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

DEFAULT_DURATIONS = {
    "project_create": 0.2,
    "project_delete": 0.2,
    "dataset_create": 0.3,
    "dataset_update": 0.3,
    "dataset_delete": 0.2,
    "training": 0.5,
    "version_start": 0.5,
    "version_stop": 0.3,
    "version_delete": 0.2,
    "version_copy": 0.5,
    "flow_create": 0.2,
    "flow_delete": 0.2,
    "loop_start": 0.1,
    "loop_stop": 0.2,
    "job_start": 0.2,
    "job_stop": 0.2,
}
"""Seconds that each transition lasts; `training` is a minimum on top of the real computing."""

DEFAULT_QUOTAS = {
    "projects": 100,
    "models_per_project": 100,
    "trainings": 2,
    "running_models": 2,
    "inference_units": 5,
    "images_per_dataset": 250_000,
    "labels": 250,
    "test_images_per_label": 1_000,
    "boxes_per_image": 50,
    "policies_per_project": 5,
    "copies": 5,
    "manifest_bytes": 1024**3,
    "manifest_line_characters": 100_000,
    "detect_tps_per_unit": 0,
    "task_uis": 100,
    "flow_definitions": 100,
    "loops_per_flow": 5_000,
    "workteams": 25,
    "labeling_jobs": 100,
}
"""AWS's documented limits, a region each. `detect_tps_per_unit` 0 is off; 5 is what an AWS sample names."""


class SettingError(ValueError):
    """A start option or control request holds what it must not."""


@dataclass(frozen=True)
class Outcome:
    """A scripted failure: what a training or a start of a matching version ends in.

    Parameters: `operation` is 'training' or 'start', `version` a glob on the version name, `status` the
    final status, `message` the StatusMessage, `times` how often it happens (None: always).
    """

    operation: str
    version: str
    status: str
    message: str
    times: int | None = None

    @classmethod
    def from_json(cls, value: object) -> Outcome:
        """Read one outcome; raises SettingError with what is wrong."""
        fields = json_object(value, "outcome", {"operation", "version", "status", "message", "times"})
        outcome = cls(
            operation=str(fields.get("operation")),
            version=str(fields.get("version", "*")),
            status=str(fields.get("status")),
            message=str(fields.get("message", "Scripted failure.")),
            times=optional_count(fields.get("times"), "outcome"),
        )
        allowed = {"training": "TRAINING_FAILED", "start": "FAILED"}
        if allowed.get(outcome.operation) != outcome.status:
            raise SettingError(
                f"Outcome {outcome.operation!r} -> {outcome.status!r} is unknown: "
                "use training -> TRAINING_FAILED or start -> FAILED."
            )
        return outcome


class Settings:
    """The live settings of one emulator, safe to change while it serves."""

    def __init__(
        self,
        durations: Mapping[str, object] | None = None,
        quotas: Mapping[str, object] | None = None,
        seed: int = 0,
    ) -> None:
        self._lock = threading.Lock()
        self._durations: dict[str, float] = dict(DEFAULT_DURATIONS)
        self._quotas: dict[str, int] = dict(DEFAULT_QUOTAS)
        self._outcomes: list[tuple[Outcome, list[int]]] = []
        self.seed = seed
        self.change_durations(durations or {})
        self.change_quotas(quotas or {})
        self._initial = (dict(self._durations), dict(self._quotas))

    def duration(self, name: str) -> float:
        """Return the seconds that the transition `name` lasts."""
        return self._durations[name]

    def quota(self, name: str) -> int:
        """Return the quota `name`."""
        return self._quotas[name]

    @property
    def durations(self) -> dict[str, float]:
        """A copy of all durations, seconds."""
        return dict(self._durations)

    @property
    def quotas(self) -> dict[str, int]:
        """A copy of all quotas."""
        return dict(self._quotas)

    @property
    def outcomes(self) -> list[dict[str, Any]]:
        """The scripted outcomes, each with how often it happened."""
        with self._lock:
            return [{**vars(outcome), "happened": count[0]} for outcome, count in self._outcomes]

    def change_durations(self, changes: Mapping[str, object]) -> None:
        """Set the named durations, others stay; raises SettingError and changes nothing on a bad one."""
        checked = {name: _duration(name, value) for name, value in changes.items()}
        with self._lock:
            self._durations.update(checked)

    def change_quotas(self, changes: Mapping[str, object]) -> None:
        """Set the named quotas, others stay; raises SettingError and changes nothing on a bad one."""
        checked = {name: _quota(name, value) for name, value in changes.items()}
        with self._lock:
            self._quotas.update(checked)

    def set_outcomes(self, outcomes: list[Outcome]) -> None:
        """Replace the scripted outcomes."""
        with self._lock:
            self._outcomes = [(outcome, [0]) for outcome in outcomes]

    def take_outcome(self, operation: str, version_name: str) -> Outcome | None:
        """Return the scripted outcome for this training or start, counting it as happened; or None."""
        with self._lock:
            for outcome, count in self._outcomes:
                spent = outcome.times is not None and count[0] >= outcome.times
                matches = outcome.operation == operation and fnmatchcase(version_name, outcome.version)
                if matches and not spent:
                    count[0] += 1
                    return outcome
        return None

    def reset(self) -> None:
        """Go back to the settings of the start."""
        durations, quotas = self._initial
        with self._lock:
            self._durations, self._quotas, self._outcomes = dict(durations), dict(quotas), []


def json_object(value: object, what: str, allowed: set[str]) -> dict[str, Any]:
    """Return `value` as an object with only `allowed` members, or raise SettingError."""
    if not isinstance(value, dict):
        raise SettingError(f"The {what} {value!r} is not a JSON object.")
    unknown = set(value) - allowed
    if unknown:
        raise SettingError(f"The {what} has unknown members {sorted(unknown)}: allowed are {sorted(allowed)}.")
    return value


def optional_count(value: object, what: str, member: str = "times") -> int | None:
    """Return `value` as a count of at least 1, or None; or raise SettingError."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise SettingError(f"'{member}' of the {what} is {value!r}: expected a whole number from 1, or null.")
    return value


def _duration(name: str, value: object) -> float:
    if name not in DEFAULT_DURATIONS:
        raise SettingError(f"Duration {name!r} is unknown: allowed are {', '.join(DEFAULT_DURATIONS)}.")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise SettingError(f"Duration {name!r} is {value!r}: expected seconds, 0 or more.")
    return float(value)


def _quota(name: str, value: object) -> int:
    if name not in DEFAULT_QUOTAS:
        raise SettingError(f"Quota {name!r} is unknown: allowed are {', '.join(DEFAULT_QUOTAS)}.")
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise SettingError(f"Quota {name!r} is {value!r}: expected a whole number, 0 or more.")
    return value
