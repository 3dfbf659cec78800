"""A bucket with its prefix and a queue belong to one project: which projects are in each other's way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Belongings:
    """What a project must have for itself.

    :param project: name of the project.
    :param bucket: its bucket; ``prefix`` is empty or ends in a slash.
    :param queues: URLs of the queues that it takes messages from, by their field in the project file.
    """

    project: str
    bucket: str
    prefix: str
    queues: Mapping[str, str]

    @property
    def uri(self) -> str:
        """Where its objects lie."""
        return f"s3://{self.bucket}/{self.prefix}"

    def overlaps(self, other: Belongings) -> bool:
        """Whether one's objects lie among the other's."""
        is_within = self.prefix.startswith(other.prefix) or other.prefix.startswith(self.prefix)
        return self.bucket == other.bucket and is_within


def overlapping(one: Belongings, others: Sequence[Belongings]) -> list[str]:
    """Say which other projects are in the way of a project's bucket and prefix; empty if none is."""
    return [
        f"'bucket' and 'prefix' of {one.project}.yaml are {one.uri}, which "
        f"{'is also' if one.uri == other.uri else 'overlaps'} {other.uri} of {other.project}.yaml. A bucket and prefix "
        "belong to one project: give one of the two another bucket, or a prefix that is not within the other's."
        for other in others
        if other.project != one.project and one.overlaps(other)
    ]


def shared_queues(one: Belongings, others: Sequence[Belongings]) -> list[str]:
    """Say which of a project's queues are named a second time, by itself or by other projects; empty if none is."""
    named = [
        (other.project, field, url)
        for other in others
        if other.project != one.project
        for field, url in other.queues.items()
    ]
    own = list(one.queues.items())
    return [
        f"'{field}' of {one.project}.yaml is {url}, and so is '{again}' of {project}.yaml. Each queue is read by one "
        "DAG alone, which deletes what it read: name another queue in one of the two."
        for number, (field, url) in enumerate(own)
        for project, again, other in [*((one.project, *each) for each in own[number + 1 :]), *named]
        if url == other
    ]
