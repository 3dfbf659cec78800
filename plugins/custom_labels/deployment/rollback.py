"""Which version may be put back into service, and why not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from custom_labels.aws.statuses import STARTABLE, VERSION_RUNNING, Described, Verdict
from custom_labels.core.live_version import Candidate, LiveVersion
from custom_labels.deployment.served_record import RolledBack, ServedRecord
from custom_labels.errors import ModelError


class Rollback(StrEnum):
    """What there is to do."""

    DUE = "a version to put back"
    NOT_DUE = "none"


@dataclass(frozen=True)
class RollbackDecision:
    """Which version is to be put back, or why none.

    :param candidate: ``None`` where there is nothing to do.
    :param replaced: the version that it replaces, by name; ``None`` for none.
    """

    choice: Rollback
    reason: str
    candidate: Candidate | None = None
    replaced: str | None = None


@dataclass(frozen=True)
class RollbackTarget:
    """The version that is asked for.

    :param version_name: ``None`` where there is nothing to do.
    :param reason: why there is nothing to do.
    """

    version_name: str | None
    reason: str = ""


def find_target(live: LiveVersion | None, named: str | None, rolled_back: RolledBack | None = None) -> RollbackTarget:
    """Find the version that a rollback is to put back: the named one, else the one that the live version replaced.

    A version that was rolled back from is put back by its name only. A rollback that died after its swap is gone on
    with: its target is the live version itself.

    :param named: what the person asked for.
    :param rolled_back: how the live version's predecessor was rolled back from, by the registry.
    """
    if live is not None and live.is_rollback and live.previous_version_name and named in {None, "", live.version_name}:
        if rolled_back is None or rolled_back.to != live.version_name or rolled_back.at < live.since:
            return RollbackTarget(live.version_name)
        if not named:
            return RollbackTarget(
                None,
                f"version {live.version_name} was put back instead of {live.previous_version_name} already; name the "
                "version that is to serve in the Param 'version'",
            )
    if named:
        if live is not None and live.version_name == named:
            return RollbackTarget(None, f"version {named} serves already")
        return RollbackTarget(named)
    if live is None:
        return RollbackTarget(None, "no version was deployed yet")
    if live.previous_version_name is None:
        return RollbackTarget(None, f"version {live.version_name}, which serves, replaced no other")
    return RollbackTarget(live.previous_version_name)


def make_candidate(
    version_name: str,
    *,
    record: ServedRecord | None,
    project_arn: str,
    described: Described,
    live: LiveVersion | None,
) -> Candidate:
    """Make the candidate of a deployment from what the registry and AWS know of a version.

    :param record: the version's record in the registry, ``None`` where it has none.
    :param described: what AWS says of it.
    :param live: the version that it replaces; itself, where a run that died had put it back already.
    :raises ModelError: the registry does not know the version, or AWS cannot start it.
    """
    where = f"'registry/versions/{version_name}.json'"
    if record is None:
        raise ModelError(
            f"Version '{version_name}' is not one of this project: there is no {where}. Only versions that the "
            "project's registry knows are put into service. Name one of 'registry/versions/' in the Param 'version'."
        )
    if described.status is None:
        raise ModelError(
            f"Version '{version_name}' is known to {where}, but AWS has it no more: it was deleted. Name another "
            "version in the Param 'version', or train its images again with 'force'."
        )
    if described.status not in STARTABLE and VERSION_RUNNING.judge(described.status) is Verdict.FAILED:
        raise ModelError(
            f"Version '{version_name}' is {described.status}, from which it cannot be started; AWS says: "
            f"'{described.message}'. Wait if that passes, or name another version in the Param 'version'."
        )
    evaluation = record.evaluation
    if evaluation is None:
        raise ModelError(
            f"Version '{version_name}' was never evaluated: {where} has no 'evaluation'. Name a version in the Param "
            "'version' that was judged by its gates."
        )
    return Candidate(
        project_arn=project_arn,
        version_name=version_name,
        version_arn=described.arn,
        digest=record.digest or "",
        f1=evaluation.f1,
        labels=tuple(metrics.label for metrics in evaluation.labels),
        champion_arn=live.version_arn if live else None,
        is_rollback=True,
    )


def find_replaced(version_name: str, live: LiveVersion | None) -> str | None:
    """Name the version that a rollback replaces; its predecessor, where a run that died had put it back already."""
    if live is None:
        return None
    return live.previous_version_name if live.version_name == version_name else live.version_name
