"""A person's word on a version, as the registry keeps it."""

from __future__ import annotations

import logging

from custom_labels.core.codec import from_json
from custom_labels.core.live_version import Candidate
from custom_labels.core.registry import Registry
from custom_labels.evaluation.approval import Approval

log = logging.getLogger(__name__)


def read_approval(registry: Registry, candidate: Candidate, reason: str) -> Approval | None:
    """Give the answer that is on record for this very decision, ``None`` if there is none.

    :param reason: the gates' verdict.
    """
    value = registry.version(candidate.version_name).get("approval")
    approval = from_json(Approval, value) if value else None
    if approval is None or not approval.covers(reason, candidate.champion_arn):
        return None
    log.info("The answer to %s counts: %s.", approval.run, approval.sentence)
    return approval
