"""Putting images to a version: paced, patient, and where it is to be so, along when another version is swapped in."""

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

from custom_labels.aws.hooks.rekognition import RekognitionHook
from custom_labels.aws.rate import TokenBucket, rate_of_lane
from custom_labels.deployment.deployment import LiveVersion
from custom_labels.detection.detection import DetectedLabel, InferenceImage, surest_first
from custom_labels.errors import CustomLabelsError
from custom_labels.s3.errors import MISSING, StorageError, archive_of, error_code, is_passing

if TYPE_CHECKING:
    from custom_labels.core.context import ProjectContext
    from custom_labels.core.settings import Settings

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


class Asker:
    """Asks a version about one image after the other; for many threads.

    :param version: the version to ask.
    :param rate: calls a second, at most.
    :param minimum_confidence: percent that a label needs to be answered; ``None`` for each label's assumed threshold.
    """

    def __init__(
        self, place: ProjectContext, version: LiveVersion, rate: float, minimum_confidence: float | None = None
    ) -> None:
        self.place = place
        self._calls = 0
        project = place.project
        hook = RekognitionHook(aws_conn_id=project.aws_conn_id, region_name=project.region_name, config=dict(ONCE))
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

    def detect(self, image: InferenceImage) -> Found:
        """Put an image to the version, until it is answered or refused for good.

        :raises CannotGoOn: it does not run any more and no other is to be asked, or nothing was answered for a minute.
        """
        if image.is_empty:
            return Found(image, self._version, Reply.UNREADABLE, words="the file is empty")
        pause = FIRST_PAUSE
        while True:
            self._sleep(self._bucket.reserve(time.monotonic()))
            version = self._version
            found = self._ask(version, image)
            if not isinstance(found, BaseException):
                self._answered_at = time.monotonic()
                return found
            if _code(found) in NOT_SERVING:
                if not self.is_another_to_be_asked(version):
                    raise CannotGoOn(f"{version.version_name} does not answer; AWS says: {found}") from found
                continue
            if time.monotonic() - self._answered_at > STALLED_SECONDS:
                raise CannotGoOn(f"nothing was answered for {STALLED_SECONDS:.0f} s; AWS says: {found}") from found
            self._sleep(pause * (0.5 + secrets.randbelow(1000) / 1000))
            pause = min(2 * pause, LONGEST_PAUSE)

    def is_another_to_be_asked(self, asked: LiveVersion) -> bool:  # noqa: ARG002
        """Say whether to go on with another version, since the one that was asked does not run; not by itself."""
        return False

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
        return Found(image, version, Reply.ANSWERED, labels)

    def _refused(self, version: LiveVersion, image: InferenceImage, error: Any) -> Found:
        """Judge an error that is about this image and no other."""
        code = error_code(error)
        words = f"{code}: {error.response['Error'].get('Message', 'no message')}"
        if code in UNREADABLE:
            return Found(image, version, Reply.UNREADABLE, words=words)
        if code == "InvalidS3ObjectException":
            described = self._describe(image)
            if described is None:
                return Found(image, version, Reply.GONE, words=words)
            if archive := archive_of(described):
                words += f" The image is archived ({archive}): restore it, or copy it to another storage class."
        return Found(image, version, Reply.FAILED, words=words)

    def _describe(self, image: InferenceImage) -> Mapping[str, Any] | None:
        """Give what S3 says of an image, ``None`` if it is not there; nothing where S3 does not say."""
        from botocore.exceptions import ClientError

        try:
            return dict(self.place.store.call("head_object", image.key, expect=MISSING))
        except ClientError:
            return None
        except StorageError as error:
            log.warning("%s", error)
            return {}

    def _sleep(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise Interrupted


class Detector(Asker):
    """Asks the version that serves, whichever that is at the moment, about every label.

    :param lanes: tasks that share the version's rate.
    """

    def __init__(self, place: ProjectContext, settings: Settings, lanes: int) -> None:
        self.settings = settings
        self.lanes = lanes
        live = _live(place)
        super().__init__(place, live, version_rate(place, live, settings, lanes), minimum_confidence=0)

    def follow(self) -> LiveVersion:
        """Read the pointer again, and go on with the version that it names."""
        live = _live(self.place)
        with self._lock:
            if live.version_arn != self._version.version_arn:
                log.info("%s serves now, in place of %s.", live.version_name, self._version.version_name)
                self._bucket.change_full_rate(
                    version_rate(self.place, live, self.settings, self.lanes), time.monotonic()
                )
            self._version = live
        return live

    def is_another_to_be_asked(self, asked: LiveVersion) -> bool:
        """Follow the pointer."""
        return self.follow().version_arn != asked.version_arn


def version_rate(place: ProjectContext, version: LiveVersion, settings: Settings, lanes: int) -> float:
    """Give the calls a second that one of several tasks may put to a version.

    :param lanes: tasks that ask it at the same time.
    """
    described: Mapping[str, Any] = place.rekognition.describe_version(version.project_arn, version.version_name).raw
    units = int(described.get("MinInferenceUnits") or settings.minimum_inference_units)
    return rate_of_lane(units, settings.detections_per_unit_second, lanes)


def _live(place: ProjectContext) -> LiveVersion:
    live = place.registry.live()
    if live is None:
        raise CannotGoOn("no version serves: registry/live.json is gone")
    return live


def _code(error: Exception) -> str:
    from botocore.exceptions import ClientError

    return error_code(error) if isinstance(error, ClientError) else ""
