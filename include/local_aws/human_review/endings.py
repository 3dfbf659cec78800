"""How a human loop ends: its answers are written to S3, and EventBridge hears of it.

Sources: the SageMaker guide's pages on A2I output data and on A2I events.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import logging
import time
import uuid
from typing import Any

from include.local_aws.human_review.state import Answer, Loop, Region
from include.local_aws.objects import ACCOUNT, ObjectDenied, ObjectMissing

log = logging.getLogger("local_aws")
_DETAIL_TYPE = "SageMaker A2I HumanLoop Status Change"


def complete_if_answered(region: Region, loop: Loop) -> bool:
    """Complete the loop if as many workers answered as its flow asks for; say whether it was so."""
    answered = len(loop.answers) >= loop.task_count
    if answered:
        end(region, loop, "Completed")
    return answered


def end(region: Region, loop: Loop, status: str, code: str | None = None, reason: str | None = None) -> None:
    """Bring an active loop to its last status: write the output, then send the event.

    A loop whose task was never shown has no output. One that expires or is stopped has the answers that came
    until then, which may be none.
    """
    if loop.is_open:
        try:
            loop.output_uri = _write_output(region, loop)
        except (ObjectMissing, ObjectDenied) as error:
            status, code, reason = "Failed", "ValidationError", f"Could not write the output to S3: {error}"
    loop.status, loop.failure_code, loop.failure_reason, loop.is_open = status, code, reason, False
    loop.flow.active -= 1
    del region.active_work[loop.name]
    _send_event(region, loop)


def _write_output(region: Region, loop: Loop) -> str:
    base = str(loop.flow.details["OutputConfig"]["S3OutputPath"]).rstrip("/")
    folder = dt.datetime.fromtimestamp(loop.created, dt.UTC).strftime("%Y/%m/%d/%H/%M/%S")
    uri = f"{base}/{loop.flow.name}/{folder}/{loop.name}/output.json"
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    document = {
        "flowDefinitionArn": loop.flow.arn,
        "humanAnswers": [human_answer(region, answer) for answer in loop.answers.values()],
        "humanLoopName": loop.name,
        "inputContent": loop.input_content,
    }
    region.objects.write(bucket, key, json.dumps(document).encode())
    return uri


def human_answer(region: Region, answer: Answer) -> dict[str, Any]:
    """Return an answer as AWS writes it, with the worker's opaque names."""
    identity = hashlib.sha256(answer.worker.encode()).digest()
    return {
        "acceptanceTime": _iso(answer.accepted),
        "answerContent": answer.content,
        "submissionTime": _iso(answer.submitted),
        "timeSpentInSeconds": round(answer.submitted - answer.accepted, 3),
        "workerId": identity[:8].hex(),
        "workerMetadata": {
            "identityData": {
                "identityProviderType": "Cognito",
                "issuer": f"https://cognito-idp.{region.name}.amazonaws.com/{region.name}_local",
                "sub": str(uuid.UUID(bytes=identity[:16])),
            }
        },
    }


def _send_event(region: Region, loop: Loop) -> None:
    detail: dict[str, Any] = {
        "creationTime": _iso(loop.created),
        "failureCode": loop.failure_code,
        "failureReason": loop.failure_reason,
        "flowDefinitionArn": loop.flow.arn,
        "humanLoopArn": loop.arn,
        "humanLoopName": loop.name,
        "humanLoopOutput": {"outputS3Uri": loop.output_uri} if loop.output_uri else None,
        "humanLoopStatus": loop.status,
    }
    send_event(region, _DETAIL_TYPE, loop.arn, detail)


def send_event(region: Region, detail_type: str, arn: str, detail: dict[str, Any]) -> None:
    """Put an event of SageMaker about a resource on the region's default bus."""
    from moto.core.exceptions import ServiceException
    from moto.events.models import events_backends
    from werkzeug.exceptions import HTTPException

    event = {
        "Source": "aws.sagemaker",
        "DetailType": detail_type,
        "Detail": json.dumps(detail),
        "Resources": [arn],
        "Time": time.time(),
    }
    try:
        events_backends[ACCOUNT][region.name].put_events([event])
    except (HTTPException, ServiceException) as error:
        # As on AWS, a rule's target that is gone loses the event and does not hinder the loop.
        log.warning("EventBridge could not deliver the end of %s: %s", arn, error)


def _iso(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
