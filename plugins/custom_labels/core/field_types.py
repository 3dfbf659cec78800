"""Texts of a project file that name things at AWS: what cannot be such a name is refused when the file is read."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator


def text_like(pattern: str, example: str) -> AfterValidator:
    """Make a check that a text matches a pattern as a whole.

    :param example: what is expected instead, in words: the end of the sentence "expected ...".
    """
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise ValueError(f"expected {example}")
        return value

    return AfterValidator(check)


# ProjectName is 1-255 of these characters (Rekognition API reference); shorter here, for names derived from it, and
# without the dot, which Airflow would read as a group.
ProjectName = Annotated[
    str,
    text_like(
        r"[a-zA-Z0-9][a-zA-Z0-9_\-]{0,99}",
        "letters, digits, dashes and underscores, at most 100, which is what the file is to be named",
    ),
]

# Resource types of the IAM, SageMaker and SNS API references, regions as in arn:aws:...:us-gov-west-1.
Region = Annotated[str, text_like(r"[a-z]{2,4}(-[a-z]+)+-\d+", "a region such as us-east-1")]
RoleArn = Annotated[
    str, text_like(r"arn:aws[a-z\-]*:iam::\d{12}:role/.+", "the ARN of a role, arn:aws:iam::<account>:role/<name>")
]
TopicArn = Annotated[
    str,
    text_like(
        r"arn:aws[a-z\-]*:sns:[a-z0-9\-]+:\d{12}:[a-zA-Z0-9_\-.]+",
        "the ARN of a topic, arn:aws:sns:<region>:<account>:<name>",
    ),
]
WorkteamArn = Annotated[
    str,
    text_like(
        r"arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]+:[^:]+:workteam/.+",
        "the ARN of a workteam, arn:aws:sagemaker:<region>:<account>:workteam/private-crowd/<name>",
    ),
]
QueueUrl = Annotated[
    str,
    text_like(r"https?://[^/\s]+/.+", "the URL of a queue, https://sqs.<region>.amazonaws.com/<account>/<name>"),
]
