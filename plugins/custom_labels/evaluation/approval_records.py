"""A person's word on a version, as the registry keeps it."""

from __future__ import annotations

import logging
from dataclasses import replace

from custom_labels.core.live_version import Candidate
from custom_labels.core.registry import Registry
from custom_labels.evaluation.approval import Approval
from custom_labels.evaluation.judged_record import JudgedRecord

log = logging.getLogger(__name__)


def read_approval(registry: Registry, candidate: Candidate, reason: str) -> Approval | None:
    """Give the answer that is on record for this very decision, ``None`` if there is none.

    :param reason: the gates' verdict.
    """
    record = registry.version(candidate.version_name, JudgedRecord)
    approval = record.approval if record else None
    if approval is None or not approval.covers(reason, candidate.champion_arn):
        return None
    log.info("The answer to %s counts: %s.", approval.run, approval.sentence)
    return approval


def record_approval(registry: Registry, version_name: str, approval: Approval) -> None:
    """Put a person's answer on record."""
    registry.change_version(version_name, JudgedRecord, lambda record: replace(record, approval=approval))
