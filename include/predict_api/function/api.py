"""The API: which path does what, and a line in the log for each request."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .bodies import SentImage, image_of
from .errors import Trouble
from .events import Answer, Event, Request, answer, answer_of, request_id, request_of
from .inbox import put_into_inbox
from .logs import log
from .pointer import LIVE, Pointer
from .predict import Model, Predicted, Wanted
from .settings import ApiSettings

if TYPE_CHECKING:
    from mypy_boto3_rekognition.client import RekognitionClient
    from mypy_boto3_s3.client import S3Client

PREDICT, HEALTH = "/predict", "/health"
_METHODS = {PREDICT: "POST", HEALTH: "GET"}


class PredictApi:
    """Answers events of API Gateway; for many threads.

    :param rekognition: a client of Rekognition, in the region of the bucket.
    """

    def __init__(self, settings: ApiSettings, rekognition: RekognitionClient, s3: S3Client) -> None:
        self._settings = settings
        self._s3 = s3
        self._pointer = Pointer(s3, settings.bucket, f"{settings.prefix}{LIVE}", settings.pointer_seconds)
        self._model = Model(rekognition, self._pointer, settings)

    def handle(self, event: Event) -> Answer:
        """Answer an event."""
        begun = time.monotonic()
        try:
            return self._route(request_of(event), begun)
        except Trouble as trouble:
            log(
                "error" if trouble.status >= 500 else "warning",
                "refused",
                request_id=request_id(event),
                status=trouble.status,
                error=trouble.code,
                message=trouble.message,
                cause=trouble.cause,
                milliseconds=_since(begun),
            )
            return answer_of(trouble, request_id(event))

    def _route(self, request: Request, begun: float) -> Answer:
        allowed = _METHODS.get(request.path)
        if allowed is None:
            raise Trouble(404, "unknown_path", f"There is no such path. Use POST {PREDICT} or GET {HEALTH}.")
        if request.method != allowed:
            raise Trouble(405, "wrong_method", f"{request.path} takes {allowed} only. Use it.", allow=allowed)
        if request.path == HEALTH:
            return answer(200, {"version": self._pointer.live().version_name})
        return self._predict(request, begun)

    def _predict(self, request: Request, begun: float) -> Answer:
        wanted = Wanted.of(request.query)
        image = image_of(request, self._settings)
        found = self._model.predict(image, wanted)
        inbox = self._to_people(image, found) if isinstance(image, SentImage) else None
        log(
            "info",
            "predicted",
            request_id=request.request_id,
            status=200,
            version=found.live.version_name,
            image=image.name,
            predictions=len(found.predictions),
            doubtful=found.is_doubtful,
            inbox=inbox,
            milliseconds=_since(begun),
        )
        return answer(
            200,
            {"predictions": found.predictions, "version": found.live.version_name, "image": image.name},
        )

    def _to_people(self, image: SentImage, found: Predicted) -> str | None:
        wanted = self._settings.inbox
        if wanted == "all" or (wanted == "doubtful" and found.is_doubtful):
            return put_into_inbox(self._s3, self._settings.bucket, self._settings.prefix, image)
        return None


def _since(begun: float) -> int:
    return round((time.monotonic() - begun) * 1000)
