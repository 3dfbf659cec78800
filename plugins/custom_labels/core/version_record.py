"""What the registry keeps of a version: which rooms above add to, each by a class of its own that extends this one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class VersionRecord:
    """A version, as ``registry/versions/<version name>.json`` holds it.

    :param version_arn: of a version that was created at AWS; ``None`` for one that may not have been yet.
    :param digest: of the snapshot that it was trained on.
    :param as_of: up to when its images were seen, ISO 8601 in UTC.
    :param begun_by: the run that began its training, as ``dag_id/run_id``.
    :param status: AWS's status when it was recorded last, and ``detail`` AWS's words where it failed.
    :param serves_since: when it was put into service the last time, ISO 8601 in UTC; ``None`` if it never was.
    """

    version_arn: str | None = None
    digest: str | None = None
    as_of: str | None = None
    begun_by: str | None = None
    status: str | None = None
    detail: str | None = None
    billable_training_seconds: float | None = None
    serves_since: str | None = None
