"""May a version be put into service, started or stopped? Decided by what is on record, not by how far a run came."""

from __future__ import annotations

from custom_labels.core.live_version import Candidate, LiveVersion
from custom_labels.evaluation.judged_record import JudgedRecord


def why_not_deployed(
    candidate: Candidate,
    record: JudgedRecord,
    *,
    needs_approval: bool,
) -> str | None:
    """Say why a version may not be put into service; ``None`` where every gate held and a user approved it if need be.

    A rollback is a user's own order: it needs no more than a version that was evaluated.

    :param record: what ``registry/versions/`` holds of it, empty for nothing.
    :param needs_approval: whether ``require_approval`` is on.
    """
    name = candidate.version_name
    if candidate.is_rollback:
        return None if record.evaluation else _refusal(name, "was never evaluated")
    gate = record.gate
    if gate is None or gate.version_arn != candidate.version_arn:
        return _refusal(name, "was not judged by its gates", "judge_version")
    if not gate.passed or not all(each.passed for each in gate.gates):
        return _refusal(name, f"did not pass its gates ({gate.reason})")
    champion = gate.champion_arn
    if champion != candidate.champion_arn:
        against = f"was judged against {champion or 'no version'}, not {candidate.champion_arn or 'none'}"
        return _refusal(name, against, "judge_version")
    return _why_not_approved(name, record, gate.reason, champion, needs_approval=needs_approval)


def _why_not_approved(
    name: str, record: JudgedRecord, reason: str, champion_arn: str | None, *, needs_approval: bool
) -> str | None:
    given = record.approval
    if given is not None and not given.covers(reason, champion_arn):
        given = None
    if given is not None and not given.approved:
        return _refusal(name, f"was not approved: {given.sentence}")
    if needs_approval and (given is None or given.by is None):
        return _refusal(name, "was not approved by a user, and 'require_approval' is on", "judge_version")
    return None


def _refusal(name: str, why: str, cleared: str | None = None) -> str:
    way_out = (
        f"Clear task '{cleared}' with the tasks downstream of it."
        if cleared
        else "To let it serve all the same, name it in the Param 'version' of the rollback DAG."
    )
    return f"Version '{name}' {why} ('registry/versions/{name}.json'). It was not put into service. {way_out}"


def why_not_stopped(name: str, live: LiveVersion | None, *, is_recorded: bool) -> str | None:
    """Say why a version may not be stopped; ``None`` where it does not serve, or its stop was recorded beforehand.

    :param is_recorded: whether the registry says that, and why, the live version is being stopped.
    """
    if live is None or live.version_name != name or is_recorded:
        return None
    return (
        f"Version '{name}' was not stopped: it serves ('registry/live.json'), and the registry has no reason to stop "
        "it. To let another version serve, trigger the rollback DAG; to stop it, use the Custom Labels console."
    )


def why_not_live(name: str, live: LiveVersion | None) -> str | None:
    """Say why a version may not be started as the one that serves; ``None`` where it is that one."""
    if live is not None and live.version_name == name:
        return None
    serves = f"'{live.version_name}'" if live else "no version"
    return (
        f"Version '{name}' was not started: 'registry/live.json' names {serves}, and a version that does not serve "
        "costs money for nothing. Trigger the DAG again; it reads which version serves now."
    )


def why_not_deleted(name: str, live: LiveVersion | None, open_versions: frozenset[str]) -> str | None:
    """Say why a version may not be deleted; ``None`` where it neither serves, nor did before, nor is worked on.

    :param open_versions: versions whose training was begun and not seen to its end.
    """
    protected = {live.version_name, live.previous_version_name} if live else set()
    if name not in protected | open_versions:
        return None
    return (
        f"Version '{name}' was not deleted: it serves, was replaced by the version that serves "
        "('registry/live.json'), or is being judged ('registry/trainings.json'). Trigger the cost guard again; it "
        "chooses the versions anew."
    )
