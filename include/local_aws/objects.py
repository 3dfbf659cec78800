"""S3 objects for the other services of this process: read from and written to moto's backend directly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.local_aws.faults import Faults

if TYPE_CHECKING:
    from moto.s3.models import FakeKey, S3Backend

ACCOUNT = "123456789012"


class ObjectMissing(LookupError):
    """The bucket or the key does not exist."""


class ObjectDenied(PermissionError):
    """The caller may not do this to the bucket."""


class Objects:
    """Reads and writes as the caller of a service would, so denied buckets are denied here too."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def read(self, bucket: str, key: str, version: str | None = None) -> bytes:
        """Return an object's bytes; raises ObjectMissing or ObjectDenied."""
        return bytes(self._find(bucket, key, version).value)

    def size(self, bucket: str, key: str, version: str | None = None) -> int:
        """Return an object's size in bytes; raises ObjectMissing or ObjectDenied."""
        return int(self._find(bucket, key, version).size)

    def etag(self, bucket: str, key: str) -> str:
        """Return an object's ETag without quotes; raises ObjectMissing or ObjectDenied."""
        return str(self._find(bucket, key, None).etag).strip('"')

    def write(self, bucket: str, key: str, content: bytes) -> None:
        """Write an object; raises ObjectMissing for a missing bucket, or ObjectDenied."""
        self._check(bucket, "s3.PutObject")
        self._bucket(bucket)
        self._backend.put_object(bucket, key, content)

    def check_writable(self, bucket: str) -> None:
        """Raise ObjectMissing or ObjectDenied if nothing can be written to `bucket`."""
        self._check(bucket, "s3.PutObject")
        self._bucket(bucket)

    @property
    def _backend(self) -> S3Backend:
        from moto.s3.models import s3_backends

        return s3_backends[ACCOUNT]["aws"]

    def _find(self, bucket: str, key: str, version: str | None) -> FakeKey:
        self._check(bucket, "s3.GetObject")
        self._bucket(bucket)
        found: FakeKey | None = self._backend.get_object(bucket, key, version)
        if found is None:
            raise ObjectMissing(f"s3://{bucket}/{key} does not exist")
        return found

    def _bucket(self, bucket: str) -> None:
        if bucket not in self._backend.buckets:
            raise ObjectMissing(f"The bucket {bucket} does not exist")

    def _check(self, bucket: str, operation: str) -> None:
        if self._faults.denies_bucket(bucket, operation):
            raise ObjectDenied(f"Access denied: {operation} on the bucket {bucket}")
