"""Each trouble with its status and a sentence that names the way out; AWS's own words go to the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

SOON, LATER = 1, 30
"""Seconds after which it is worth asking again: once a second's throughput is free, and once a version may run."""

THROTTLED = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
NOT_SERVING = frozenset({"ResourceNotFoundException", "ResourceNotReadyException"})
"""Codes of DetectCustomLabels for a version that was deleted, and for one that does not run."""


class Trouble(Exception):
    """A request that gets no predictions.

    :param status: the HTTP status of the answer.
    :param code: a word for programs, which does not change.
    :param message: a sentence for people, with nothing of AWS's insides.
    :param retry_after: seconds after which it is worth asking again; ``None`` where it is not.
    :param cause: what AWS said; for the log only.
    :param allow: the methods that a path takes, where it was the method that was wrong.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        retry_after: int | None = None,
        cause: str = "",
        allow: str = "",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after
        self.cause = cause
        self.allow = allow


class SettingError(Exception):
    """An environment variable of the function is missing or cannot be what it is."""


def error_code(error: ClientError) -> str:
    """Give AWS's code of an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def nothing_serves(cause: str = "") -> Trouble:
    """Word that no version answers at the moment."""
    return Trouble(
        503,
        "nothing_serves",
        f"No version of the model serves at the moment. Ask again in {LATER} seconds or more; if it stays so, a "
        "version has to be trained, deployed or started.",
        retry_after=LATER,
        cause=cause,
    )


def not_reached(cause: str) -> Trouble:
    """Word that AWS did not answer, or only with an error of its own."""
    return Trouble(
        502,
        "model_failed",
        "The model did not answer because of an error at AWS. Ask again with the same image.",
        retry_after=SOON,
        cause=cause,
    )


def of_detection(error: ClientError) -> Trouble:
    """Word what DetectCustomLabels refused; its codes are those of the Rekognition API reference."""
    code = error_code(error)
    cause = f"{code}: {error.response.get('Error', {}).get('Message', '')}"
    if code in THROTTLED:
        return Trouble(
            429,
            "too_many_requests",
            f"The model is asked more often than it can answer. Ask again in {SOON} second or more, and at "
            "a lower rate.",
            retry_after=SOON,
            cause=cause,
        )
    if code in NOT_SERVING:
        return nothing_serves(cause)
    if found := _ABOUT_THE_IMAGE.get(code):
        status, word, message = found
        return Trouble(status, word, message, cause=cause)
    if int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)) >= 500:
        return not_reached(cause)
    return Trouble(
        500,
        "not_allowed",
        "The function may not ask the model, or asks it wrongly. Whoever runs this API finds the reason in its log, by "
        "the request's id.",
        cause=cause,
    )


_ABOUT_THE_IMAGE = {
    "ImageTooLargeException": (
        413,
        "image_too_large",
        "The image is too large: at most 4 MB in a request or 15 MB in S3, and 4096 pixels a side. Send a smaller one.",
    ),
    "InvalidImageFormatException": (
        400,
        "bad_image",
        "The image cannot be read as JPEG or PNG. Send one that an image viewer opens.",
    ),
    "InvalidParameterException": (
        400,
        "bad_image",
        "The model does not take this image: sides have 64 to 4096 pixels, one at most 20 times the other. Send such.",
    ),
    "InvalidS3ObjectException": (
        400,
        "bad_image",
        "The image cannot be read from S3: there is no such object, or it is archived. Name another one.",
    ),
}
