"""What a teardown takes away, what that costs while it is there, and what may be deleted: pure rules."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from custom_labels.deployment.deployment import VersionRef
from custom_labels.operations.versions import FoundVersion
from custom_labels.training.trainings import Teardown

TRAINING = frozenset({"TRAINING_IN_PROGRESS", "COPYING_IN_PROGRESS"})
"""Statuses that nothing can end but the training or the copy itself."""
BILLED = frozenset({"STARTING", "RUNNING", "STOPPING"})
"""Statuses in which a version is billed by the minute, or about to be."""
DELETES = "delete_images_and_records"
"""The Param without which no object in S3 is deleted."""
CONFIRMATION = "confirm_project_name"
"""The Param that has to be the project's name where objects are deleted."""
LISTED = 20
"""Rows of a table that a note shows, at most."""


class TearingDown(StrEnum):
    """What a run does."""

    DUE = "take away"
    LISTED = "only list"
    NOTHING = "nothing is there"


@dataclass(frozen=True)
class Row:
    """Something that is there.

    :param usd_a_day: what it costs, in US dollars, while it stays as it is.
    :param fate: what becomes of it.
    """

    what: str
    state: str
    usd_a_day: float
    fate: str


@dataclass(frozen=True)
class Stored:
    """Objects in S3.

    :param size: of all of them together, in bytes.
    """

    objects: int = 0
    size: int = 0

    @property
    def words(self) -> str:
        """Give it as part of a sentence."""
        return f"{self.objects:,} object{'' if self.objects == 1 else 's'} ({in_units(self.size)})"


@dataclass(frozen=True)
class Inventory:
    """What there is of a project.

    :param detail: what the run does, as part of a sentence.
    :param rows: what AWS and the review backend have of it.
    :param stored: what lies in S3 below the project's own folders.
    """

    choice: TearingDown
    detail: str
    rows: tuple[Row, ...]
    stored: Stored

    @property
    def usd_a_day(self) -> float:
        """What all of it costs a day, but for S3."""
        return sum(row.usd_a_day for row in self.rows)


@dataclass(frozen=True)
class TrainingsUnderWay:
    """The versions to wait for, since AWS can neither stop nor delete them."""

    versions: tuple[VersionRef, ...]


@dataclass(frozen=True)
class VersionToDelete:
    """A version, as an operator addresses it.

    :param is_billed: whether it is to be stopped first.
    """

    project_arn: str
    version_name: str
    is_billed: bool


@dataclass(frozen=True)
class Begun:
    """What is taken away, now that the records say so.

    :param project_arn: the project at Custom Labels; empty where there is none.
    :param datasets: ARNs of its datasets.
    :param served: the version that ``registry/live.json`` named.
    """

    versions: tuple[VersionToDelete, ...]
    project_arn: str = ""
    datasets: tuple[str, ...] = ()
    served: str | None = None


@dataclass(frozen=True)
class TakenAway:
    """What of the reviews was taken away, a sentence each."""

    sentences: tuple[str, ...] = ()


# -- what there is -----------------------------------------------------------------------------------


def version_row(version: FoundVersion, live: str | None, unit_hour_usd: float, training_hour_usd: float) -> Row:
    """Describe a version, what it costs a day, and what becomes of it."""
    role = "serves" if version.name == live else "does not serve"
    if version.record is None:
        role = "was not made by these DAGs"
    if version.status in TRAINING:
        fate = "waited for, since AWS cannot stop it, then deleted"
        return Row(f"version {version.name}", f"{version.status}, {role}", 24 * training_hour_usd, fate)
    if version.status in BILLED:
        units = version.units.minimum
        state = f"{version.status} with {units} inference unit{'' if units == 1 else 's'}, {role}"
        return Row(f"version {version.name}", state, 24 * unit_hour_usd * units, "stopped and deleted")
    return Row(f"version {version.name}", f"{version.status}, {role}", 0, "deleted")


def table(inventory: Inventory, place: str, *, deletes: bool, rows: int | None = None) -> str:
    """Give what there is as a Markdown table.

    :param place: the ``s3://`` URI of the project.
    :param deletes: whether objects in S3 are deleted.
    :param rows: so many at most, ``None`` for all.
    """
    fate = "deleted" if deletes else "stays"
    shown = inventory.rows[:rows]
    lines = ["| what | state | USD a day | what becomes of it |", "|---|---|---|---|"]
    lines += [f"| {row.what} | {row.state} | {row.usd_a_day:.2f} | {row.fate} |" for row in shown]
    if len(shown) < len(inventory.rows):
        lines.append(f"| {len(inventory.rows) - len(shown)} more | in the log | | |")
    lines.append(f"| images and records in {place} | {inventory.stored.words} | S3's price | {fate} |")
    return "\n".join(lines)


def in_units(size: int) -> str:
    """Give a number of bytes as people read it."""
    amount = float(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


# -- what may be done --------------------------------------------------------------------------------


def why_not_confirmed(project: str, typed: str) -> str | None:
    """Say why no object may be deleted; ``None`` where a person typed the project's name."""
    if typed == project:
        return None
    return (
        f"Nothing was taken away: the Param '{DELETES}' is on, and '{CONFIRMATION}' is {typed!r} instead of the "
        f"project's name. Type '{project}' there to delete its images, labels and records for good, or switch "
        f"'{DELETES}' off."
    )


def why_foreign(project: str, arn: str, tag: str, tags: dict[str, str]) -> str | None:
    """Say why a project at Custom Labels is not this one's; ``None`` where nothing says so.

    :param tag: name of the tag that says whose it is; one that could not be tagged has none.
    """
    owner = tags.get(tag)
    if owner in {None, project}:
        return None
    return (
        f"Nothing was taken away: {arn} carries the tag {tag}={owner}, so that it is another project's. Name the "
        f"project file after that one, or correct the tag if it is wrong, then trigger {project}_teardown again."
    )


def why_not_torn_down(run: str, torn_down: Teardown | None) -> str | None:
    """Say why a task may not delete anything; ``None`` where its run is the one that takes the project away.

    A task that is cleared after the project was set up again must not delete what was made since.
    """
    if torn_down is not None and torn_down.run == run:
        return None
    state = f"{torn_down.run} takes the project away" if torn_down else "no teardown is under way"
    return (
        f"Nothing was deleted by run '{run}': 'registry/trainings.json' says that {state}. To take the project away, "
        "trigger the teardown DAG anew."
    )
