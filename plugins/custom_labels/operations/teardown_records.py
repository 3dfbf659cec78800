"""What lies in S3 of a project that is taken away: how much it is, and how it is deleted in bounded batches."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from custom_labels.core.keys import INBOX, OWN_FOLDERS, UNLABELED
from custom_labels.core.lock_records import DEPLOYMENT_LOCK, LOCK
from custom_labels.core.registry import OWNER, last_run_key
from custom_labels.operations.teardown import Stored
from custom_labels.s3.errors import StorageError
from custom_labels.s3.pages import pages
from custom_labels.s3.store import S3Store
from custom_labels.training.training_records import TRAININGS

log = logging.getLogger(__name__)

FOLDERS = (*OWN_FOLDERS, INBOX, UNLABELED)
"""The folders that are a project's own; what lies beside them in its bucket and prefix is never touched."""


class Storage:
    """The objects of a project.

    :param store: the project's bucket and prefix.
    :param dag_id: of the teardown, whose last outcome stays.
    """

    def __init__(self, store: S3Store, dag_id: str) -> None:
        self.store = store
        self.kept = frozenset({OWNER, TRAININGS.key, LOCK, DEPLOYMENT_LOCK, last_run_key(dag_id)})
        """What stays: whose place it is, that the project was taken away, and how that ended."""

    def count(self, *, with_kept: bool = True) -> Stored:
        """Count the objects below the project's own folders: a call for a thousand of them, of which a page is held.

        :param with_kept: count also those that are never deleted.
        """
        objects = size = 0
        for folder in self._folders():
            for page in pages(self.store, folder):
                for key, length in zip(page.keys, page.sizes, strict=True):
                    if with_kept or key.decode() not in self.kept:
                        objects, size = objects + 1, size + int(length)
        return Stored(objects, size)

    def delete(self) -> Stored:
        """Delete the objects below the project's own folders, a thousand a call; a second run deletes the rest.

        In a bucket with versioning every version goes, and the marks of what was deleted before: an object that only
        got such a mark is stored, and billed, on.

        :return: what was deleted, with all versions.
        :raises StorageError: S3 refused some of it.
        """
        objects = size = 0
        has_versions = self._has_versions()
        for folder in self._every_folder(has_versions=has_versions):
            for batch, length in self._versions(folder) if has_versions else self._objects(folder):
                if batch:
                    self._delete(folder, batch)
                objects, size = objects + len(batch), size + length
            log.info("%s: nothing is left; %s deleted so far.", self.store.uri(folder), Stored(objects, size).words)
        return Stored(objects, size)

    def _folders(self) -> list[str]:
        """Name the project's own folders that are there."""
        found = {folder for page in pages(self.store, "", delimiter="/") for folder in page.folders}
        return [folder for folder in FOLDERS if folder in found]

    def _every_folder(self, *, has_versions: bool) -> list[str]:
        # A folder of which only old versions are left is not listed. The records go last: they say what was there.
        folders = [*FOLDERS] if has_versions else self._folders()
        return sorted(folders, key=lambda folder: folder == "registry/")

    def _has_versions(self) -> bool:
        client, bucket = self.store.client, self.store.bucket
        answer = self.store.patiently(lambda: client.get_bucket_versioning(Bucket=bucket), "get_bucket_versioning", "")
        return answer.get("Status") is not None

    def _objects(self, folder: str) -> Iterator[tuple[list[Any], int]]:
        for page in pages(self.store, folder):
            found = [(key.decode(), int(length)) for key, length in zip(page.keys, page.sizes, strict=True)]
            found = [each for each in found if each[0] not in self.kept]
            yield [{"Key": self.store.key(key)} for key, _ in found], sum(length for _, length in found)

    def _versions(self, folder: str) -> Iterator[tuple[list[Any], int]]:
        client, bucket, prefix = self.store.client, self.store.bucket, self.store.key(folder)
        kept = {self.store.key(key) for key in self.kept}
        after: dict[str, Any] = {}
        while True:

            def listed(after: dict[str, Any] = after) -> Any:
                return client.list_object_versions(Bucket=bucket, Prefix=prefix, **after)

            page = self.store.patiently(listed, "list_object_versions", folder)
            found = [
                each for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())) if each["Key"] not in kept
            ]
            batch = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]
            yield batch, sum(each.get("Size", 0) for each in found)
            if not page.get("IsTruncated"):
                return
            # What is listed first is what is left by now; a page of nothing but what stays is passed over.
            markers = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}
            after = after if batch else markers

    def _delete(self, folder: str, batch: list[Any]) -> None:
        client, bucket = self.store.client, self.store.bucket
        answer = self.store.patiently(
            lambda: client.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True}),
            "delete_objects",
            folder,
        )
        if refused := answer.get("Errors"):
            first = refused[0]
            raise StorageError(
                f"S3 refused to delete {len(refused)} of {len(batch)} objects of {self.store.uri(folder)}, the first "
                f"s3://{bucket}/{first.get('Key')} with {first.get('Code')}: {first.get('Message')}. "
                f"{self.store.subject(folder).setting}; allow s3:DeleteObject and, with versioning, "
                "s3:DeleteObjectVersion on it (the template in include/infra does so with TeardownMayDelete), then "
                "clear this task: what is deleted stays deleted, and it goes on with the rest."
            )
