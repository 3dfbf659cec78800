"""A bucket and prefix in S3: JSON objects with compare-and-set, files, and errors that name the way out."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from custom_labels.errors import CustomLabelsError
from custom_labels.s3.errors import (
    CHANGED,
    MISSING,
    ObjectChanged,
    ObjectExists,
    StorageError,
    Subject,
    error_code,
    is_passing,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["ObjectChanged", "ObjectExists", "S3Store", "StorageError", "to_json_bytes"]

Result = TypeVar("Result")

PATIENCE_SECONDS = 120.0
"""How long a throttled call is repeated after botocore itself has given up.

botocore's standard mode shares one retry quota among all calls of a client. A burst of thousands of small
reads under heavy throttling uses it up, and botocore then fails at the first refusal; only time helps.
"""
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 5.0
ATTEMPTS = 10
CONNECTIONS = 64
"""Connections that the client keeps: more than the threads of any caller."""
PART_BYTES = 8 * 1024 * 1024


class S3Store:
    """A bucket and prefix, with one client for all threads; the client is made at its first use.

    :param bucket: the bucket.
    :param prefix: what all keys begin with; empty, or ending in a slash (one is added).
    :param aws_conn_id: the Airflow connection; likewise ``region_name`` and ``verify``.
    :param botocore_config: keywords for a botocore ``Config``, over this store's own (standard retries, 10
        attempts).
    :param configured_in: where the user sets these, for the words of an error; empty if that is not known.
    """

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        verify: bool | str | None = None,
        botocore_config: Mapping[str, Any] | None = None,
        configured_in: str = "",
    ) -> None:
        self.bucket = bucket
        self.prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name
        self.verify = verify
        self.botocore_config = dict(botocore_config or {})
        self.configured_in = configured_in
        self._client: S3Client | None = None
        self._lock = threading.Lock()

    @property
    def client(self) -> S3Client:
        """The boto3 client, made from the Airflow connection."""
        with self._lock:
            if self._client is None:
                self._client = self._connect()
            return self._client

    @client.setter
    def client(self, client: S3Client) -> None:
        self._client = client

    def _connect(self) -> S3Client:
        from airflow.providers.amazon.aws.hooks.s3 import S3Hook
        from botocore.config import Config

        hook = S3Hook(
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            config=Config(**self.botocore_config) if self.botocore_config else None,
        )
        ours = Config(retries={"mode": "standard", "total_max_attempts": ATTEMPTS}, max_pool_connections=CONNECTIONS)
        # hook.config is what was given, else the connection's config_kwargs; either beats ours, option by option.
        client: S3Client = hook.get_client_type(region_name=hook.region_name, config=ours.merge(hook.config))
        return client

    def key(self, relative: str) -> str:
        """Give the whole key of something below the prefix."""
        return self.prefix + relative

    def uri(self, relative: str = "") -> str:
        """Give its S3 URI."""
        return f"s3://{self.bucket}/{self.key(relative)}"

    def call(self, operation: str, relative: str = "", *, expect: frozenset[str] = frozenset(), **more: Any) -> Any:
        """Call an operation of the client on this bucket, patiently, and give its answer.

        :param operation: the client's method, such as ``get_object``.
        :param relative: what it is about; passed as ``Key`` unless the operation is a listing.
        :param expect: error codes that the caller knows what to do about.
        :raises botocore.exceptions.ClientError: with one of the expected codes.
        :raises StorageError: with any other, or when S3 could not be reached.
        """
        named = {} if operation.startswith("list_objects") else {"Key": self.key(relative)}
        method = getattr(self.client, operation)
        return self.patiently(lambda: method(Bucket=self.bucket, **named, **more), operation, relative, expect)

    def patiently(
        self, action: Callable[[], Result], operation: str, relative: str, expect: frozenset[str] = frozenset()
    ) -> Result:
        """Do something with S3, again if it is throttled, and translate its errors as :meth:`call` does."""
        from botocore.exceptions import BotoCoreError, ClientError

        patient = Retrying(
            retry=retry_if_exception(is_passing),
            wait=wait_random_exponential(FIRST_PAUSE, LONGEST_PAUSE),
            stop=stop_after_delay(PATIENCE_SECONDS),
            reraise=True,
        )
        try:
            return patient(action)
        except (BotoCoreError, ClientError) as error:
            if isinstance(error, ClientError) and error_code(error) in expect:
                raise
            raise self.explain(operation, relative, error) from error

    def explain(self, operation: str, relative: str, error: BaseException) -> StorageError:
        """Put an error of S3 into words, with what it is about and the way out."""
        return self.subject(relative).error(operation, error)

    def subject(self, relative: str) -> Subject:
        """Give what an operation is about, for the words of its error."""
        return Subject(self.uri(relative), self.bucket, self.aws_conn_id, self.configured_in)

    def bucket_region(self) -> str | None:
        """Find the region that the bucket is in; ``None`` where a server of the S3 protocol does not say."""
        answer = self.patiently(lambda: self.client.head_bucket(Bucket=self.bucket), "head_bucket", "")
        return answer.get("BucketRegion") or None

    # --- JSON objects ---

    def read_bytes(self, relative: str, *, expect: frozenset[str] = frozenset(), **more: Any) -> tuple[bytes, Any]:
        """Read an object, or with ``Range`` a part of it, into memory.

        :return: the bytes and the whole answer of GetObject.
        """

        def read() -> tuple[bytes, Any]:
            answer = self.client.get_object(Bucket=self.bucket, Key=self.key(relative), **more)
            return answer["Body"].read(), answer

        return self.patiently(read, "get_object", relative, expect)

    def read_json(self, relative: str) -> tuple[Any, str | None]:
        """Read a JSON object and its ETag; ``(None, None)`` if there is none.

        :raises StorageError: it is no JSON, or S3 refused.
        """
        from botocore.exceptions import ClientError

        try:
            body, answer = self.read_bytes(relative, expect=MISSING)
        except ClientError:
            return None, None
        try:
            return json.loads(body), answer["ETag"]
        except ValueError as error:
            raise StorageError(
                f"{self.uri(relative)} is no JSON: {error}. Restore an earlier version of the object, or delete it."
            ) from error

    def create_json(self, relative: str, value: Any) -> str:
        """Write a JSON object that must not exist yet.

        If the answer of the write is lost, botocore repeats it and meets its own object; so an object that is
        there with the same content counts as written. Where two writers could write the same, the content
        must name them.

        :return: its ETag.
        :raises ObjectExists: there is one with another content.
        """
        return self._write_if(relative, value, {"IfNoneMatch": "*"}, ObjectExists)

    def replace_json(self, relative: str, value: Any, etag: str) -> str:
        """Write a JSON object in place of the one that was read with this ETag; repeated writes as in
        create_json.

        :return: its new ETag.
        :raises ObjectChanged: it is another by now, or gone.
        """
        return self._write_if(relative, value, {"IfMatch": etag}, ObjectChanged)

    def write_if_unchanged(self, relative: str, value: Any, etag: str | None) -> str:
        """Write a JSON object in place of what :meth:`read_json` gave: compare-and-set.

        :param etag: what it was read with, ``None`` where there was nothing.
        :return: its new ETag.
        :raises ObjectExists: there is one by now.
        :raises ObjectChanged: it is another by now, or gone.
        """
        if etag is None:
            return self.create_json(relative, value)
        return self.replace_json(relative, value, etag)

    def _write_if(self, relative: str, value: Any, condition: dict[str, str], refused: type[CustomLabelsError]) -> str:
        from botocore.exceptions import ClientError

        body = to_json_bytes(value)
        try:
            return self._put(relative, body, expect=CHANGED | MISSING, **condition)
        except ClientError as error:
            present, etag = self.read_json(relative)
            if etag is not None and to_json_bytes(present) == body:
                return etag
            raise refused(
                f"{self.uri(relative)} was written by another writer meanwhile ({error_code(error)}); ours was not "
                "written. Read it again and decide anew."
            ) from error

    def write_json(self, relative: str, value: Any) -> str:
        """Write a JSON object, whatever was there; give its ETag."""
        return self._put(relative, to_json_bytes(value))

    def _put(self, relative: str, body: bytes, *, expect: frozenset[str] = frozenset(), **condition: str) -> str:
        answer = self.call(
            "put_object", relative, expect=expect, Body=body, ContentType="application/json", **condition
        )
        return str(answer["ETag"])

    def exists(self, relative: str) -> bool:
        """Whether there is such an object; a missing bucket is an error, which HeadObject could not tell apart."""
        page = self.call("list_objects_v2", relative, Prefix=self.key(relative), MaxKeys=1)
        return any(entry["Key"] == self.key(relative) for entry in page.get("Contents", []))

    def has_etag(self, relative: str, etag: str) -> bool:
        """Whether there is such an object with this content.

        :param etag: without quotes.
        """
        return str(self._head(relative).get("ETag", "")).strip('"') == etag

    def move_if_unchanged(self, relative: str, etag: str, target: str) -> bool:
        """Move an object that still has this content; give whether it was there.

        :param etag: without quotes.
        """
        from botocore.exceptions import ClientError

        source = {"Bucket": self.bucket, "Key": self.key(relative)}
        try:
            self.call("copy_object", target, expect=CHANGED | MISSING, CopySource=source, CopySourceIfMatch=f'"{etag}"')
        except ClientError:
            return False
        self.call("delete_object", relative)
        return True

    # --- files ---

    def download(self, relative: str, path: Path) -> bool:
        """Copy an object to a local file, a chunk at a time; give whether there is one."""
        from botocore.exceptions import ClientError

        def copy() -> None:
            answer = self.client.get_object(Bucket=self.bucket, Key=self.key(relative))
            with path.open("wb") as file:
                for chunk in answer["Body"].iter_chunks(256 * 1024):
                    file.write(chunk)

        try:
            self.patiently(copy, "get_object", relative, MISSING)
        except ClientError:
            return False
        return True

    def upload(self, path: Path, relative: str) -> str:
        """Copy a local file to an object, in parts if it is large, unless the very same is there.

        Its SHA-256 is kept in the object's metadata, since the ETag of a multipart upload says little.

        :return: the object's ETag, without quotes.
        """
        from boto3.exceptions import S3UploadFailedError
        from boto3.s3.transfer import TransferConfig

        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        present, size = self._head(relative), path.stat().st_size
        if present["Metadata"].get("sha256") == sha256 and present["ContentLength"] == size:
            return str(present["ETag"]).strip('"')
        metadata = {"sha256": sha256}
        if size < PART_BYTES:
            answer = self.call("put_object", relative, Body=path.read_bytes(), Metadata=metadata)
            return str(answer["ETag"]).strip('"')
        config = TransferConfig(multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, max_concurrency=2)
        extra = {"Metadata": metadata}

        def copy() -> None:
            try:
                self.client.upload_file(str(path), self.bucket, self.key(relative), Config=config, ExtraArgs=extra)
            except S3UploadFailedError as error:
                raise error.__context__ or error from None

        self.patiently(copy, "upload_file", relative)
        return str(self.call("head_object", relative)["ETag"]).strip('"')

    def uploaded_sha256(self, relative: str) -> str | None:
        """Give the SHA-256, hex, of a file as it was uploaded; ``None`` where there is none."""
        sha256: str | None = self._head(relative)["Metadata"].get("sha256")
        return sha256

    def _head(self, relative: str) -> Any:
        from botocore.exceptions import ClientError

        try:
            return self.call("head_object", relative, expect=MISSING)
        except ClientError:
            return {"Metadata": {}}


def to_json_bytes(value: Any) -> bytes:
    """Write JSON so that equal values are equal bytes."""
    return (json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()
