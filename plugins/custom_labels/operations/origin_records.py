"""Where an image and its label come from: a review, an import, or its folder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from custom_labels.core.codec import from_json
from custom_labels.core.keys import IMAGES, IMPORTED_LINES, IMPORTS, INBOX
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.imports.import_records import ImportFiles, read_report
from custom_labels.datasets.imports.import_work import ImportReport, InspectedItem
from custom_labels.operations.lineage import Origin, OriginKind, Present
from custom_labels.review.harvest import HarvestedReview
from custom_labels.s3.line_files import LineFile, list_keys, read_files
from custom_labels.s3.pages import pages
from custom_labels.s3.store import S3Store

_UPLOADS = f"{IMPORTS}uploads/"
_NAMED_BY_IMPORT = re.compile(r"-[0-9a-f]{12}(\.[A-Za-z]+)?$")
"""How the names of copies end that an import made, see :func:`custom_labels.core.keys.imported_name`."""


def find_origin(
    store: S3Store, task: ProjectTask, key: str, present: Present | None, reviews: Iterable[HarvestedReview]
) -> Origin:
    """Find out where an image and its label come from.

    Of an image that neither a review nor an import knows only its place and its date say anything.

    :param key: relative to the project's prefix.
    :param present: the object, ``None`` where it is gone.
    :param reviews: that are about it.
    :raises StorageError: S3 refused, or a file of an import is damaged.
    """
    if present and present.review:
        source = present.source_key
        sentence = f"a copy of {source or 'an image of the inbox'}, by people's answers to review {present.review}"
        return Origin(OriginKind.REVIEW, sentence, source, present.review)
    for review in reviews:
        if review.target == key and review.request is not None:
            sentence = f"a copy of {review.request.key}, by people's answers to review {review.review}"
            return Origin(OriginKind.REVIEW, sentence, review.request.key, review.review)
    if not key.startswith(INBOX) and (imported := _find_import(store, task, key)):
        return imported
    if present is None:
        return Origin(OriginKind.UNKNOWN, "not known: there is no such object any more, and no record of how it came")
    if key.startswith(INBOX):
        return Origin(OriginKind.INBOX, f"dropped into the inbox, last modified {present.last_modified}")
    label, slash, _ = key.removeprefix(IMAGES).partition("/")
    place = f"found in the folder of '{label}'" if key.startswith(IMAGES) and slash else "found in the bucket"
    return Origin(OriginKind.FOLDER, f"{place}, last modified {present.last_modified}")


def _find_import(store: S3Store, task: ProjectTask, key: str) -> Origin | None:
    """Find the last import that took an image, or said something of it."""
    if task.has_several:
        return _find_line(store, key)
    return _find_copy(store, key) if _NAMED_BY_IMPORT.search(key) else None


def _find_line(store: S3Store, key: str) -> Origin | None:
    """Find the newest line of an import about an image; lines are written only for what is taken."""
    uri = store.uri(key)
    names = [each for page in list_keys(store, IMPORTED_LINES) for each in page]
    for file in read_files(store, reversed(names)):
        if any(line.get("source-ref") == uri for line in file.records):
            name, _, batch = file.key.removeprefix(IMPORTED_LINES).removesuffix(".manifest").partition("/")
            inspected = read_files(store, [ImportFiles(name).inspected(batch)])
            return _origin(store, name, read_report(store, name), next(_items(inspected, key, uri), None))
    return None


def _find_copy(store: S3Store, key: str) -> Origin | None:
    """Find the import that made a copy; its name is derived, so that there is one at most."""
    uri = store.uri(key)
    folders = [folder for page in pages(store, IMPORTS, delimiter="/") for folder in page.folders]
    for folder in reversed(folders):
        if folder == _UPLOADS:
            continue
        name = folder.removeprefix(IMPORTS).removesuffix("/")
        report = read_report(store, name)
        if report is None or report.is_dry_run:
            continue
        batches = (each for page in list_keys(store, f"{folder}inspected/") for each in page)
        for item in _items(read_files(store, batches), key, uri):
            return _origin(store, name, report, item)
    return None


def _items(files: Iterable[LineFile], key: str, uri: str) -> Iterator[InspectedItem]:
    """Give what an import was to take as an image: a copy under its key, or the image where it is."""
    for file in files:
        for record in file.records:
            annotation = record.get("annotation") or {}
            is_there = record.get("target") is None and annotation.get("source_ref") == uri
            if record.get("target") == key or is_there:
                yield from_json(InspectedItem, record)


def _origin(store: S3Store, name: str, report: ImportReport | None, item: InspectedItem | None) -> Origin:
    source = item.annotation.source_ref if item else ""
    what = f" of {source}" if source and source != store.uri() else ""
    where = f", {item.where}" if item and item.where else ""
    when = f", {report.at.isoformat()}, from {report.source}" if report else ""
    return Origin(OriginKind.IMPORT, f"taken by import {name}{when}{what}{where}", source, name)
