"""S3 objects for the other services of this process: read from and written to moto's backend directly."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from include.local_aws.faults import Faults

if TYPE_CHECKING:
    from moto.s3.models import FakeKey, S3Backend

ACCOUNT = "123456789012"
ARCHIVES = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""Storage classes whose objects must be restored before they are read (S3 user guide, "Storage classes")."""


class ObjectMissing(LookupError):
    """The bucket or the key does not exist."""


class ObjectUnreadable(ObjectMissing):
    """The object is archived, or this one object is refused: whoever needs it can go no further than without it."""


class ObjectDenied(PermissionError):
    """The caller may not do this to the bucket."""


class Objects:
    """Reads and writes as the caller of a service would, so denied buckets are denied here too.

    `region` is where the service is, which then knows no bucket elsewhere; None for a service that knows all.
    """

    def __init__(self, faults: Faults, region: str | None = None) -> None:
        self._faults = faults
        self._region = region

    def in_region(self, name: str) -> Objects:
        """Return what a service in one region sees of S3."""
        return Objects(self._faults, name)

    def read(self, bucket: str, key: str, version: str | None = None) -> bytes:
        """Return an object's bytes; raises ObjectMissing, ObjectUnreadable or ObjectDenied."""
        found = self._find(bucket, key, version)
        if is_archived(found):
            raise ObjectUnreadable(f"s3://{bucket}/{key} is archived (storage class {found.storage_class})")
        return bytes(found.value)

    def check_readable(self, bucket: str, key: str, version: str | None = None) -> None:
        """Raise what `read` would, without the bytes."""
        if is_archived(found := self._find(bucket, key, version)):
            raise ObjectUnreadable(f"s3://{bucket}/{key} is archived (storage class {found.storage_class})")

    def restored_until(self, bucket: str, key: str) -> str | None:
        """Return until when an archived object can be read, in ISO 8601; None if it was not restored, or not yet."""
        found: FakeKey | None = self._backend.get_object(bucket, key)
        if found is None or found.storage_class not in ARCHIVES or is_archived(found):
            return None
        return parsedate_to_datetime(str(found.expiry_date)).strftime("%Y-%m-%dT%H:%M:%S.000Z")

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

    def sends_to_event_bridge(self, bucket: str) -> bool:
        """Say whether a bucket's notifications include EventBridge; False for a missing bucket."""
        found = self._backend.buckets.get(bucket)
        configuration = found.notification_configuration if found else None
        return configuration is not None and configuration.event_bridge is not None

    @property
    def _backend(self) -> S3Backend:
        from moto.s3.models import s3_backends

        return s3_backends[ACCOUNT]["aws"]

    def _find(self, bucket: str, key: str, version: str | None) -> FakeKey:
        self._check(bucket, "s3.GetObject", key)
        self._bucket(bucket)
        found: FakeKey | None = self._backend.get_object(bucket, key, version)
        if found is None:
            raise ObjectMissing(f"s3://{bucket}/{key} does not exist")
        return found

    def _bucket(self, bucket: str) -> None:
        if bucket not in self._backend.buckets:
            raise ObjectMissing(f"The bucket {bucket} does not exist")
        place = self._backend.buckets[bucket].region_name
        if self._region is not None and place != self._region:
            raise ObjectMissing(f"The bucket {bucket} is in {place} and not in {self._region}")

    def _check(self, bucket: str, operation: str, key: str = "") -> None:
        denial = self._faults.denial(bucket, operation, key)
        if denial is None:
            return
        if denial.key != "*":
            raise ObjectUnreadable(f"{denial.code}: {operation} of s3://{bucket}/{key}")
        raise ObjectDenied(f"Access denied: {operation} on the bucket {bucket}")


def is_archived(found: FakeKey) -> bool:
    """Say whether an object lies in an archive that it must be restored from before it is read."""
    restored = 'ongoing-request="false"' in found.response_dict.get("x-amz-restore", "")
    return found.storage_class in ARCHIVES and not restored
