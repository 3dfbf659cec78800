"""Short cuts for the tests of human review: a flow that is Active, loops, and pages as a browser asks for them."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.local_aws.support import BUCKET, Aws, pattern, wait_for

ROLE = "arn:aws:iam::123456789012:role/review"
LABELS = ["dots", "bars", "None of the above"]
TEMPLATE = """
<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <crowd-image-classifier name="shown" src="{{ task.input.taskObject | grant_read_access }}"
    categories="{{ task.input.labels | to_json | escape }}" header="{{ task.input.question }}">
    <full-instructions header="How">Look closely.</full-instructions>
    <short-instructions>Guess: {{ task.input.guess }}</short-instructions>
  </crowd-image-classifier>
</crowd-form>
"""


class Reviews:
    """SageMaker and A2I clients of one embedded AWS, and what a review needs beside them."""

    def __init__(self, aws: Aws, region: str = "us-east-1") -> None:
        self.aws = aws
        self.sagemaker = aws.client("sagemaker", region=region)
        self.a2i = aws.client("sagemaker-a2i-runtime", region=region)

    def task_ui(self, name: str = "ui", template: str = TEMPLATE) -> str:
        created = self.sagemaker.create_human_task_ui(HumanTaskUiName=name, UiTemplate={"Content": template})
        return str(created["HumanTaskUiArn"])

    def workteam(self, name: str = "team") -> str:
        member = {"CognitoMemberDefinition": {"UserPool": "us-east-1_x", "UserGroup": "g", "ClientId": "c"}}
        created = self.sagemaker.create_workteam(WorkteamName=name, MemberDefinitions=[member], Description="d")
        return str(created["WorkteamArn"])

    def create_flow(self, name: str, ui: str, team: str, output: str = f"s3://{BUCKET}/out", **config: Any) -> str:
        loop = {
            "WorkteamArn": team,
            "HumanTaskUiArn": ui,
            "TaskTitle": "What is this?",
            "TaskDescription": "Pick a label",
            "TaskCount": 1,
            **config,
        }
        created = self.sagemaker.create_flow_definition(
            FlowDefinitionName=name, HumanLoopConfig=loop, OutputConfig={"S3OutputPath": output}, RoleArn=ROLE
        )
        return str(created["FlowDefinitionArn"])

    def flow(self, name: str = "flow", template: str = TEMPLATE, **config: Any) -> str:
        """Make a flow definition with all it needs, wait until it is Active, return its ARN."""
        arn = self.create_flow(name, self.task_ui(f"{name}-ui", template), self.workteam(f"{name}-team"), **config)
        wait_for(lambda: self.flow_status(name), "Active")
        return arn

    def flow_status(self, name: str) -> str:
        return str(self.sagemaker.describe_flow_definition(FlowDefinitionName=name)["FlowDefinitionStatus"])

    def start(self, flow: str, name: str = "loop", content: object = None, label: str = "dots", **more: Any) -> str:
        """Start a loop over an image of its own; `content` replaces the input."""
        key = f"inbox/{label}/{name}.png"
        if content is None:
            self.aws.put(key, pattern(label, 1))
            content = {"taskObject": f"s3://{BUCKET}/{key}", "labels": LABELS, "question": "Which?", **more}
        text = content if isinstance(content, str) else json.dumps(content)
        started = self.a2i.start_human_loop(
            HumanLoopName=name, FlowDefinitionArn=flow, HumanLoopInput={"InputContent": text}
        )
        return str(started["HumanLoopArn"])

    def loop(self, name: str = "loop") -> dict[str, Any]:
        return dict(self.a2i.describe_human_loop(HumanLoopName=name))

    def ended(self, name: str = "loop", status: str = "Completed", seconds: float = 60) -> dict[str, Any]:
        """Wait until a loop has this status and return its description."""
        wait_for(lambda: self.loop(name)["HumanLoopStatus"], status, seconds)
        return self.loop(name)

    def output(self, name: str = "loop") -> dict[str, Any]:
        uri = self.loop(name)["HumanLoopOutput"]["OutputS3Uri"]
        return dict(json.loads(self.aws.read(uri.removeprefix(f"s3://{BUCKET}/"))))


def send(aws: Aws, method: str, path: str, form: dict[str, str] | None = None, **headers: str) -> tuple[int, str, str]:
    """Send what a browser sends; return status, text and Location."""
    connection = HTTPConnection(urlsplit(aws.url).netloc, timeout=10)
    body = None if form is None else urlencode(form)
    sent = {name.replace("_", "-").title(): value for name, value in headers.items()}
    if form is not None:
        sent["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request(method, path, body, sent)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text, answer.headers.get("Location", "")
