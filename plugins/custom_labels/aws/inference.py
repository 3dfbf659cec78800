"""The client that asks a running version about images: paced, patient, and safe for many threads.

The loop of tries is its own: all threads share one pace and one minute of patience, and may go on with another version.
"""

from __future__ import annotations

import logging
import math
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from custom_labels.aws.hooks.rekognition import RekognitionHook
from custom_labels.aws.predictions import DetectedLabel, InferenceImage, surest_first
from custom_labels.aws.rate import TokenBucket
from custom_labels.errors import CustomLabelsError
from custom_labels.s3.errors import MISSING, StorageError, archive_of, error_code, is_passing

if TYPE_CHECKING:
    from custom_labels.s3.store import S3Store

log = logging.getLogger(__name__)

MOST_THREADS = 32
SLOWEST_CALL_SECONDS = 1.5
"""A call may take so long without the rate getting lower, as there are threads for it."""
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0
STALLED_SECONDS = 60.0
"""Without one answer in this time the version counts as unavailable."""
# Codes of DetectCustomLabels (Rekognition API reference). Botocore must not repeat these calls by itself: the pace
# would not be ours.
ONCE = {"retries": {"mode": "standard", "total_max_attempts": 1}, "max_pool_connections": MOST_THREADS}
THROTTLED = frozenset(
    {"ProvisionedThroughputExceededException", "ThrottlingException", "LimitExceededException", "InternalServerError"}
)
NOT_SERVING = frozenset({"ResourceNotReadyException", "ResourceNotFoundException"})
UNREADABLE = frozenset(
    {"InvalidImageFormatException", "ImageTooLargeException", "InvalidParameterException"}  # the last: too small a side
)


class EndpointUnavailable(CustomLabelsError):
    """The version answers no image for now; nothing is lost, and it may pass."""


class Cancelled(Exception):
    """Another thread of the same client met what stops all."""


class PredictionStatus(Enum):
    """What came of putting an image to a version."""

    ANSWERED = auto()
    UNREADABLE = auto()
    GONE = auto()
    FAILED = auto()


class NamedVersion(Protocol):
    """A version of a Custom Labels model, as far as a client must know it."""

    @property
    def version_name(self) -> str:
        """Its name, for messages."""

    @property
    def version_arn(self) -> str:
        """Its ARN."""


V = TypeVar("V", bound=NamedVersion)


@dataclass(frozen=True)
class Prediction(Generic[V]):
    """What a version predicts for an image, or why it does not.

    :param version: the version that was asked.
    :param message: AWS's own, where there are no labels because of an error.
    """

    image: InferenceImage
    version: V
    status: PredictionStatus
    labels: tuple[DetectedLabel, ...] = ()
    message: str = ""


class InferenceClient(Generic[V]):
    """Puts images in S3 to a running version, at a steady pace; for many threads.

    :param version: the version to ask.
    :param store: where the images are; its connection and region are used.
    :param rate: calls a second, at most.
    :param minimum_confidence: percent that a label needs to be predicted; ``None`` for each label's assumed threshold.
    """

    def __init__(self, version: V, store: S3Store, rate: float, minimum_confidence: float | None = None) -> None:
        self.store = store
        self._calls = 0
        hook = RekognitionHook(
            aws_conn_id=store.aws_conn_id,
            region_name=store.region_name,
            verify=store.verify,
            config={**store.botocore_config, **ONCE},
        )
        self._client = hook.client
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._answered_at = time.monotonic()
        self._version = version
        self._bucket = TokenBucket(rate, time.monotonic())
        self._wanted = {} if minimum_confidence is None else {"MinConfidence": minimum_confidence}

    @property
    def threads(self) -> int:
        """Give the number of threads that keep the rate up."""
        return min(MOST_THREADS, max(2, math.ceil(self._bucket.full_rate * SLOWEST_CALL_SECONDS)))

    def stop(self) -> None:
        """Let every thread end, at the latest after the call that it is in."""
        self._stopping.set()

    def take_calls(self) -> int:
        """Give the number of calls since the last time that this was asked."""
        with self._lock:
            calls, self._calls = self._calls, 0
        return calls

    def detect(self, image: InferenceImage) -> Prediction[V]:
        """Put an image to the version, until it is answered or refused for good.

        :raises EndpointUnavailable: it does not run any more and no other is to be asked, or nothing was answered for
            a minute.
        """
        if image.is_empty:
            return Prediction(image, self._version, PredictionStatus.UNREADABLE, message="the file is empty")
        pause = FIRST_PAUSE
        while True:
            self._sleep(self._bucket.reserve(time.monotonic()))
            version = self._version
            found = self._call(version, image)
            if isinstance(found, Prediction):
                self._answered_at = time.monotonic()
                return found
            if _code(found) in NOT_SERVING:
                if not self.has_other_version(version):
                    raise EndpointUnavailable(f"{version.version_name} does not answer; AWS says: {found}") from found
                continue
            if time.monotonic() - self._answered_at > STALLED_SECONDS:
                raise EndpointUnavailable(
                    f"nothing was answered for {STALLED_SECONDS:.0f} s; AWS says: {found}"
                ) from found
            self._sleep(pause * (0.5 + secrets.randbelow(1000) / 1000))
            pause = min(2 * pause, LONGEST_PAUSE)

    def has_other_version(self, asked: V) -> bool:  # noqa: ARG002
        """Say whether to go on with another version, since the one that was asked does not run; not by itself."""
        return False

    def _call(self, version: V, image: InferenceImage) -> Prediction[V] | Exception:
        """Make one call; give the error where another may help."""
        from botocore import exceptions

        store = self.store
        with self._lock:
            self._calls += 1
        try:
            answer = self._client.detect_custom_labels(
                ProjectVersionArn=version.version_arn,
                Image={"S3Object": {"Bucket": store.bucket, "Name": store.key(image.key)}},
                **self._wanted,  # type: ignore[arg-type]
            )
        except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
            return error
        except exceptions.ClientError as error:
            if error_code(error) in THROTTLED or is_passing(error):
                self._bucket.slow_down(time.monotonic())
                return error
            return error if error_code(error) in NOT_SERVING else self._refused(version, image, error)
        labels = surest_first(DetectedLabel.from_aws(each) for each in answer["CustomLabels"])
        return Prediction(image, version, PredictionStatus.ANSWERED, labels)

    def _refused(self, version: V, image: InferenceImage, error: Any) -> Prediction[V]:
        """Judge an error that is about this image and no other."""
        code = error_code(error)
        message = f"{code}: {error.response['Error'].get('Message', 'no message')}"
        if code in UNREADABLE:
            return Prediction(image, version, PredictionStatus.UNREADABLE, message=message)
        if code == "InvalidS3ObjectException":
            described = self._describe(image)
            if described is None:
                return Prediction(image, version, PredictionStatus.GONE, message=message)
            if archive := archive_of(described):
                message += f" The image is archived ({archive}): restore it, or copy it to another storage class."
        return Prediction(image, version, PredictionStatus.FAILED, message=message)

    def _describe(self, image: InferenceImage) -> Mapping[str, Any] | None:
        """Give what S3 says of an image, ``None`` if it is not there; nothing where S3 does not say."""
        from botocore.exceptions import ClientError

        try:
            return dict(self.store.call("head_object", image.key, expect=MISSING))
        except ClientError:
            return None
        except StorageError as error:
            log.warning("%s", error)
            return {}

    def _sleep(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise Cancelled


def _code(error: Exception) -> str:
    from botocore.exceptions import ClientError

    return error_code(error) if isinstance(error, ClientError) else ""
