"""The images of a project whose labels or boxes are written in lines of annotations, in a local SQLite file.

The lines themselves are in a second file, of which the snapshot takes what is used. Memory grows with neither.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import ClassVar, NamedTuple

from custom_labels.core.keys import IMAGES
from custom_labels.datasets.annotations.annotation import Annotation, Code, ImageSize
from custom_labels.datasets.annotations.picture_size import PictureFacts, SizeVerdict, judge_size
from custom_labels.datasets.annotations.report import EXAMPLES, AnnotationReport
from custom_labels.datasets.image_table import ImageTable, last_run
from custom_labels.datasets.images import MAXIMUM_LABEL_NAME, MAXIMUM_TEST_IMAGES, LeftOut, Tally
from custom_labels.datasets.label_names import readable_name
from custom_labels.datasets.snapshot import MINIMUM_IMAGES_A_LABEL, LabelChange
from custom_labels.datasets.split import SplitRule, Subset

_TABLES = """
CREATE TABLE IF NOT EXISTS body (key TEXT PRIMARY KEY, text TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS image_label (label TEXT, key TEXT, PRIMARY KEY (label, key)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS label_of ON image_label (key, label);
CREATE TEMP TABLE unused_test (key TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TEMP VIEW labelled AS
    SELECT each.label, each.key, etag, annotation, position
    FROM main.image_label AS each JOIN main.image ON main.image.label = '' AND main.image.key = each.key;
"""
_LINES = """
PRAGMA read.journal_mode = OFF; PRAGMA read.synchronous = OFF;
CREATE TABLE IF NOT EXISTS read.line (
    key TEXT, created TEXT, modified TEXT, file TEXT, number INT, digest TEXT, labels TEXT, width INT, height INT,
    body TEXT, PRIMARY KEY (key, created, modified, file, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS read.source (file TEXT PRIMARY KEY, version TEXT, findings TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS read.run (as_of TEXT);
CREATE TEMP TABLE present (file TEXT PRIMARY KEY);
PRAGMA lines.journal_mode = OFF; PRAGMA lines.synchronous = OFF;
CREATE TABLE lines.newest (
    key TEXT PRIMARY KEY, digest TEXT, labels TEXT, width INT, height INT, body TEXT, place TEXT
) WITHOUT ROWID;
"""
_NEWEST = """
INSERT INTO lines.newest SELECT key, digest, labels, width, height, body, file || ' line ' || number
FROM read.line AS one WHERE NOT EXISTS (
    SELECT 1 FROM read.line AS later WHERE later.key = one.key
    AND (later.created, later.modified, later.file, later.number) > (one.created, one.modified, one.file, one.number)
)
"""
_DISAGREEING = """
SELECT key FROM read.line GROUP BY key HAVING min(file) <> max(file) AND min(labels) <> max(labels)
"""
_WITHOUT_ANNOTATION = "SELECT key FROM main.image WHERE label = '' AND key NOT IN (SELECT key FROM lines.newest)"
_NOTHING_THERE = """
SELECT key FROM main.image WHERE label = '' AND key IN (SELECT key FROM lines.newest WHERE labels = '[]')
"""
_WITHOUT_IMAGE = """
SELECT place, key FROM lines.newest WHERE NOT EXISTS (
    SELECT 1 FROM main.image WHERE main.image.label = '' AND main.image.key = lines.newest.key
)
"""
_SIZED = """
FROM lines.newest AS line JOIN main.image AS one ON one.label = '' AND one.key = line.key
WHERE line.width IS NOT NULL AND one.width IS NOT NULL AND one.reason IS NULL
AND size_verdict(line.width, line.height, one.width, one.height, one.orientation) = ?
"""
_USE = """
INSERT INTO main.body SELECT key, lines.newest.body FROM lines.newest JOIN main.image USING (key) WHERE label = '';
INSERT INTO main.image_label SELECT name.value, one.key FROM lines.newest AS line
JOIN main.image AS one ON one.label = '' AND one.key = line.key JOIN json_each(line.labels) AS name;
"""
_WAS_LABELLED = """
CREATE TEMP VIEW was_labelled AS SELECT each.label, each.key, etag, annotation, position FROM {source}
"""
_WERE_ANNOTATED = "CREATE TEMP VIEW was_image AS SELECT label, key, etag, annotation, position FROM trained.image;"
_WERE_IN_FOLDERS = """
CREATE TEMP TABLE was_image (label TEXT, key TEXT, etag TEXT, annotation TEXT, position TEXT, PRIMARY KEY (label, key))
WITHOUT ROWID;
INSERT INTO was_image SELECT '', key, etag, annotation, position FROM trained.image;
"""
_LABELS = "trained.image_label AS each JOIN trained.image AS one ON one.label = '' AND one.key = each.key"
_UNCHANGED = """
FROM main.image AS now JOIN trained.image AS old
ON old.label = '' AND now.label = '' AND old.key = now.key AND old.etag = now.etag AND old.annotation = now.annotation
"""
_MANIFEST = """
SELECT key, text FROM main.image JOIN main.body USING (key)
WHERE is_test(position) = ? AND key NOT IN (SELECT key FROM unused_test) ORDER BY key
"""
_MOST_FOLDERS = 100
_BLOCK = 1000


class LineRow(NamedTuple):
    """A line of annotations as it is kept: texts of moments sort as the moments do.

    :param key: of the image, relative to the project's prefix; ``file`` is the key of the manifest.
    :param digest: of the annotation; ``labels`` are a JSON list, in order.
    :param width: of the image, in pixels, as the line says; likewise ``height``.
    :param body: the line as it will be in a manifest, without its beginning.
    """

    key: str
    created: str
    modified: str
    file: str
    number: int
    digest: str
    labels: str
    width: int | None
    height: int | None
    body: str


class AnnotatedTable(ImageTable):
    """A local file of images with their annotations; none has a label in the table of images itself."""

    _compared: ClassVar = {"now": "labelled", "trained": "was_labelled"}

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._database.executescript(_TABLES)

    # -- the lines, and which of them count ------------------------------------------------------------

    def use_lines(self, path: Path, read: Path) -> None:
        """Take a new file for the lines that count, and one of all lines that were read before.

        :param read: new if it is missing, and begun anew if it is damaged.
        """
        if not _is_sound(read):
            read.unlink(missing_ok=True)
        self._database.execute("ATTACH ? AS lines", (str(path),))
        self._database.execute("ATTACH ? AS read", (str(read),))
        self._database.executescript(_LINES)

    def findings(self, file: str, version: str) -> str | None:
        """Give what was found in a file of lines when it was read, ``None`` if this version of it was not."""
        self._database.execute("INSERT OR IGNORE INTO present VALUES (?)", (file,))
        found = self._all("SELECT findings FROM read.source WHERE file = ? AND version = ?", file, version)
        return str(found[0][0]) if found else None

    def add_lines(self, file: str, version: str, rows: Iterable[LineRow], findings: Callable[[], str]) -> None:
        """Take up the lines of a file instead of those that it had.

        :param findings: says what was found, once all were read.
        """
        self._database.execute("BEGIN")
        self._forget("SELECT ? AS file", file)
        self._database.executemany("INSERT INTO read.line VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._database.execute("INSERT INTO read.source VALUES (?, ?, ?)", (file, version, findings()))
        self._database.execute("COMMIT")

    def forget_others(self) -> bool:
        """Take out the lines of files that :meth:`findings` was not asked about; give whether there were any."""
        return self._forget("SELECT file FROM read.source EXCEPT SELECT file FROM present")

    def _forget(self, files: str, *values: object) -> bool:
        gone = self._database.execute(f"DELETE FROM read.source WHERE file IN ({files})", values).rowcount  # noqa: S608
        if gone:
            self._database.execute("DELETE FROM read.line WHERE file NOT IN (SELECT file FROM read.source)")
        return bool(gone)

    @property
    def lines_as_of(self) -> datetime:
        """The moment of the run that kept the lines; long ago if none did."""
        return last_run(self._all("SELECT max(as_of) FROM read.run"))

    def finish_lines(self, as_of: datetime) -> None:
        """Note the moment of the run."""
        self._database.execute("INSERT INTO read.run VALUES (?)", (as_of.isoformat(),))

    def pick_newest(self, report: AnnotationReport) -> None:
        """Choose the line of each image that counts: the last one by creation, by file's date, by file, and by line."""
        self._database.execute(_NEWEST)
        report.disagreements, keys = self._count(_DISAGREEING)
        report.disagreeing += keys

    def newest_lines(self) -> Iterator[tuple[str, str, str]]:
        """Give the key of each image with a line, the digest of the line that counts, and the last moment of any."""
        yield from self._database.execute(
            "SELECT one.key, one.digest, max(line.created) FROM lines.newest AS one JOIN read.line AS line USING (key) "
            "GROUP BY one.key"
        )

    def folders(self) -> list[str] | None:
        """Give the folders, ending in a slash, that the annotated images are in; ``None`` where they are many.

        The empty name stands for what is directly in the project's prefix.
        """
        query = "SELECT DISTINCT substr(key, 1, instr(key, '/')) FROM lines.newest LIMIT ?"
        found = [folder for (folder,) in self._all(query, _MOST_FOLDERS + 1)]
        return sorted(found) if len(found) <= _MOST_FOLDERS else None

    def label_by_folder(self, annotate: Callable[[str], tuple[Annotation, str]]) -> None:
        """Give images in label folders that no line is about the label of their folder.

        :param annotate: gives the annotation of a label, and its body.
        """
        self._database.create_function("folder_label", 1, _folder_label, deterministic=True)
        query = "SELECT DISTINCT folder_label(key) AS label FROM main.image WHERE folder_label(key) IS NOT NULL"
        self._database.execute(
            "CREATE TEMP TABLE by_folder (label TEXT PRIMARY KEY, digest TEXT, labels TEXT, body TEXT)"
        )
        for (label,) in self._all(query):
            annotation, body = annotate(label)
            row = (label, annotation.digest, json.dumps(annotation.labels), body)
            self._database.execute("INSERT INTO by_folder VALUES (?, ?, ?, ?)", row)
        self._database.execute(
            "INSERT OR IGNORE INTO lines.newest SELECT key, digest, labels, NULL, NULL, body, 'the folder of ' || key "
            "FROM main.image JOIN by_folder ON by_folder.label = folder_label(key)"
        )

    def join(self, tally: Tally, report: AnnotationReport) -> None:
        """Take out images without annotation and those with nothing on them; count annotations without image."""
        count, _ = self._count(_WITHOUT_IMAGE)
        for place, key in self._all(f"{_WITHOUT_IMAGE} LIMIT {EXAMPLES}"):
            tally.add(LeftOut.NO_IMAGE, key)
            report.add(Code.INVALID_IMAGE, place, f"there is no image {key!a}")
        if count > EXAMPLES:  # the number of the others, without their names
            tally.counts[LeftOut.NO_IMAGE] = report.faults[Code.INVALID_IMAGE] = count
        for reason, query in ((LeftOut.UNANNOTATED, _WITHOUT_ANNOTATION), (LeftOut.NOTHING_THERE, _NOTHING_THERE)):
            count, keys = self._count(query)
            tally.merge(Tally(Counter({reason: count} if count else {}), {reason: keys} if count else {}))
            self._database.execute(f"DELETE FROM main.image WHERE label = '' AND key IN ({query})")  # noqa: S608 - ours

    def _count(self, query: str) -> tuple[int, list[str]]:
        """Count the rows of a query, and give some of them."""
        ((count,),) = self._all(f"SELECT count(*) FROM ({query})")  # noqa: S608 - a query of ours
        return count, [row[0] for row in self._all(f"{query} LIMIT {EXAMPLES}")]

    # -- annotations that are used ---------------------------------------------------------------------

    def annotate(self, report: AnnotationReport) -> None:
        """Give the images their annotations; one that lies about the size of its image makes the image unusable."""
        self._database.create_function("size_verdict", 5, _size_verdict, deterministic=True)
        self._database.execute(
            "UPDATE main.image SET annotation = "
            "(SELECT digest FROM lines.newest WHERE lines.newest.key = main.image.key) WHERE label = ''"
        )
        turned = self._all(f"SELECT count(*) {_SIZED}", SizeVerdict.TURNED)
        report.turned = turned[0][0]
        report.turned_images += [
            key for (key,) in self._all(f"SELECT line.key {_SIZED} LIMIT {EXAMPLES}", SizeVerdict.TURNED)
        ]
        wrong = self._all(
            "SELECT line.key, place, line.width, line.height, one.width, one.height, one.orientation " + _SIZED,
            SizeVerdict.WRONG,
        )
        for key, place, width, height, *picture in wrong:
            wide, high = PictureFacts(*picture).upright
            detail = f"'image_size' is {width} x {height}, and the image {key!a} is {wide} x {high}"
            report.add(Code.INVALID_IMAGE_DIMENSION, place, detail)
            self._database.execute(
                "UPDATE main.image SET reason = ? WHERE label = '' AND key = ?", (LeftOut.IMAGE_SIZE.name, key)
            )

    def use_annotations(self, tally: Tally, strip: Callable[[str, set[str]], tuple[Annotation, str]]) -> list[str]:
        """Take over the annotations of the images that are left; give the labels that are on too few of them.

        Such a label is taken out of the annotations, and an image with nothing else on it, too.

        :param strip: gives a body without some labels, and its annotation.
        """
        self._database.executescript(_USE)
        query = "SELECT label FROM image_label GROUP BY label HAVING count(*) < ? ORDER BY label"
        few = {label for (label,) in self._all(query, MINIMUM_IMAGES_A_LABEL)}
        self._want(few)
        affected = self._all(
            "SELECT key, text FROM body WHERE key IN (SELECT key FROM image_label WHERE label IN wanted)"
        )
        for key, text in affected:
            annotation, body = strip(text, few)
            if annotation.labels:
                self._database.execute("UPDATE body SET text = ? WHERE key = ?", (body, key))
                self._database.execute(
                    "UPDATE main.image SET annotation = ? WHERE label = '' AND key = ?", (annotation.digest, key)
                )
            else:
                self._take_out("", key, LeftOut.FEW_IMAGES, tally)
                self._database.execute("DELETE FROM body WHERE key = ?", (key,))
        self._database.execute("DELETE FROM image_label WHERE label IN wanted")
        return sorted(few)

    # -- what is in it ---------------------------------------------------------------------------------

    def counts(self) -> dict[str, int]:
        """Count the images of each label."""
        return dict(self._all("SELECT label, count(*) FROM image_label GROUP BY label"))

    def digest(self, label: str) -> str:
        """Give the SHA-256, hex, of a label's rows ``key TAB etag TAB annotation NEWLINE`` in order."""
        whole = hashlib.sha256()
        rows = self._database.execute(
            "SELECT key, etag, annotation FROM labelled WHERE label = ? ORDER BY key", (label,)
        )
        while block := rows.fetchmany(_BLOCK):
            whole.update("".join([f"{key}\t{etag}\t{annotation}\n" for key, etag, annotation in block]).encode())
        return whole.hexdigest()

    def count_tests(self, rule: SplitRule) -> int:
        """Count the test images, each once, whether they are used or not."""
        self._use_rule("is_test", rule)
        return int(self._all("SELECT count(*) FROM main.image WHERE is_test(position)")[0][0])

    # -- compared with the snapshot trained on last ----------------------------------------------------

    def compare_with(self, trained: Path) -> None:
        """Take the file of another snapshot, of whatever task, for the following comparisons."""
        super().compare_with(trained)
        is_annotated = bool(self._all("SELECT 1 FROM trained.sqlite_master WHERE name = 'image_label'"))
        self._database.execute(_WAS_LABELLED.format(source=_LABELS if is_annotated else "trained.image AS each"))
        self._database.executescript(_WERE_ANNOTATED if is_annotated else _WERE_IN_FOLDERS)

    def _whole_change(self, labels: Sequence[LabelChange]) -> LabelChange:  # noqa: ARG002 - they share images
        """Compare the images themselves, which have no label here."""
        return next(iter(self._changes_between({"now": "main.image", "trained": "was_image"})), LabelChange(""))

    def unchanged(self) -> dict[str, int]:
        """Count the images of each label that the other snapshot has with the same key, ETag and annotation."""
        query = f"SELECT each.label, count(*) {_UNCHANGED} JOIN image_label AS each ON each.key = now.key GROUP BY 1"
        return dict(self._all(query))

    @property
    def unchanged_images(self) -> int:
        """How many images the other snapshot has with the same key, ETag and annotation."""
        return int(self._all(f"SELECT count(*) {_UNCHANGED}")[0][0])

    # -- manifests -------------------------------------------------------------------------------------

    def limit_tests(self, rule: SplitRule) -> dict[str, int]:
        """Choose the test images that are used, so that no label has more than Custom Labels takes; count them a label.

        The rarest labels choose first, each in the order of the split, so that they are not crowded out by the labels
        that are on everything. The others stay test images and are not used.
        """
        used: Counter[str] = Counter()
        tests = {label: each.test for label, each in self.sides(rule).items()}
        self._database.execute("DELETE FROM unused_test")
        if all(count <= MAXIMUM_TEST_IMAGES for count in tests.values()):
            return tests
        self._database.execute("INSERT INTO unused_test SELECT key FROM main.image WHERE is_test(position)")
        query = "SELECT key FROM labelled WHERE label = ? AND is_test(position) ORDER BY position"
        for label in sorted(tests, key=lambda label: (tests[label], label)):
            for (key,) in self._database.execute(query, (label,)):
                if used[label] == MAXIMUM_TEST_IMAGES:
                    break
                labels = [each for (each,) in self._all("SELECT label FROM image_label WHERE key = ?", key)]
                if all(used[each] < MAXIMUM_TEST_IMAGES for each in labels) and self._is_unused(key):
                    used.update(labels)
                    self._database.execute("DELETE FROM unused_test WHERE key = ?", (key,))
        return {label: used[label] for label in tests}

    def _is_unused(self, key: str) -> bool:
        return bool(self._all("SELECT 1 FROM unused_test WHERE key = ?", key))

    @property
    def unused_tests(self) -> int:
        """How many test images :meth:`limit_tests` left unused."""
        return int(self._all("SELECT count(*) FROM unused_test")[0][0])

    def bodies(self, rule: SplitRule, side: Subset) -> Iterator[list[tuple[str, str]]]:
        """Give keys and bodies of the images on one side that are used, in order, a thousand at a time."""
        self._use_rule("is_test", rule)
        rows = self._database.execute(_MANIFEST, (side is Subset.TEST,))
        while block := rows.fetchmany(_BLOCK):
            yield block


def _is_sound(path: Path) -> bool:
    """Say whether a file holds lines that were read, to its end."""
    with closing(sqlite3.connect(path)) as database:
        try:
            # All texts are read, so that a file that ends too early is found out.
            database.execute("SELECT sum(length(body)), (SELECT as_of FROM run) FROM line").fetchone()
            database.execute("SELECT sum(length(findings)) FROM source").fetchone()
        except sqlite3.DatabaseError:
            return False
    return True


def _folder_label(key: str) -> str | None:
    folder, slash, _ = key.removeprefix(IMAGES).partition("/")
    if not key.startswith(IMAGES) or not slash or not folder or len(folder) > MAXIMUM_LABEL_NAME:
        return None
    return readable_name(folder)


def _size_verdict(width: int, height: int, *picture: int) -> SizeVerdict:
    return judge_size(ImageSize(width, height), PictureFacts(*picture))
