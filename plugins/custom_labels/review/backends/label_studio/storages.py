"""How a project at Label Studio reaches S3: images by links that expire, and answers as objects below one prefix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from custom_labels.core.connections import read_access_key
from custom_labels.core.keys import LABEL_STUDIO_ANSWERS
from custom_labels.core.settings import Project
from custom_labels.review.backends.base import ReviewBackendError, ReviewBackendNotReady
from custom_labels.review.backends.label_studio.client import LabelStudioClient
from custom_labels.review.backends.label_studio.project_file import LabelStudioPart
from custom_labels.review.backends.registry import review_of
from custom_labels.s3.store import S3Store

TITLE = "custom-labels"
"""Title of the storages, by which they are found again."""
IMAGES_PATH, ANSWERS_PATH = "/api/storages/s3", "/api/storages/export/s3"


@dataclass(frozen=True)
class Storages:
    """The storages of a project's projects.

    :param project: the project, with a ``review`` part.
    """

    project: Project
    store: S3Store
    client: LabelStudioClient

    @property
    def part(self) -> LabelStudioPart:
        """What the project file says to Label Studio."""
        return review_of(self.project).part_of(LabelStudioPart)

    def ensure(self, project_id: int) -> None:
        """Make the storages of a project at Label Studio, or bring those that are there up to date.

        Nothing is ever read from the bucket by the first one but the image of a task, by a link that expires.

        :raises ReviewBackendNotReady: Label Studio does not reach the bucket.
        """
        self._put(
            IMAGES_PATH,
            project_id,
            {"use_blob_urls": True, "presign": True, "presign_ttl": self.part.link_minutes, "recursive_scan": False},
        )
        if self.part.answers_to_s3:
            prefix = self.store.key(LABEL_STUDIO_ANSWERS).rstrip("/")
            self._put(ANSWERS_PATH, project_id, {"prefix": prefix, "can_delete_objects": False})
        else:
            self._delete(ANSWERS_PATH, project_id)

    def missing(self, project_id: int) -> list[str]:
        """Say which storages a project at Label Studio lacks."""
        wanted = {IMAGES_PATH: "images"} | ({ANSWERS_PATH: "answers"} if self.part.answers_to_s3 else {})
        return [what for path, what in wanted.items() if not self._find(path, project_id)]

    def has_any(self, project_id: int) -> bool:
        """Whether a project at Label Studio has storages of ours."""
        return any(self._find(path, project_id) for path in (IMAGES_PATH, ANSWERS_PATH))

    def remove(self, project_id: int) -> None:
        """Take the storages away; nothing in the bucket is touched."""
        for path in (IMAGES_PATH, ANSWERS_PATH):
            self._delete(path, project_id)

    def _find(self, path: str, project_id: int) -> list[int]:
        found = self.client.get(path, {"project": project_id})
        return [each["id"] for each in found if each.get("title") == TITLE and each.get("bucket") == self.store.bucket]

    def _delete(self, path: str, project_id: int) -> None:
        for each in self._find(path, project_id):
            self.client.delete(f"{path}/{each}")

    def _put(self, path: str, project_id: int, body: Mapping[str, Any]) -> None:
        present = self._find(path, project_id)
        whole = {"project": project_id, "title": TITLE, "bucket": self.store.bucket, **self._access(), **body}
        try:
            if present:
                self.client.patch(f"{path}/{present[0]}", whole)
            else:
                self.client.post(path, whole)
        except ReviewBackendError as error:
            raise ReviewBackendNotReady(
                f"Label Studio does not reach s3://{self.store.bucket} with {self._words}: {error} It needs "
                "s3:ListBucket of the bucket, s3:GetObject of its images, and s3:PutObject below "
                f"{self.store.key(LABEL_STUDIO_ANSWERS)}. Correct 'review.label_studio' in {self.project.name}.yaml "
                "(storage_conn_id, s3_endpoint), or give the role of the machine that Label Studio runs on that "
                "access; its log has the reason where it gives none."
            ) from error

    def _access(self) -> dict[str, Any]:
        """Give how Label Studio signs in to S3; an access key that it has stays where none is named."""
        access: dict[str, Any] = {"region_name": self.project.region_name, "s3_endpoint": self.part.s3_endpoint}
        if self.part.storage_conn_id:
            key = read_access_key(self.part.storage_conn_id, "review.label_studio.storage_conn_id")
            access |= {"aws_access_key_id": key.id, "aws_secret_access_key": key.secret}
        return {name: value for name, value in access.items() if value is not None}

    @property
    def _words(self) -> str:
        named = self.part.storage_conn_id
        key = f"the access key of the Airflow connection '{named}'" if named else "an access or role of its own"
        return f"{key}{f' at {self.part.s3_endpoint}' if self.part.s3_endpoint else ''}"
