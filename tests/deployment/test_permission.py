"""What must be on record before a version is put into service, started, stopped or deleted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from custom_labels.core.gate import Basis, Gate, GateResult, Metric
from custom_labels.core.live_version import Candidate, LiveVersion
from custom_labels.deployment.permission import why_not_deleted, why_not_deployed, why_not_live, why_not_stopped
from custom_labels.evaluation.approval import Approval
from custom_labels.evaluation.judged_record import GateVerdict, JudgedRecord
from tests.kit.version_records import evaluation

CANDIDATE = Candidate("arn of digits", "v2", "arn of v2", "0" * 64, 0.9, ("a",), "arn of v1")
ROLLBACK = replace(CANDIDATE, is_rollback=True)
HOLDS = GateResult(Gate(at_least=0.8), Metric.F1, None, 0.9, None, 0.8, Basis.EVALUATION, passed=True)
GATE = GateVerdict("arn of v2", "arn of v1", passed=True, reason="F1 0.900 reaches the minimum of 0.8", gates=(HOLDS,))
YES = Approval(
    approved=True,
    by="ann",
    at="2026-11-27T12:00:00+00:00",
    comment="",
    reason=GATE.reason,
    champion_arn="arn of v1",
    hours=24,
    run="digits_train/1",
)
NO = replace(YES, approved=False)
SILENCE = replace(NO, by=None)


@pytest.mark.parametrize(
    ("candidate", "record", "gate", "needs_approval", "words"),
    [
        (CANDIDATE, {}, GATE, False, None),
        (CANDIDATE, {"approval": YES}, GATE, True, None),
        (CANDIDATE, {"approval": YES}, GATE, False, None),
        (replace(CANDIDATE, champion_arn=None), {}, replace(GATE, champion_arn=None), False, None),
        (CANDIDATE, {}, None, False, "was not judged by its gates"),
        (CANDIDATE, {}, replace(GATE, version_arn="arn of another v2"), False, "was not judged by its gates"),
        (CANDIDATE, {}, replace(GATE, passed=False), False, "did not pass its gates"),
        (CANDIDATE, {}, replace(GATE, gates=(HOLDS, replace(HOLDS, passed=False))), False, "did not pass its gates"),
        (
            replace(CANDIDATE, champion_arn="arn of v0"),
            {},
            GATE,
            False,
            "was judged against arn of v1, not arn of v0",
        ),
        (replace(CANDIDATE, champion_arn=None), {}, GATE, False, "was judged against arn of v1, not none"),
        (CANDIDATE, {}, GATE, True, "was not approved by a user, and 'require_approval' is on"),
        (CANDIDATE, {"approval": replace(YES, by=None)}, GATE, True, "was not approved by a user"),
        (CANDIDATE, {"approval": replace(YES, reason="another verdict")}, GATE, True, "was not approved by a user"),
        (CANDIDATE, {"approval": replace(YES, champion_arn="arn of v0")}, GATE, True, "was not approved by a user"),
        (CANDIDATE, {"approval": NO}, GATE, True, "was not approved: rejected by ann"),
        (CANDIDATE, {"approval": NO}, GATE, False, "was not approved: rejected by ann"),
        (CANDIDATE, {"approval": SILENCE}, GATE, True, "was not approved: no answer came within 24 hours"),
        (ROLLBACK, {"evaluation": evaluation()}, None, True, None),
        (ROLLBACK, {}, None, False, "was never evaluated"),
    ],
)
def test_a_version_serves_only_with_what_it_takes_on_record(
    candidate: Candidate, record: dict[str, Any], gate: GateVerdict | None, needs_approval: bool, words: str | None
) -> None:
    refused = why_not_deployed(candidate, JudgedRecord(gate=gate, **record), needs_approval=needs_approval)

    if words is None:
        assert refused is None
    else:
        assert refused is not None
        assert refused.startswith("Version 'v2' ")
        assert words in refused
        assert "It was not put into service. " in refused


LIVE = LiveVersion("v2", "arn of v2", "arn of digits", "0" * 64, "2026-11-27", 0.9, ("a",), previous_version_name="v1")


@pytest.mark.parametrize(
    ("refused", "words"),
    [
        (why_not_stopped("v1", LIVE, is_recorded=False), None),
        (why_not_stopped("v2", None, is_recorded=False), None),
        (why_not_stopped("v2", LIVE, is_recorded=True), None),
        (why_not_stopped("v2", LIVE, is_recorded=False), "Version 'v2' was not stopped: it serves"),
        (why_not_live("v2", LIVE), None),
        (why_not_live("v1", LIVE), "Version 'v1' was not started: 'registry/live.json' names 'v2'"),
        (why_not_live("v1", None), "'registry/live.json' names no version"),
        (why_not_deleted("v0", LIVE, frozenset()), None),
        (why_not_deleted("v0", None, frozenset()), None),
        (why_not_deleted("v2", LIVE, frozenset()), "Version 'v2' was not deleted"),
        (why_not_deleted("v1", LIVE, frozenset()), "Version 'v1' was not deleted"),
        (why_not_deleted("v0", LIVE, frozenset({"v0"})), "Version 'v0' was not deleted"),
    ],
)
def test_a_version_is_stopped_started_and_deleted_only_where_the_registry_agrees(
    refused: str | None, words: str | None
) -> None:
    assert (refused is None) == (words is None)
    assert (words or "") in (refused or "")
