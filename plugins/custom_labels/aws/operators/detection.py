"""The operator that puts a batch of images to a running version."""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import groupby
from operator import itemgetter
from typing import IO, TYPE_CHECKING, Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import BotoCoreError, ClientError

from custom_labels.aws.inference import EndpointUnavailable, InferenceClient, Prediction, PredictionStatus
from custom_labels.aws.links import CustomLabelsVersionLink, persist_link
from custom_labels.aws.operators.base import CustomLabelsOperator
from custom_labels.aws.predictions import InferenceImage
from custom_labels.s3.store import S3Store

if TYPE_CHECKING:
    from airflow.sdk import Context
    from mypy_boto3_s3.client import S3Client

    from custom_labels.aws.inference import NamedVersion

MOST_IN_XCOM = 100
"""Images whose results are returned as XCom, where no ``output_uri`` is given."""
EXAMPLES = 5
"""Images without an answer that the summary names."""
_VERSION_ARN = re.compile(r"arn:[^:]+:rekognition:[^:]+:\d{12}:project/([^/]+)/version/([^/]+)/\d+")


@dataclass(frozen=True)
class _Version:
    """The version that is asked."""

    version_name: str
    version_arn: str


class CustomLabelsDetectOperator(CustomLabelsOperator):
    """Put images in S3 to a running version, at a steady rate, and write what it detects.

    XCom: ``{"counts": {status: images}, "images": n, "output_uri": uri, "not_answered": [...]}``, where a status is
    ``answered``, ``unreadable``, ``gone`` or ``failed``, and ``not_answered`` has the first five images without an
    answer, with AWS's own words. Without ``output_uri`` the results are in the XCom as well, under ``results``.

    A result is ``{"image": uri, "status": status, "labels": [...], "message": AWS's words}``, and a label
    ``{"name": ..., "confidence": percent, "box": {"left", "top", "width", "height"} or null}``; the sides of a box are
    ratios of the image's. The output file has one result a line, bucket by bucket in the order of the images; a
    retry asks about all images again and replaces the file.

    :param version_arn: the version, which must be RUNNING (templated).
    :param image_uris: list of ``s3://`` URIs of JPEG or PNG images in the version's region (templated).
    :param bucket: the bucket of ``keys``, in place of ``image_uris`` (templated).
    :param keys: list of keys in ``bucket`` (templated).
    :param rate: calls a second at most; about 5 for each inference unit (templated).
    :param minimum_confidence: percent from 0 to 100 that a label needs; each label's assumed threshold if not given
        (templated).
    :param output_uri: ``s3://`` URI of the JSON Lines file for the results; needed for more than 100 images
        (templated).
    :raises AirflowFailException: a parameter has a value that cannot be used; no image was sent.
    :raises AirflowException: the version does not answer, or it refused every image.
    """

    template_fields: Sequence[str] = aws_template_fields(
        *CustomLabelsOperator.template_fields,
        "version_arn",
        "image_uris",
        "bucket",
        "keys",
        "rate",
        "minimum_confidence",
        "output_uri",
    )
    needed = ("version_arn",)
    operator_extra_links = (CustomLabelsVersionLink(),)

    def __init__(
        self,
        *,
        version_arn: str,
        image_uris: Sequence[str] | None = None,
        bucket: str | None = None,
        keys: Sequence[str] | None = None,
        rate: float | str = 5,
        minimum_confidence: float | str | None = None,
        output_uri: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.version_arn = version_arn
        self.image_uris = image_uris
        self.bucket = bucket
        self.keys = keys
        self.rate = rate
        self.minimum_confidence = minimum_confidence
        self.output_uri = output_uri

    def execute(self, context: Context) -> dict[str, Any]:
        """Check the parameters, ask about every image, write the results, and return the summary."""
        self.check_inputs()
        match = _VERSION_ARN.fullmatch(self.version_arn)
        if match is None:
            raise self._wrong("version_arn", "the ARN of a model version, as the operators on versions return it")
        images = self._images()
        if self.output_uri:
            self._split("output_uri", self.output_uri)
        elif len(images) > MOST_IN_XCOM:
            raise AirflowFailException(
                f"Task '{self.task_id}' has {len(images)} images and no 'output_uri': the results of at most "
                f"{MOST_IN_XCOM} are returned as XCom. No image was sent; set 'output_uri' to an s3:// URI."
            )
        rate = self._number("rate", 0.01, 10_000)
        has_minimum = self.minimum_confidence not in {None, "", "None"}
        confidence = self._number("minimum_confidence", 0, 100) if has_minimum else None
        persist_link(CustomLabelsVersionLink, context, self, project_name=match[1], version_name=match[2])
        with tempfile.TemporaryFile() as file:
            return self._detect(_Version(match[2], self.version_arn), images, rate, confidence, file)

    def _detect(
        self,
        version: NamedVersion,
        images: list[tuple[str, str]],
        rate: float,
        confidence: float | None,
        file: IO[bytes],
    ) -> dict[str, Any]:
        """Ask about the images, bucket by bucket, and sum up what came of it."""
        counts: Counter[str] = Counter()
        results: list[dict[str, Any]] = []
        not_answered: list[dict[str, Any]] = []
        for bucket, group in groupby(sorted(images, key=itemgetter(0)), key=itemgetter(0)):
            store = S3Store(bucket, "", self.aws_conn_id, self.region_name, self.verify, self.botocore_config)
            for prediction in self._predictions(InferenceClient(version, store, rate, confidence), group):
                result = _result(bucket, prediction)
                counts[result["status"]] += 1
                if prediction.status is not PredictionStatus.ANSWERED and len(not_answered) < EXAMPLES:
                    not_answered.append({name: result[name] for name in ("image", "status", "message")})
                if self.output_uri:
                    file.write(json.dumps(result, ensure_ascii=False).encode() + b"\n")
                else:
                    results.append(result)
        if self.output_uri:
            self._upload(file)
        self.log.info("%s images were put to %s: %s.", len(images), version.version_name, dict(counts))
        if images and counts["failed"] == len(images):
            raise AirflowException(
                f"{self.version_arn} refused every one of {len(images)} images; of {not_answered[0]['image']} AWS "
                f"says: {not_answered[0]['message']}. Allow rekognition:DetectCustomLabels on the version and "
                f"s3:GetObject on the images to the Airflow connection '{self.aws_conn_id}', then clear this task."
            )
        return {
            "counts": dict(counts),
            "images": len(images),
            "output_uri": self.output_uri or None,
            "not_answered": not_answered,
            **({} if self.output_uri else {"results": results}),
        }

    def _upload(self, file: IO[bytes]) -> None:
        """Write the results to ``output_uri``."""
        file.seek(0)
        bucket, key = self._split("output_uri", str(self.output_uri))
        s3: S3Client = S3Hook(**self._hook_parameters).get_conn()
        try:
            s3.upload_fileobj(file, bucket, key)
        except (BotoCoreError, ClientError, S3UploadFailedError) as error:
            raise AirflowException(
                f"The results could not be written to {self.output_uri}: {error}. Correct 'output_uri', or allow "
                f"s3:PutObject on it to the Airflow connection '{self.aws_conn_id}', then clear this task, which asks "
                "about all images again."
            ) from error

    def _predictions(
        self, client: InferenceClient[NamedVersion], images: Iterator[tuple[str, str]]
    ) -> Iterator[Prediction[NamedVersion]]:
        """Give the predictions in the order of the images, with as many calls in flight as keep the rate up."""
        flying: deque[Future[Prediction[NamedVersion]]] = deque()
        with ThreadPoolExecutor(client.threads) as pool:
            try:
                for _, key in images:
                    flying.append(pool.submit(client.detect, InferenceImage(key, "")))
                    if len(flying) >= 4 * client.threads:
                        yield flying.popleft().result()
                while flying:
                    yield flying.popleft().result()
            except EndpointUnavailable as error:
                raise AirflowException(
                    f"{self.version_arn} does not answer: {error}. No result was written; start the version (it must "
                    "be RUNNING) or correct 'version_arn', then clear this task."
                ) from error
            finally:
                client.stop()
                for future in flying:
                    future.cancel()

    def _images(self) -> list[tuple[str, str]]:
        """Give bucket and key of every image."""
        if (self.image_uris is None) == (self.keys is None):
            raise AirflowFailException(
                f"Task '{self.task_id}' has image_uris={self.image_uris!r} and keys={self.keys!r}: expected a list for "
                "one of the two. No image was sent; set 'image_uris', or 'bucket' and 'keys'. An earlier task that "
                "returned nothing gives None."
            )
        name = "image_uris" if self.keys is None else "keys"
        given = getattr(self, name)
        if isinstance(given, str) or not all(isinstance(each, str) and each for each in given):
            raise self._wrong(
                name,
                "a list of strings; where it is a Jinja template, pass the task's .output or set "
                "render_template_as_native_obj=True on the DAG",
            )
        if name == "image_uris":
            return [self._split(name, uri) for uri in given]
        if not self.bucket:
            raise self._wrong("bucket", "the name of the bucket that has the 'keys'")
        return [(self.bucket, key) for key in given]

    def _split(self, name: str, uri: str) -> tuple[str, str]:
        """Take a URI apart; characters such as ``#`` and ``?`` belong to the key."""
        scheme, _, rest = uri.partition("://")
        bucket, _, key = rest.partition("/")
        if scheme != "s3" or not bucket or not key:
            raise AirflowFailException(
                f"'{name}' of task '{self.task_id}' has {uri!r}: expected s3://bucket/key. No image was sent; correct "
                f"'{name}'."
            )
        return bucket, key

    def _number(self, name: str, least: float, most: float) -> float:
        try:
            number = float(getattr(self, name))
        except (TypeError, ValueError):
            number = float("nan")
        if not least <= number <= most:
            raise self._wrong(name, f"a number from {least} to {most}")
        return number

    def _wrong(self, name: str, expected: str) -> AirflowFailException:
        return AirflowFailException(
            f"'{name}' of task '{self.task_id}' is {str(getattr(self, name))[:300]!r}: expected {expected}. "
            f"No image was sent; correct '{name}'."
        )


def _result(bucket: str, prediction: Prediction[NamedVersion]) -> dict[str, Any]:
    """Turn a prediction into a line of the output."""
    return {
        "image": f"s3://{bucket}/{prediction.image.key}",
        "status": prediction.status.name.lower(),
        "labels": [asdict(label) for label in prediction.labels],
        "message": prediction.message,
    }
