"""What becomes of an image that an import found: taken, there already, or skipped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from botocore.exceptions import ClientError

from custom_labels.core.keys import IMPORTED_IMAGES, imported_name, label_folder, may_be_image, why_no_folder
from custom_labels.core.project_task import ProjectTask
from custom_labels.core.settings import Project
from custom_labels.datasets.annotations.annotation import Annotation, Code, Provenance, shown
from custom_labels.datasets.annotations.kinds import KINDS
from custom_labels.datasets.images import MAXIMUM_BYTES
from custom_labels.datasets.imports.import_work import Fate, ImportItem, InspectedItem, OnConflict
from custom_labels.datasets.imports.present_records import Present
from custom_labels.datasets.imports.source import UNDATED, ImportCode, Unusable
from custom_labels.datasets.imports.source_records import bucket_store, place_of
from custom_labels.datasets.label_names import existing_folder, readable_name
from custom_labels.datasets.manifest import MAXIMUM_LINE, annotated_line
from custom_labels.s3.errors import DENIED, MISSING, error_code
from custom_labels.s3.store import S3Store

_MOMENT = "%Y-%m-%dT%H:%M:%S.%f"


class Inspection:
    """Looks at images of a batch, by several threads at once.

    :param at: the moment of the import.
    :param present: what the project has.
    :param folders: of labels, by the names that people read.
    """

    def __init__(
        self,
        project: Project,
        store: S3Store,
        at: datetime,
        present: Present,
        folders: Mapping[str, tuple[str, ...]],
        on_conflict: OnConflict,
    ) -> None:
        self.project = project
        self.store = store
        self.at = at
        self.present = present
        self.folders = folders
        self.on_conflict = on_conflict
        self._stores: dict[str, S3Store] = {}

    def inspect(self, item: ImportItem) -> InspectedItem | Fate | Unusable:
        """Decide what becomes of an image."""
        bucket, key = place_of(item.annotation.source_ref)
        if not may_be_image(key):
            detail = f"{shown(item.annotation.source_ref)} is no image by its name"
            return Unusable(item.where, ImportCode.OTHER_FILE, detail)
        found = (item.etag, item.size) if item.etag else self._look(item, bucket, key)
        if isinstance(found, tuple):
            found = _why_not(item, found[1]) or found
        if isinstance(found, Unusable):
            return found
        etag, size = found
        own = key.removeprefix(self.store.prefix) if bucket == self.store.bucket else None
        if own is not None and not key.startswith(self.store.prefix):
            own = None
        if self.project.task is ProjectTask.IMAGE_CLASSIFICATION:
            return self._in_folder(item, own, etag, size)
        return self._with_line(item, own, etag)

    def _look(self, item: ImportItem, bucket: str, key: str) -> tuple[str, int] | Unusable:
        """Give the ETag and the size of an image, or say why S3 does not."""
        store = self._stores.setdefault(bucket, bucket_store(self.project, bucket))
        try:
            answer = store.call("head_object", key, expect=MISSING | DENIED | frozenset({"400", "NoSuchBucket"}))
        except ClientError as error:
            if error_code(error) in MISSING | {"NoSuchBucket"}:
                detail = f"there is no object {shown(item.annotation.source_ref)}"
                return Unusable(item.where, ImportCode.IMAGE_NOT_FOUND, detail)
            detail = str(store.explain("head_object", key, error))
            return Unusable(item.where, ImportCode.IMAGE_REFUSED, detail)
        return str(answer["ETag"]).strip('"'), int(answer["ContentLength"])

    def _in_folder(self, item: ImportItem, own: str | None, etag: str, size: int) -> InspectedItem | Fate | Unusable:
        """Decide about an image that goes into the folder of its label."""
        (label,) = item.annotation.labels
        target = label_folder(existing_folder(label, self.folders)) + imported_name(item.annotation.source_ref, etag)
        if why := why_no_folder(label, self.store.key(target)):
            return Unusable(item.where, ImportCode.NO_FOLDER, why)
        by_key = [self.present.image(own)] if own else []
        there = [*filter(None, by_key), *self.present.same_content(etag, size)]
        older = tuple(dict.fromkeys(each.key for each in there if each.label != readable_name(label)))
        if not older:
            return Fate.THERE if there else InspectedItem(item.where, item.annotation, etag, target)
        if self.on_conflict is not OnConflict.REPLACE:
            detail = f"the project has it as {shown(older[0])}, and the source says {shown(label)}"
            return Unusable(item.where, ImportCode.CONFLICT, detail)
        return InspectedItem(item.where, item.annotation, etag, target, older, is_replacing=True)

    def _with_line(self, item: ImportItem, own: str | None, etag: str) -> InspectedItem | Fate | Unusable:
        """Decide about an image that gets a line of annotations; one of the project itself stays where it is."""
        name = f"{IMPORTED_IMAGES}{imported_name(item.annotation.source_ref, etag)}"
        key, target = (own, None) if own else (name, name)
        annotation = item.annotation
        if annotation.created == UNDATED:
            annotation = _dated(annotation, self.at)
        if len(annotated_line(self.store.uri(key), KINDS[self.project.task].body(annotation))) > MAXIMUM_LINE:
            detail = f"its line has more than {MAXIMUM_LINE:,} characters in a manifest"
            return Unusable(item.where, Code.INVALID_JSON_LINE, detail)
        there = self.present.line(key)
        if there is None:
            return InspectedItem(item.where, annotation, etag, target)
        if there.digest == annotation.digest:
            return Fate.THERE
        if self.on_conflict is not OnConflict.REPLACE:
            detail = f"the project has other labels or boxes for {shown(self.store.uri(key))}"
            return Unusable(item.where, ImportCode.CONFLICT, detail)
        # Of several lines about an image the newest counts: this one is, since it was decided just now.
        if annotation.created <= there.created:
            annotation = _dated(annotation, self.at)
        return InspectedItem(item.where, annotation, etag, target, is_replacing=True)


def _why_not(item: ImportItem, size: int) -> Unusable | None:
    """Say why an image of this many bytes is none that Custom Labels takes."""
    if size == 0:
        return Unusable(item.where, ImportCode.EMPTY_IMAGE, f"{shown(item.annotation.source_ref)} has no content")
    if size > MAXIMUM_BYTES:
        detail = f"{shown(item.annotation.source_ref)} has {size:,} bytes: expected at most {MAXIMUM_BYTES:,}"
        return Unusable(item.where, ImportCode.IMAGE_TOO_LARGE, detail)
    return None


def _dated(annotation: Annotation, at: datetime) -> Annotation:
    moment = at.astimezone(UTC)
    kept = annotation.provenance
    dated = Provenance(moment.strftime(_MOMENT), kept.human_annotated, kept.job)
    return replace(annotation, provenance=dated, created=moment)
