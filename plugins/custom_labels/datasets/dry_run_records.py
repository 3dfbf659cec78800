"""A project's place in S3 for a dry run: what is there is read, what would be written stays on this machine."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any, NoReturn

from custom_labels.s3.errors import StorageError
from custom_labels.s3.store import S3Store

READING = frozenset({"GetObject", "HeadBucket", "HeadObject", "ListObjectsV2"})
"""The operations of S3 that a dry run may call."""


class DryRunStore(S3Store):
    """Does all that an :class:`S3Store` does, and changes nothing in S3.

    Writes go to a local folder, and reads look there first, so that the very same code runs in a dry run. Listings show
    the bucket as it is, without what the dry run wrote. Any other operation that would change S3 is refused before
    it is sent, wherever in the code it comes from.

    :param store: the place that is read.
    :param folder: an empty local folder.
    """

    def __init__(self, store: S3Store, folder: Path) -> None:
        super().__init__(
            store.bucket, store.prefix, store.aws_conn_id, store.region_name, store.verify, store.botocore_config
        )
        self.folder = folder

    def _connect(self) -> Any:
        client = super()._connect()
        client.meta.events.register("before-call.s3", _refuse_writing)
        return client

    # -- reading -----------------------------------------------------------------------------------

    def read_bytes(self, relative: str, *, expect: frozenset[str] = frozenset(), **more: Any) -> tuple[bytes, Any]:
        """Read an object as :meth:`S3Store.read_bytes` does."""
        path = self._place(relative)
        if path.exists():
            return path.read_bytes(), self._describe(path)
        if self._is_deleted(relative):
            self._refuse("NoSuchKey", "get_object", relative, expect)
        return super().read_bytes(relative, expect=expect, **more)

    def download(self, relative: str, path: Path) -> bool:
        """Copy an object to a local file as :meth:`S3Store.download` does."""
        place = self._place(relative)
        if place.exists():
            shutil.copyfile(place, path)
            return True
        return not self._is_deleted(relative) and super().download(relative, path)

    def exists(self, relative: str) -> bool:
        """Whether there is such an object, or would be."""
        return self._place(relative).exists() or (not self._is_deleted(relative) and super().exists(relative))

    # -- what would be written ---------------------------------------------------------------------

    def call(self, operation: str, relative: str = "", *, expect: frozenset[str] = frozenset(), **more: Any) -> Any:
        """Do to the local folder what an operation would do to the bucket, or ask the bucket."""
        path = self._place(relative)
        if operation == "put_object":
            return self._put_object(relative, expect, **more)
        if operation == "delete_object":
            path.unlink(missing_ok=True)
            self._mark(relative).touch()
            return {}
        if operation == "head_object" and path.exists():
            return self._describe(path)
        if operation == "head_object" and self._is_deleted(relative):
            self._refuse("404", operation, relative, expect)
        return super().call(operation, relative, expect=expect, **more)

    def upload(self, path: Path, relative: str, sha256: str) -> str:
        """Keep a copy of a local file where reads find it; give the ETag that one PUT would give it."""
        place = self._place(relative)
        shutil.copyfile(path, place)
        place.with_suffix(".sha256").write_text(sha256)
        self._mark(relative).unlink(missing_ok=True)
        return str(self._describe(place)["ETag"]).strip('"')

    def _put_object(
        self,
        relative: str,
        expect: frozenset[str],
        *,
        Body: bytes,  # noqa: N803 - as boto3 names it
        IfMatch: str | None = None,  # noqa: N803
        IfNoneMatch: str | None = None,  # noqa: N803
        **_: Any,
    ) -> dict[str, Any]:
        if IfMatch or IfNoneMatch:
            present = self.read_json(relative)[1]
            if (IfNoneMatch and present) or (IfMatch and present != IfMatch):
                self._refuse("PreconditionFailed", "put_object", relative, expect)
        place = self._place(relative)
        place.write_bytes(Body)
        place.with_suffix(".sha256").unlink(missing_ok=True)
        self._mark(relative).unlink(missing_ok=True)
        return self._describe(place)

    # -- the local folder --------------------------------------------------------------------------

    def _place(self, relative: str) -> Path:
        return self.folder / hashlib.sha256(relative.encode()).hexdigest()

    def _mark(self, relative: str) -> Path:
        return self._place(relative).with_suffix(".deleted")

    def _is_deleted(self, relative: str) -> bool:
        return self._mark(relative).exists()

    def _describe(self, path: Path) -> dict[str, Any]:
        sha256 = path.with_suffix(".sha256")
        with path.open("rb") as file:
            etag = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        return {
            "ETag": f'"{etag}"',
            "ContentLength": path.stat().st_size,
            "Metadata": {"sha256": sha256.read_text()} if sha256.exists() else {},
        }

    def _refuse(self, code: str, operation: str, relative: str, expect: frozenset[str]) -> NoReturn:
        """Answer as S3 would."""
        from botocore.exceptions import ClientError

        def refuse() -> NoReturn:
            raise ClientError({"Error": {"Code": code, "Message": "in a dry run"}}, operation)

        self.patiently(refuse, operation, relative, expect)
        raise AssertionError("a refusal is never answered")


def _refuse_writing(model: Any, params: dict[str, Any], **_: Any) -> None:
    """Stop a call that would change something (botocore's event ``before-call``)."""
    if model.name not in READING:
        raise StorageError(
            f"A dry run was about to call {model.name} on {params.get('url', 'S3')}: it may read only, so the call was "
            "not sent. Trigger the DAG without 'dry_run' to let it write."
        )
