"""The annotations of a project: files of JSON Lines below ``annotations/``, read line by line into a local file.

A file that has not changed is read once: its lines are kept as they were read, see ``LINES_READ`` in the keys.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.keys import ANNOTATIONS
from custom_labels.datasets.annotated_table import AnnotatedTable, LineRow
from custom_labels.datasets.annotations.annotation import Annotation, Code, Refusal, Refused
from custom_labels.datasets.annotations.json_lines import key_of
from custom_labels.datasets.annotations.kinds import AnnotationKind, lines_of
from custom_labels.datasets.annotations.report import AnnotationReport
from custom_labels.datasets.images import LeftOut, Tally
from custom_labels.datasets.manifest import MAXIMUM_LINE, annotated_line
from custom_labels.s3.pages import pages, time_text
from custom_labels.s3.store import S3Store

SUFFIX = ".manifest"
"""What the names of files of annotations end in."""


@dataclass(frozen=True)
class _Findings:
    """What was found in one file of lines."""

    report: AnnotationReport
    tally: Tally


@functools.cache
def _code() -> str:
    """Name the code of this room: lines that other code has read are read again."""
    files = sorted(Path(__file__).parent.rglob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


@dataclass
class AnnotationReader:
    """Reads the annotations of a project.

    :param tally: takes the files and lines that are not used.
    :param report: takes what is wrong with lines, by Custom Labels' codes.
    :param folder: a local folder for the file that is being read.
    :param is_changed: whether a file was read that was not known, or is gone.
    """

    store: S3Store
    kind: AnnotationKind
    tally: Tally
    report: AnnotationReport
    folder: Path
    is_changed: bool = False

    def read_all(self, table: AnnotatedTable, as_of: datetime) -> None:
        """Read all files into a table, which then has the line of each image that counts.

        Of several lines about an image the newest counts: the one with the latest creation-date; of equal ones that of
        the file that S3 has with the latest LastModified; then that of the last file by name; then the last in its
        file. A creation-date after the file's LastModified counts as that: no line is newer than its file, so that a
        clock that is wrong does not win for ever. Lines that cannot be used count for nothing, so an older line about
        the same image does.

        :param as_of: files last modified up to then are read.
        :raises StorageError: S3 refused.
        """
        cutoff = time_text(as_of)
        for page in pages(self.store, ANNOTATIONS):
            for name, time, etag, size in zip(page.keys, page.times, page.etags, page.sizes, strict=True):
                key = name.decode()
                reason = _why_not(key, time, size, cutoff)
                if reason is None and name in page.archived:
                    reason = LeftOut.ARCHIVED
                if reason:
                    self.tally.add(reason, key)
                else:
                    self.read_file(table, key, etag.decode(), datetime.fromisoformat(time.decode()))
        self.is_changed = table.forget_others() or self.is_changed
        table.pick_newest(self.report)

    def read_file(self, table: AnnotatedTable, key: str, etag: str, modified: datetime) -> None:
        """Read a file into the table, unless the table has its lines from when it was read before."""
        version = f"{etag} {modified.isoformat()} {self.store.uri()} {self.kind.name} {_code()}"
        known = table.findings(key, version)
        if known is not None:
            found = from_json(_Findings, json.loads(known))
        else:
            path = self.folder / "lines.manifest"
            if not self.store.download(key, path):
                self.tally.add(LeftOut.VANISHED, key)
                return
            self.is_changed = True
            found = _Findings(AnnotationReport(files=1), Tally())
            with path.open("rb") as file:
                rows = self._rows(file, key, modified, found)
                table.add_lines(key, version, rows, lambda: json.dumps(to_json(found)))
            path.unlink()
        self.report.merge(found.report)
        self.tally.merge(found.tally)

    def _rows(self, file: BinaryIO, key: str, modified: datetime, findings: _Findings) -> Iterator[LineRow]:
        report = findings.report
        for number, line in enumerate(lines_of(file), start=1):
            if line.isspace():
                continue
            report.lines += 1
            where = f"{key} line {number}"
            found = self._parse(line)
            if isinstance(found, Refusal):
                report.add(found.code, where, found.detail)
                findings.tally.add(LeftOut.ANNOTATION, where)
                continue
            image, annotation, body = found
            for refusal in annotation.dropped:
                report.add(refusal.code, where, refusal.detail)
            yield LineRow(
                image,
                min(annotation.created, modified).isoformat(timespec="microseconds"),
                modified.isoformat(),
                key,
                number,
                annotation.digest,
                json.dumps(annotation.labels),
                annotation.size.width if annotation.size else None,
                annotation.size.height if annotation.size else None,
                body,
            )

    def _parse(self, line: bytes) -> tuple[str, Annotation, str] | Refusal:
        """Give the key of the image, what the line says of it, and the body of the line that says so in a manifest."""
        found = self.kind.parse(line)
        if isinstance(found, Refusal):
            return found
        body = self.kind.body(found)
        if len(annotated_line(found.source_ref, body)) > MAXIMUM_LINE:  # in ASCII it may be twelve times as long
            return Refusal(Code.INVALID_JSON_LINE, f"it has more than {MAXIMUM_LINE:,} characters in a manifest")
        try:
            return key_of(found.source_ref, self.store.uri()), found, body
        except Refused as error:
            return error.refusal


def _why_not(key: str, time: bytes, size: bytes, cutoff: bytes) -> LeftOut | None:
    if time > cutoff:
        return LeftOut.TOO_NEW
    if size == b"0" or key.endswith("/"):
        return LeftOut.FOLDER_MARKER
    return None if key.lower().endswith(SUFFIX) else LeftOut.OTHER_FILE
