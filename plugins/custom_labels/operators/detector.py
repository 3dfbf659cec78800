"""Putting images to the version that serves: paced, patient, and along when another version is swapped in."""

from __future__ import annotations

import logging
import math
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from custom_labels.domain.deployment import LiveVersion
from custom_labels.domain.detection import DetectedLabel, InferenceImage, surest_first
from custom_labels.domain.errors import CustomLabelsError
from custom_labels.domain.rate import TokenBucket, rate_of_lane
from custom_labels.hooks.rekognition import RekognitionHook
from custom_labels.storage.faults import MISSING, StorageError, error_code, is_passing

if TYPE_CHECKING:
    from custom_labels.operators.project import ProjectContext
    from custom_labels.settings import Settings

log = logging.getLogger(__name__)

MOST_THREADS = 32
SLOWEST_CALL_SECONDS = 1.5
"""A call may take so long without the rate getting lower, as there are threads for it."""
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0
STALLED_SECONDS = 60.0
"""Without one answer in this time the worker slot is given up for a while."""
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


class CannotGoOn(CustomLabelsError):
    """No image can be put to the live version for now; nothing is lost, and it may pass."""


class Interrupted(Exception):
    """Another thread of the same batch met what stops all."""


class Reply(Enum):
    """What came of putting an image to a version."""

    ANSWERED = auto()
    UNREADABLE = auto()
    GONE = auto()
    FAILED = auto()


@dataclass(frozen=True)
class Found:
    """What a version said of an image, or why nothing was said.

    :param version: the version that was asked.
    :param words: AWS's own, where there are no labels because of an error.
    """

    image: InferenceImage
    version: LiveVersion
    reply: Reply
    labels: tuple[DetectedLabel, ...] = ()
    words: str = ""


class Detector:
    """Asks the version that serves about one image after the other; for many threads.

    :param lanes: tasks that share the version's rate.
    """

    def __init__(self, place: ProjectContext, settings: Settings, lanes: int) -> None:
        self.place = place
        self.settings = settings
        self.lanes = lanes
        self._calls = 0
        project = place.project
        hook = RekognitionHook(aws_conn_id=project.aws_conn_id, region_name=project.region_name, config=dict(ONCE))
        self._client = hook.client
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._answered_at = time.monotonic()
        self._version = self._live()
        self._bucket = TokenBucket(self._rate(self._version), time.monotonic())

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

    def follow(self) -> LiveVersion:
        """Read the pointer again, and go on with the version that it names."""
        live = self._live()
        with self._lock:
            if live.version_arn != self._version.version_arn:
                log.info("%s serves now, in place of %s.", live.version_name, self._version.version_name)
                self._bucket.change_full_rate(self._rate(live), time.monotonic())
            self._version = live
        return live

    def detect(self, image: InferenceImage) -> Found:
        """Put an image to the version that serves, until it is answered or refused for good.

        :raises CannotGoOn: it serves no more and no other does, or nothing was answered for a minute.
        """
        pause = FIRST_PAUSE
        while True:
            self._sleep(self._bucket.reserve(time.monotonic()))
            version = self._version
            found = self._ask(version, image)
            if not isinstance(found, BaseException):
                self._answered_at = time.monotonic()
                return found
            if _code(found) in NOT_SERVING:
                if self.follow().version_arn == version.version_arn:
                    raise CannotGoOn(f"{version.version_name} does not answer; AWS says: {found}") from found
                continue
            if time.monotonic() - self._answered_at > STALLED_SECONDS:
                raise CannotGoOn(f"nothing was answered for {STALLED_SECONDS:.0f} s; AWS says: {found}") from found
            self._sleep(pause * (0.5 + secrets.randbelow(1000) / 1000))
            pause = min(2 * pause, LONGEST_PAUSE)

    def _ask(self, version: LiveVersion, image: InferenceImage) -> Found | Exception:
        """Make one call; give the error where another may help."""
        from botocore import exceptions

        store = self.place.store
        with self._lock:
            self._calls += 1
        try:
            answer = self._client.detect_custom_labels(
                ProjectVersionArn=version.version_arn,
                Image={"S3Object": {"Bucket": store.bucket, "Name": store.key(image.key)}},
                MinConfidence=0,
            )
        except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
            return error
        except exceptions.ClientError as error:
            if error_code(error) in THROTTLED or is_passing(error):
                self._bucket.slow_down(time.monotonic())
                return error
            return error if error_code(error) in NOT_SERVING else self._refused(version, image, error)
        labels = surest_first(DetectedLabel.from_aws(each) for each in answer["CustomLabels"])
        return Found(image, version, Reply.ANSWERED, labels)

    def _refused(self, version: LiveVersion, image: InferenceImage, error: Any) -> Found:
        """Judge an error that is about this image and no other."""
        code = error_code(error)
        words = f"{code}: {error.response['Error'].get('Message', 'no message')}"
        if code in UNREADABLE:
            return Found(image, version, Reply.UNREADABLE, words=words)
        is_gone = code == "InvalidS3ObjectException" and self._is_gone(image)
        return Found(image, version, Reply.GONE if is_gone else Reply.FAILED, words=words)

    def _is_gone(self, image: InferenceImage) -> bool:
        from botocore.exceptions import ClientError

        try:
            self.place.store.call("head_object", image.key, expect=MISSING)
        except ClientError:
            return True
        except StorageError as error:
            log.warning("%s", error)
        return False

    def _live(self) -> LiveVersion:
        live = self.place.registry.live()
        if live is None:
            raise CannotGoOn("no version serves: registry/live.json is gone")
        return live

    def _rate(self, version: LiveVersion) -> float:
        """Give the calls a second that are ours."""
        described: Mapping[str, Any] = self.place.rekognition.describe_version(
            version.project_arn, version.version_name
        ).raw
        units = int(described.get("MinInferenceUnits") or self.settings.minimum_inference_units)
        return rate_of_lane(units, self.settings.detections_per_unit_second, self.lanes)

    def _sleep(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise Interrupted


def _code(error: Exception) -> str:
    from botocore.exceptions import ClientError

    return error_code(error) if isinstance(error, ClientError) else ""
