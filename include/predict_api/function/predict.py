"""Ask the version that serves, and say whether its answer is doubtful."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .bodies import SentImage, StoredImage
from .errors import NOT_SERVING, Trouble, error_code, not_reached, of_detection
from .pointer import Live, Pointer
from .settings import ApiSettings, number_within

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_rekognition.client import RekognitionClient

_MOST_RESULTS = 4096
_NAMES = ("min_confidence", "max_results")


@dataclass(frozen=True)
class Wanted:
    """What a caller wants of the answer.

    :param min_confidence: percent; ``None`` for the threshold that Custom Labels assumes for each label.
    :param max_results: how many predictions at most, the surest first; ``None`` for all.
    """

    min_confidence: float | None = None
    max_results: int | None = None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Wanted:
        """Read the query's parameters.

        :raises Trouble: one is unknown, or is not what it may be.
        """
        if unknown := sorted(set(query) - set(_NAMES)):
            raise _bad(f"The parameter {unknown[0][:100]!a} is unknown: expected {' or '.join(_NAMES)}. Leave it out.")
        confidence = query.get("min_confidence")
        minimum = None if confidence is None else number_within(confidence, 100)
        if confidence is not None and minimum is None:
            raise _bad(f"min_confidence is {confidence[:100]!a}: expected a number from 0 to 100. Send one.")
        results = query.get("max_results")
        most = None if results is None else number_within(results, _MOST_RESULTS)
        if results is not None and (most is None or most < 1 or most != math.floor(most)):
            raise _bad(
                f"max_results is {results[:100]!a}: expected a whole number from 1 to {_MOST_RESULTS}. Send one."
            )
        return cls(minimum, None if most is None else int(most))


def _bad(message: str) -> Trouble:
    return Trouble(400, "bad_parameter", message)


@dataclass(frozen=True)
class Predicted:
    """What a version predicts.

    :param predictions: for the caller: each has ``label``, ``confidence`` in percent and, of a detector, ``box``.
    """

    live: Live
    predictions: tuple[dict[str, Any], ...]
    is_doubtful: bool


class Model:
    """Asks whichever version serves."""

    def __init__(self, rekognition: RekognitionClient, pointer: Pointer, settings: ApiSettings) -> None:
        self._rekognition = rekognition
        self._pointer = pointer
        self._settings = settings

    def predict(self, image: SentImage | StoredImage, wanted: Wanted) -> Predicted:
        """Ask about an image; a version that was swapped in meanwhile is followed at once.

        :raises Trouble: there is no answer.
        """
        from botocore.exceptions import ClientError

        begun = time.monotonic()
        live = self._pointer.live()
        try:
            found = self._ask(live, image, wanted)
        except ClientError as error:
            if error_code(error) not in NOT_SERVING:
                raise of_detection(error) from error
            live, found = self._follow(live, begun, error, image, wanted)
        predictions = [_prediction(each) for each in found]
        predictions.sort(key=lambda each: -each["confidence"])
        shown = [each for each in predictions if each["confidence"] >= (wanted.min_confidence or 0)]
        return Predicted(live, tuple(shown[: wanted.max_results]), is_doubtful(predictions, self._settings))

    def _follow(
        self, asked: Live, begun: float, refusal: ClientError, image: SentImage | StoredImage, wanted: Wanted
    ) -> tuple[Live, Sequence[Any]]:
        """Ask the version that serves now, if that is another one than the one that was asked and does not run."""
        from botocore.exceptions import ClientError

        live = self._pointer.live(not_before=begun)
        if live.version_arn == asked.version_arn:
            raise of_detection(refusal)
        try:
            return live, self._ask(live, image, wanted)
        except ClientError as error:
            raise of_detection(error) from error

    def _ask(self, live: Live, image: SentImage | StoredImage, wanted: Wanted) -> Sequence[Any]:
        """Make the call; what it is refused with is the caller's to judge.

        :raises Trouble: AWS was not reached.
        """
        from botocore.exceptions import BotoCoreError

        more: dict[str, float] = {}
        if wanted.min_confidence is not None:
            more["MinConfidence"] = wanted.min_confidence
            if self._settings.inbox == "doubtful":  # which needs to see what the caller does not want to
                more["MinConfidence"] = min(wanted.min_confidence, self._settings.noise)
        try:
            answer = self._rekognition.detect_custom_labels(
                ProjectVersionArn=live.version_arn,
                Image=image.for_aws,  # type: ignore[arg-type]
                **more,  # type: ignore[arg-type]
            )
        except BotoCoreError as error:
            raise not_reached(str(error)) from error
        return answer["CustomLabels"]


def _prediction(label: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"label": label["Name"], "confidence": label["Confidence"]}
    if box := (label.get("Geometry") or {}).get("BoundingBox"):
        made["box"] = {name.lower(): box[name] for name in ("Left", "Top", "Width", "Height")}
    return made


def is_doubtful(predictions: Sequence[Mapping[str, Any]], settings: ApiSettings) -> bool:
    """Whether people should see an image: nothing was found, or a label that counts is below its minimum.

    Where an image has one label, only the surest one counts; of several labels or boxes all that are not noise.

    :param predictions: the surest first.
    """
    if settings.task == "IMAGE_CLASSIFICATION":
        counted = predictions[:1]
    else:
        counted = [each for each in predictions if each["confidence"] >= settings.noise]
    return not counted or any(each["confidence"] < settings.doubt_below for each in counted)
