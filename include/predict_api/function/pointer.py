"""Which version serves: ``registry/live.json``, remembered for some seconds, so that a swap needs no deployment."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import Trouble, error_code, nothing_serves
from .logs import log

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

LIVE = "registry/live.json"
_ABSENT = frozenset({"NoSuchKey", "404"})


@dataclass(frozen=True)
class Live:
    """The version that serves."""

    version_name: str
    version_arn: str


class Pointer:
    """The pointer to the version that serves; for many threads.

    :param key: of the pointer, with the project's prefix.
    :param seconds: how long it is remembered; that there is none, or that it cannot be read, too.
    """

    def __init__(self, s3: S3Client, bucket: str, key: str, seconds: float) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._key = key
        self._seconds = seconds
        self._lock = threading.Lock()
        self._live: Live | None = None
        self._trouble = ""
        self._read_at: float | None = None

    def live(self, not_before: float | None = None) -> Live:
        """Give the version that serves.

        :param not_before: a moment of :func:`time.monotonic` since when it must have been read: of many requests that
            a stopped version has refused only one reads it again.
        :raises Trouble: there is none, or the pointer cannot be read.
        """
        with self._lock:
            oldest = time.monotonic() - self._seconds if not_before is None else not_before
            if self._read_at is None or self._read_at < oldest:
                begun = time.monotonic()
                self._live, self._trouble = self._read()
                self._read_at = begun
            if self._live is not None:
                return self._live
            if self._trouble:
                raise _unreadable(self._trouble)
            raise nothing_serves(f"s3://{self._bucket}/{self._key} names no version")

    def _read(self) -> tuple[Live | None, str]:
        """Give what serves, and why that cannot be read; neither where there is no pointer."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            body = self._s3.get_object(Bucket=self._bucket, Key=self._key)["Body"].read()
        except (BotoCoreError, ClientError) as error:
            if isinstance(error, ClientError) and error_code(error) in _ABSENT:
                return None, ""
            return self._go_on(str(error))
        try:
            value = json.loads(body)
            if value == {}:  # the project was taken away from AWS
                return None, ""
            return Live(_text(value, "version_name"), _text(value, "version_arn")), ""
        except (ValueError, TypeError, LookupError) as error:
            return self._go_on(f"{type(error).__name__}: {error}")

    def _go_on(self, cause: str) -> tuple[Live | None, str]:
        """Go on with the version that was read last, if there is one, while the pointer cannot be read."""
        cause = f"s3://{self._bucket}/{self._key} cannot be read: {cause}"
        if self._live is not None:
            log("warning", "pointer_unreadable", cause=cause, version=self._live.version_name)
        return self._live, cause


def _unreadable(cause: str) -> Trouble:
    return Trouble(
        503,
        "pointer_unreadable",
        "It cannot be read which version serves. Ask again in a moment; if it stays so, whoever runs this API finds "
        "the reason in its log.",
        retry_after=5,
        cause=cause,
    )


def _text(value: object, name: str) -> str:
    if not isinstance(value, dict):
        raise TypeError("no JSON object")
    text = value[name]
    if not isinstance(text, str) or not text:
        raise TypeError(f"{name!r} is no text")
    return text
