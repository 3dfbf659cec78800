"""The images of a project in a local SQLite file, which joins, orders and counts them.

Memory is not to grow with the number of images, and `make bench` is to count 250,000 at least 15 times and build their
manifests at least 6 times as fast as plain boto3: no list of images is ever held.

What earlier checks found is such a file, of all images that were listed; so is a stored snapshot, of those it has.
"""

from __future__ import annotations

import csv
import hashlib
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Self

from custom_labels.datasets.annotations.picture_size import PictureFacts
from custom_labels.datasets.images import LeftOut, Tally
from custom_labels.datasets.label_names import readable_name
from custom_labels.datasets.snapshot import LabelChange, SnapshotChanges
from custom_labels.datasets.split import SideCounts, SplitRule, Subset

# Keys sort as UTF-8, as they do in S3. An image that was not checked yet has neither a position nor a reason. One whose
# labels are not its folder's has none here, and the digest of its annotation.
# A file belongs to one try of one task: none needs a journal.
_TABLES = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
CREATE TABLE IF NOT EXISTS run (as_of TEXT);
CREATE TABLE IF NOT EXISTS image (
    label TEXT, key TEXT, etag TEXT, position TEXT, reason TEXT, is_shared INT DEFAULT 0,
    width INT, height INT, orientation INT, annotation TEXT, PRIMARY KEY (label, key)
) WITHOUT ROWID;
CREATE TEMP TABLE listed (key TEXT, etag TEXT);
CREATE TEMP TABLE wanted (name TEXT PRIMARY KEY);
"""
_UNUSABLE = "SELECT label, key, reason FROM image WHERE reason IS NOT NULL"
_DUPLICATES = """
SELECT label, key, verdict FROM (
    SELECT label, key, CASE
        WHEN min(label) OVER copies <> max(label) OVER copies THEN 'CONFLICT'
        WHEN min(annotation) OVER copies <> max(annotation) OVER copies THEN 'CONFLICT'
        WHEN key > min(key) OVER copies THEN 'DUPLICATE'
    END AS verdict
    FROM image WHERE is_shared WINDOW copies AS (PARTITION BY position)
) WHERE verdict IS NOT NULL ORDER BY label, key
"""
_TRAIN_KEYS = "SELECT key FROM image WHERE label = :label AND NOT is_test(position) ORDER BY key LIMIT :most"
_TEST_KEYS = """
SELECT key FROM (SELECT key FROM image WHERE label = :label AND is_test(position) ORDER BY position LIMIT :most)
ORDER BY key
"""
_CHANGES = """
SELECT label, sum(new), sum(changed), sum(removed), sum(to_test), sum(to_train) FROM (
    SELECT now.label AS label,
        count(*) FILTER (WHERE old.key IS NULL) AS new,
        count(*) FILTER (WHERE now.etag <> old.etag OR now.annotation <> old.annotation) AS changed,
        0 AS removed,
        count(*) FILTER (
            WHERE now.position = old.position AND is_test(now.position) AND NOT was_test(now.position)
        ) AS to_test,
        count(*) FILTER (
            WHERE now.position = old.position AND NOT is_test(now.position) AND was_test(now.position)
        ) AS to_train
    FROM {now} AS now LEFT JOIN {trained} AS old USING (label, key) GROUP BY now.label
    UNION ALL
    SELECT old.label, 0, 0, count(*), 0, 0
    FROM {trained} AS old LEFT JOIN {now} AS now USING (label, key) WHERE now.key IS NULL GROUP BY old.label
) GROUP BY label ORDER BY label
"""
_BLOCK = 10_000
_MOST_MOVABLE = 1000
"""Images of a label, from either end of the order, among which one is chosen that changes its side."""


@dataclass(frozen=True)
class ListedImage:
    """An image as it was listed; its key is relative to the project's prefix."""

    label: str
    key: str
    etag: str


class ImageTable:
    """A local file of images.

    :param path: the file; a new one has no images.
    """

    _compared: ClassVar = {"now": "main.image", "trained": "trained.image"}
    """Tables of the images of each label, here and in another snapshot."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.executescript(_TABLES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def _all(self, query: str, *values: object) -> list[Any]:
        return self._database.execute(query, values).fetchall()

    # -- what earlier checks found ---------------------------------------------------------------------

    def use_checks(self, path: Path) -> None:
        """Take what is known of images from a file of earlier checks; nothing if it is missing or damaged."""
        if not _is_sound(path):
            path.unlink()
            with ImageTable(path):
                pass
        self._database.execute("ATTACH ? AS checks", (str(path),))
        self._checked_labels = [label for (label,) in self._all("SELECT DISTINCT label FROM checks.image")]

    @property
    def checked_as_of(self) -> datetime:
        """The moment of the run that wrote the checks; long ago if none did."""
        return last_run(self._all("SELECT max(as_of) FROM checks.run"))

    def is_doubtful(self, label: str) -> bool:
        """Say whether an image of a label was found to be bad, or to share its content with another."""
        query = "SELECT 1 FROM checks.image WHERE label IN wanted AND (reason IS NOT NULL OR is_shared) LIMIT 1"
        self._want(self._names(label))
        return bool(self._all(query))

    def _names(self, label: str) -> Iterator[str]:
        """Give what a label was called when it was checked: folders may have come that are the same to a person."""
        return (name for name in self._checked_labels if readable_name(name) == readable_name(label))

    def refuse(self, images: Iterable[ListedImage], unknown: Iterable[ListedImage]) -> None:
        """Change the checks: Custom Labels refuses the content of some images, and others are to be checked anew."""
        self._want(image.key for image in unknown)
        self._database.execute("DELETE FROM checks.image WHERE key IN wanted")
        # By content, so that of two copies the other one is not tried in the next training.
        self._want(image.key for image in images)
        self._database.execute(
            "UPDATE checks.image SET reason = ?, position = NULL "
            "WHERE position IN (SELECT position FROM main.image WHERE key IN wanted)",
            (LeftOut.REFUSED.name,),
        )

    def _want(self, names: Iterable[str]) -> None:
        self._database.execute("DELETE FROM wanted")
        self._database.executemany("INSERT OR IGNORE INTO wanted VALUES (?)", ((name,) for name in names))

    # -- a listing that is being checked ---------------------------------------------------------------

    def load(self, label: str, path: Path) -> None:
        """Take up the images of a label, with what is known of each by key and ETag.

        :param path: a file of rows ``key TAB etag NEWLINE``.
        """
        self._want(self._names(label))
        self._database.execute("BEGIN")
        with path.open(encoding="utf-8", newline="\n") as file:
            rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            self._database.executemany("INSERT INTO listed VALUES (?, ?)", rows)
        self._database.execute(
            "INSERT INTO main.image (label, key, etag, position, reason, is_shared, width, height, orientation) "
            "SELECT ?, listed.key, listed.etag, position, reason, is_shared, width, height, orientation "
            "FROM listed LEFT JOIN checks.image AS known "
            "ON label IN wanted AND known.key = listed.key AND known.etag = listed.etag",
            (label,),
        )
        self._database.execute("DELETE FROM listed")
        self._database.execute("COMMIT")

    def some(self, most: int, *, known: bool) -> list[ListedImage]:
        """Give some of the images that are known to be good, or some of which nothing is known."""
        query = "SELECT label, key, etag FROM image WHERE reason IS NULL AND (position IS NOT NULL) = ? LIMIT ?"
        return [ListedImage(*row) for row in self._all(query, known, most)]

    def settle(self, checked: Iterable[tuple[ListedImage, str | None, LeftOut | None]], tally: Tally) -> None:
        """Note the position of images, or why they cannot be used; those that may be good later are taken out.

        :param tally: takes what is taken out.
        """
        self._database.execute("BEGIN")
        for image, position, reason in checked:
            if reason is None or reason.is_permanent:
                update = "UPDATE image SET position = ?, reason = ? WHERE label = ? AND key = ?"
                self._database.execute(update, (position, reason and reason.name, image.label, image.key))
            else:
                self._take_out(image.label, image.key, reason, tally)
        self._database.execute("COMMIT")

    def note_pictures(self, pictures: Iterable[tuple[ListedImage, PictureFacts]]) -> None:
        """Note what the files of images say of their pictures."""
        self._database.execute("BEGIN")
        self._database.executemany(
            "UPDATE image SET width = ?, height = ?, orientation = ? WHERE label = ? AND key = ?",
            ((each.width, each.height, each.orientation, image.label, image.key) for image, each in pictures),
        )
        self._database.execute("COMMIT")

    def finish_checks(self, as_of: datetime) -> None:
        """Note which images share their content, now that all were checked, and the moment of the run."""
        self._database.execute(
            "UPDATE image SET is_shared = 1 WHERE position IN "
            "(SELECT position FROM image WHERE position IS NOT NULL GROUP BY position HAVING count(*) > 1)"
        )
        self._database.execute("INSERT INTO run VALUES (?)", (as_of.isoformat(),))

    def leave_out(self, tally: Tally) -> None:
        """Take out the images that cannot be used, and then those that have the same content as others.

        Below one label the first in order stays. Under different labels, or with different annotations, it is not known
        which one is right: all go.
        """
        for query in (_UNUSABLE, _DUPLICATES):
            for label, key, reason in self._all(query):
                self._take_out(label, key, LeftOut[reason], tally)

    def _take_out(self, label: str, key: str, reason: LeftOut, tally: Tally) -> None:
        tally.add(reason, key)
        self._database.execute("DELETE FROM image WHERE label = ? AND key = ?", (label, key))

    def remove_label(self, label: str) -> None:
        """Take out all images of a label."""
        self._database.execute("DELETE FROM image WHERE label = ?", (label,))

    # -- what is in it ---------------------------------------------------------------------------------

    @property
    def images(self) -> int:
        """The number of images."""
        return int(self._all("SELECT count(*) FROM main.image")[0][0])

    def counts(self) -> dict[str, int]:
        """Count the images of each label."""
        return dict(self._all("SELECT label, count(*) FROM image GROUP BY label"))

    def digest(self, label: str) -> str:
        """Give the SHA-256, hex, of a label's rows ``key TAB etag NEWLINE`` in order."""
        whole = hashlib.sha256()
        rows = self._database.execute("SELECT key, etag FROM image WHERE label = ? ORDER BY key", (label,))
        while block := rows.fetchmany(_BLOCK):
            whole.update("".join([f"{key}\t{etag}\n" for key, etag in block]).encode())
        return whole.hexdigest()

    def find(self, keys: Iterable[str]) -> list[ListedImage]:
        """Find images by their keys; those that are not there are passed over."""
        self._want(keys)
        return [ListedImage(*row) for row in self._all("SELECT label, key, etag FROM image WHERE key IN wanted")]

    def positions(self, label: str) -> list[str]:
        """Give the positions of a label's images."""
        return [position for (position,) in self._all("SELECT position FROM image WHERE label = ?", label)]

    def tests(self, rule: SplitRule) -> dict[str, int]:
        """Count the test images of each label."""
        self._use_rule("is_test", rule)
        return dict(self._all("SELECT label, sum(is_test(position)) FROM image GROUP BY label"))

    def sides(self, rule: SplitRule) -> dict[str, SideCounts]:
        """Count the images of each label on each side, those that are too many to be used as well."""
        self._use_rule("is_test", rule)
        query = f"SELECT label, count(*), sum(is_test(position)) FROM {self._compared['now']} GROUP BY label"  # noqa: S608
        return {label: SideCounts(count - tests, tests) for label, count, tests in self._all(query)}

    def movable(self, labels: Iterable[str], groups: Mapping[str, Collection[str]]) -> dict[str, list[str]]:
        """Give images of some labels by position, with all their labels: those from both ends of the order.

        :param groups: by position, those that change their side together; they are given together.
        """
        places = set()
        for label in labels:
            for order in ("ASC", "DESC"):
                ends = f"WHERE label = ? ORDER BY position {order} LIMIT ?"
                rows = self._all(f"SELECT position FROM {self._compared['now']} {ends}", label, _MOST_MOVABLE)  # noqa: S608
                places |= {place for (place,) in rows}
        self._want({each for place in places for each in groups.get(place, (place,))})
        found: dict[str, list[str]] = {}
        query = f"SELECT position, label FROM {self._compared['now']} WHERE position IN wanted"  # noqa: S608
        for place, label in self._all(query):
            found.setdefault(place, []).append(label)
        return found

    def keys(self, label: str, rule: SplitRule, side: Subset, most: int) -> Iterator[list[str]]:
        """Give the keys of a label's images on one side, in order, some thousand at a time.

        :param most: number of those that are given; of the test images they are the first ones in the order of the
            split, so that the same stay when others arrive.
        """
        self._use_rule("is_test", rule)
        query = _TEST_KEYS if side is Subset.TEST else _TRAIN_KEYS
        rows = self._database.execute(query, {"label": label, "most": most})
        while block := rows.fetchmany(_BLOCK):
            yield [key for (key,) in block]

    def _use_rule(self, name: str, rule: SplitRule) -> None:
        self._database.create_function(name, 1, rule.is_test, deterministic=True)

    # -- compared with the snapshot trained on last ----------------------------------------------------

    def compare_with(self, trained: Path) -> None:
        """Take the file of another snapshot for the following comparisons."""
        self._database.execute("ATTACH ? AS trained", (str(trained),))

    def unchanged(self) -> dict[str, int]:
        """Count the images of each label that the other snapshot has with the same key and ETag."""
        query = "SELECT label, count(*) FROM main.image JOIN trained.image USING (label, key, etag) GROUP BY label"
        return dict(self._all(query))

    def changes(self, rule: SplitRule, trained_rule: SplitRule) -> SnapshotChanges:
        """Say what came, was replaced, went, or is on another side now: by label of either snapshot, and of all."""
        self._use_rule("is_test", rule)
        self._use_rule("was_test", trained_rule)
        labels = self._changes_between(self._compared)
        return SnapshotChanges(labels, self._whole_change(labels))

    def _changes_between(self, tables: Mapping[str, str]) -> tuple[LabelChange, ...]:
        return tuple(LabelChange(*row) for row in self._all(_CHANGES.format(**tables)))

    def _whole_change(self, labels: Sequence[LabelChange]) -> LabelChange:
        """Sum up the labels, since each image has one."""
        return LabelChange("", *(sum(numbers) for numbers in zip(*(each.numbers for each in labels), strict=True)))


def complete_split(images: ImageTable, rule: SplitRule, units: Mapping[str, Collection[str]]) -> SplitRule:
    """Add to a rule what it needs so that each label has images on both sides, as far as that can be.

    :param units: by position, those that change their side together, itself among them.
    """
    before = None
    while rule != before:
        counts = images.sides(rule)
        lacking = [label for label, each in counts.items() if not each.train or not each.test]
        before, rule = rule, rule.for_labels(counts, images.movable(lacking, units), units)
    return rule


def earlier_sides(path: Path, rule: SplitRule, positions: Iterable[str]) -> dict[str, Subset]:
    """Say which side some images were on in a snapshot, as far as it has them.

    :param path: the snapshot's file, and ``rule`` the one that it was split by.
    """
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TEMP TABLE wanted (name TEXT PRIMARY KEY)")
        database.executemany("INSERT OR IGNORE INTO wanted VALUES (?)", ((place,) for place in positions))
        rows = database.execute("SELECT position FROM image WHERE position IN wanted").fetchall()
    return {place: Subset.TEST if rule.is_test(place) else Subset.TRAIN for (place,) in rows}


def last_run(rows: list[Any]) -> datetime:
    """Give the moment in the one row of a query, long ago where it is empty."""
    ((as_of,),) = rows
    return datetime.fromisoformat(as_of) if as_of else datetime.min.replace(tzinfo=UTC)


def _is_sound(path: Path) -> bool:
    """Say whether a file holds images, to its end."""
    with closing(sqlite3.connect(path)) as database:
        try:
            database.execute("SELECT count(width), (SELECT as_of FROM run) FROM image").fetchone()
        except sqlite3.DatabaseError:
            return False
    return True
