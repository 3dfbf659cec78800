"""An import in S3: what it plans, what it finds out about each image, what it takes, and its report.

All of it lies below ``imports/<name>/``. A task that is killed and run again writes the same once more; images have
derived names, so that what was copied is overwritten by itself or found to be there.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.keys import (
    IMAGES,
    IMPORTED_LINES,
    IMPORTS,
    REPLACED_IMAGES,
)
from custom_labels.core.records import parse
from custom_labels.core.settings import Project
from custom_labels.datasets.annotations.annotation import Code, shown
from custom_labels.datasets.annotations.kinds import KINDS
from custom_labels.datasets.imports.fitting import fit
from custom_labels.datasets.imports.import_work import (
    Fate,
    ImportBatch,
    ImportCounts,
    ImportItem,
    ImportReport,
    ImportTally,
    InspectedItem,
    OnConflict,
)
from custom_labels.datasets.imports.inspection_records import Inspection
from custom_labels.datasets.imports.mapping import LabelMapping
from custom_labels.datasets.imports.present_records import Present, list_present
from custom_labels.datasets.imports.source import Found, ImportCode, SourceItem, Unusable
from custom_labels.datasets.imports.source_records import place_of
from custom_labels.datasets.label_names import merge_folders
from custom_labels.datasets.listing_records import find_folders
from custom_labels.datasets.manifest import annotated_line
from custom_labels.s3.errors import CHANGED, MISSING, REFUSED, error_code
from custom_labels.s3.line_files import read_lines, write_lines
from custom_labels.s3.store import S3Store

BATCH_IMAGES = 1_000
THREADS = 16
Item = TypeVar("Item")
Listed = Callable[[str], tuple[str, int] | None]
Result = TypeVar("Result")


@dataclass(frozen=True)
class ImportFiles:
    """The files of one import, relative to the project's prefix."""

    name: str

    @property
    def report(self) -> str:
        """What it did."""
        return f"{IMPORTS}{self.name}/report.json"

    @property
    def present(self) -> str:
        """What the project had when it began."""
        return f"{IMPORTS}{self.name}/present.sqlite"

    @property
    def skipped_folder(self) -> str:
        """Everything that was skipped, and why."""
        return f"{IMPORTS}{self.name}/skipped/"

    def skipped(self, part: str) -> str:
        """What was skipped in one of its parts."""
        return f"{self.skipped_folder}{part}.jsonl"

    def batch(self, batch: str) -> str:
        """Images that one task deals with."""
        return f"{IMPORTS}{self.name}/batches/{batch}.jsonl"

    def inspected(self, batch: str) -> str:
        """Images of a batch that are to be taken."""
        return f"{IMPORTS}{self.name}/inspected/{batch}.jsonl"

    def lines(self, batch: str) -> str:
        """The annotations of a batch."""
        return f"{IMPORTED_LINES}{self.name}/{batch}.manifest"


class Import:
    """One import into a project.

    :param store: the project's bucket and prefix.
    :param at: the moment of the import, which stands for dates that the source does not give.
    """

    def __init__(self, project: Project, store: S3Store, name: str, at: datetime) -> None:
        self.project = project
        self.store = store
        self.files = ImportFiles(name)
        self.at = at

    # -- the plan --------------------------------------------------------------------------------------

    def plan(
        self, items: Iterable[SourceItem], mapping: LabelMapping, listed: Listed = lambda _: None
    ) -> tuple[tuple[ImportBatch, ...], ImportCounts]:
        """Read a source, and share its images out in batches; what cannot be used is written down.

        Memory does not grow with the number of images. Doing it again writes the same.

        :param listed: gives ETag and size of an image that the source has just named, if its listing has them.
        """
        tally, batches = ImportTally(), list[ImportBatch]()
        with tempfile.TemporaryDirectory(prefix="custom-labels-") as name:
            folder = Path(name)
            list_present(self.store, self.project.task, folder / "present")
            self.store.upload(folder / "present", self.files.present)
            with (folder / "skipped").open("w", encoding="utf-8") as skipped, _Seen(folder / "seen") as seen:
                usable = self._usable(items, mapping, seen, tally, skipped.write)
                known = (_with(item, listed(item.annotation.source_ref)) for item in usable)
                while some := list(islice(known, BATCH_IMAGES)):
                    batch = ImportBatch(f"{len(batches):04d}")
                    write_lines(self.store, self.files.batch(batch.name), map(to_json, some))
                    batches.append(batch)
            if tally.codes:
                self.store.upload(folder / "skipped", self.files.skipped("plan"))
        return tuple(batches), tally.counts

    def _usable(
        self,
        items: Iterable[SourceItem],
        mapping: LabelMapping,
        seen: _Seen,
        tally: ImportTally,
        write: Callable[[str], Any],
    ) -> Iterator[ImportItem]:
        for item in items:
            prepared = self._prepare(item, mapping, seen) if isinstance(item, Found) else item
            if isinstance(prepared, Unusable):
                if not isinstance(item, Unusable) or not _is_part(item):
                    tally.fates[Fate.SKIPPED] += 1
                tally.skip(prepared)
                write(_line_of(prepared))
                continue
            for refusal in prepared.annotation.dropped:
                part = Unusable(prepared.where, refusal.code, refusal.detail)
                tally.skip(part)
                write(_line_of(part))
            yield ImportItem(prepared.where, replace(prepared.annotation, dropped=()))

    def _prepare(self, found: Found, mapping: LabelMapping, seen: _Seen) -> SourceItem:
        """Map the labels, and fit the annotation to what the project learns."""
        mapped = mapping.apply(found.annotation)
        if found.annotation.labels and not mapped.labels:
            detail = f"the label mapping drops {', '.join(map(ascii, found.annotation.labels[:5]))}"
            return Unusable(found.where, ImportCode.DROPPED_LABELS, detail)
        fitted = fit(replace(found, annotation=mapped), self.project.task)
        if isinstance(fitted, Found) and not seen.is_first(mapped.source_ref):
            detail = f"the source has said something about {shown(mapped.source_ref)} before"
            return Unusable(found.where, ImportCode.SAME_IMAGE_AGAIN, detail)
        return fitted

    # -- looking at the images -------------------------------------------------------------------------

    def inspect(self, batch: ImportBatch, on_conflict: OnConflict) -> ImportCounts:
        """Look at the images of a batch, and decide what becomes of each; nothing is taken yet."""
        tally = ImportTally()
        with tempfile.TemporaryDirectory(prefix="custom-labels-") as name:
            path = Path(name) / "present"
            self.store.download(self.files.present, path)
            with Present(path) as present:
                folders = {} if self.project.task.has_several else merge_folders(find_folders(self.store))
                look = Inspection(self.project, self.store, self.at, present, folders, on_conflict)
                found = _each(look.inspect, self._read(self.files.batch(batch.name), ImportItem))
        taken = [each for each in found if isinstance(each, InspectedItem)]
        skipped = [each for each in found if isinstance(each, Unusable)]
        for each in taken:
            tally.take(Fate.REPLACED if each.is_replacing else Fate.TAKEN, each.annotation)
        for one in skipped:
            tally.fates[Fate.SKIPPED] += 1
            tally.skip(one)
        tally.fates[Fate.THERE] += sum(each is Fate.THERE for each in found)
        if skipped:
            body = "".join(map(_line_of, skipped)).encode()
            self.store.call("put_object", self.files.skipped(f"inspected-{batch.name}"), Body=body)
        write_lines(self.store, self.files.inspected(batch.name), map(to_json, taken))
        return tally.counts

    # -- taking them -----------------------------------------------------------------------------------

    def take(self, batch: ImportBatch) -> ImportCounts:
        """Take the images of a batch: copy them, and write their lines; an image that was changed meanwhile stays."""
        items = self._read(self.files.inspected(batch.name), InspectedItem)
        tally, skipped = ImportTally(), list[Unusable]()
        lines: list[str] = []
        for item, trouble in zip(items, _each(self._take, items), strict=True):
            if trouble is not None:
                skipped.append(trouble)
                tally.fates[Fate.SKIPPED] += 1
                tally.skip(trouble)
                continue
            tally.take(Fate.REPLACED if item.is_replacing else Fate.TAKEN, item.annotation)
            if self.project.task.has_several:
                uri = item.annotation.source_ref if item.target is None else self.store.uri(item.target)
                lines.append(annotated_line(uri, KINDS[self.project.task].body(item.annotation)))
        if lines:
            body = "".join(f"{line}\n" for line in lines).encode()
            self.store.call("put_object", self.files.lines(batch.name), Body=body, ContentType="application/x-ndjson")
        if skipped:
            body = "".join(map(_line_of, skipped)).encode()
            self.store.call("put_object", self.files.skipped(f"taken-{batch.name}"), Body=body)
        return tally.counts

    def _take(self, item: InspectedItem) -> Unusable | None:
        trouble = None if item.target is None else self._copy(item, item.target)
        if trouble is None:
            for key in item.older:
                self._move_aside(key)
        return trouble

    def _copy(self, item: InspectedItem, target: str) -> Unusable | None:
        bucket, key = place_of(item.annotation.source_ref)
        try:
            self.store.call(
                "copy_object",
                target,
                expect=CHANGED | MISSING | REFUSED,
                CopySource={"Bucket": bucket, "Key": key},
                CopySourceIfMatch=f'"{item.etag}"',
                # A lifecycle rule may go by the tags of what it was.
                TaggingDirective="REPLACE",
            )
        except ClientError as error:
            is_change = error_code(error) in CHANGED | MISSING
            if is_change and self.store.exists(target):
                # An earlier try copied it: the key is made of the ETag. Its source may be what that moved aside.
                return None
            why = self.store.explain("copy_object", target, error)
            code = ImportCode.IMAGE_CHANGED if is_change else ImportCode.IMAGE_REFUSED
            return Unusable(item.where, code, f"{shown(item.annotation.source_ref)} cannot be copied: {why}")
        return None

    def _move_aside(self, key: str) -> None:
        """Move an image out of its label's folder; if it is gone, an earlier try has moved it."""
        aside = f"{REPLACED_IMAGES}{self.files.name}/{key.removeprefix(IMAGES)}"
        source = {"Bucket": self.store.bucket, "Key": self.store.key(key)}
        try:
            self.store.call("copy_object", aside, expect=MISSING, CopySource=source)
        except ClientError:
            return
        self.store.call("delete_object", key)

    # -- the report ------------------------------------------------------------------------------------

    def write_report(self, report: ImportReport) -> None:
        """Write what was done."""
        body = (json.dumps(to_json(report), indent=1, ensure_ascii=False) + "\n").encode()
        self.store.call("put_object", self.files.report, Body=body, ContentType="application/json")

    @property
    def skipped_uri(self) -> str:
        """Where all that was skipped is listed."""
        return self.store.uri(self.files.skipped_folder)

    def _read(self, key: str, kind: type[Item]) -> list[Item]:
        file = read_lines(self.store, key)
        return [from_json(kind, each) for each in file.records] if file else []


def read_report(store: S3Store, name: str) -> ImportReport | None:
    """Read the report of an import, ``None`` if there is none."""
    key = ImportFiles(name).report
    value, _ = store.read_json(key)
    return None if value is None else parse(store, key, ImportReport, value)


class _Seen:
    """The images that a source has named, in a local file: memory does not grow with their number."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        self._database.execute("CREATE TABLE seen (uri BLOB PRIMARY KEY) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def __enter__(self) -> _Seen:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def is_first(self, uri: str) -> bool:
        """Note an image; give whether it was not named before."""
        digest = hashlib.sha256(uri.encode(errors="surrogatepass")).digest()[:16]
        with closing(self._database.execute("INSERT OR IGNORE INTO seen VALUES (?)", (digest,))) as done:
            return done.rowcount == 1


def _with(item: ImportItem, listed: tuple[str, int] | None) -> ImportItem:
    return item if listed is None else replace(item, etag=listed[0], size=listed[1])


def _is_part(each: Unusable) -> bool:
    """Whether what cannot be used is a part of an image, such as one of its boxes."""
    return each.code in _PARTS


_BAD_BOXES = (Code.INVALID_BOUNDING_BOX, Code.BOUNDING_BOX_TOO_SMALL)
_PARTS = frozenset({ImportCode.UNSUPPORTED_SHAPE, ImportCode.UNKNOWN_CLASS, *_BAD_BOXES})


def _line_of(each: Unusable) -> str:
    return json.dumps({"where": each.where, "code": each.code, "detail": each.detail}) + "\n"


def _each(action: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(action, items))
