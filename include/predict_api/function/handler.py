"""The entry that Lambda calls: ``predict_api.handler.handler``."""

from __future__ import annotations

import os
from functools import cache

from .api import PredictApi
from .errors import SettingError, Trouble
from .events import Answer, Event, answer_of, request_id
from .logs import log
from .settings import ApiSettings

CLIENT = {"connect_timeout": 2, "read_timeout": 5, "retries": {"mode": "standard", "total_max_attempts": 2}}
"""Options of both clients: two tries end before the function's 25 seconds and the gateway's 29 do."""


@cache
def _api() -> PredictApi:
    """Make what all events of this process share; at the first one, so that a bad setting has an answer and a log."""
    import boto3
    from botocore.config import Config

    settings = ApiSettings.of(os.environ)
    config = Config(**CLIENT)  # type: ignore[arg-type]
    return PredictApi(settings, boto3.client("rekognition", config=config), boto3.client("s3", config=config))


def handler(event: Event, context: object) -> Answer:  # noqa: ARG001 - Lambda passes it
    """Answer an event of API Gateway."""
    try:
        api = _api()
    except SettingError as error:
        log("error", "bad_setting", request_id=request_id(event), message=str(error))
        trouble = Trouble(500, "bad_setting", "The API is set up wrongly. Whoever runs it finds the reason in its log.")
        return answer_of(trouble, request_id(event))
    return api.handle(event)
