"""Which version serves, the value behind the live pointer, and which one is to."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Candidate:
    """A version that is to be put into service.

    :param f1: the version's F1 on its test dataset.
    :param labels: the labels that it knows.
    :param champion_arn: ARN of the version that it was compared with and is to replace, ``None`` for none.
    :param is_rollback: whether a person puts it back in place of a later one.
    """

    project_arn: str
    version_name: str
    version_arn: str
    digest: str
    f1: float
    labels: tuple[str, ...]
    champion_arn: str | None
    is_rollback: bool = False


@dataclass(frozen=True)
class LiveVersion:
    """The version that serves, as ``registry/live.json`` holds it.

    :param since: when the pointer was moved, ISO 8601 in UTC.
    :param f1: the version's F1 on its test dataset.
    :param labels: the labels that it knows.
    :param is_rollback: whether a person put it back in place of a later one, which is ``previous`` then.
    :param previous: the version that it replaced, with its ``project_arn``; to be stopped, and to roll back to.
    """

    version_name: str
    version_arn: str
    project_arn: str
    digest: str
    since: str
    f1: float
    labels: tuple[str, ...]
    is_rollback: bool = False
    previous_version_name: str | None = None
    previous_version_arn: str | None = None
    previous_project_arn: str | None = None

    @classmethod
    def of(cls, candidate: Candidate, since: str) -> LiveVersion:
        """Make it of a candidate that serves from a moment on."""
        return cls(
            version_name=candidate.version_name,
            version_arn=candidate.version_arn,
            project_arn=candidate.project_arn,
            digest=candidate.digest,
            since=since,
            f1=candidate.f1,
            labels=candidate.labels,
            is_rollback=candidate.is_rollback,
        )

    def replacing(self, champion: LiveVersion | None) -> LiveVersion:
        """Give this version as the successor of the present one; repeated for itself it keeps its predecessor."""
        if champion is None:
            return self
        if champion.version_arn == self.version_arn:
            return champion
        return replace(
            self,
            previous_version_name=champion.version_name,
            previous_version_arn=champion.version_arn,
            previous_project_arn=champion.project_arn,
        )
