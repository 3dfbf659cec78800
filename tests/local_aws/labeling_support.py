"""Short cuts for the tests of labeling jobs: what a job reads from S3, the job, and what it wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from include.local_aws.human_review.labeling.managed import ACCOUNTS
from tests.local_aws.review_support import ROLE
from tests.local_aws.support import BUCKET, Aws, pattern, wait_for

LABELS = ("dots", "bars")
PAGES = {
    "crowd-image-classifier": 'categories="{{ task.input.labels | to_json | escape }}"',
    "crowd-image-classifier-multi-select": 'categories="{{ task.input.labels | to_json | escape }}" '
    "exclusion-category=\"{ text: 'None of the above' }\"",
    "boundingBox": 'labels="{{ task.input.labels | to_json | escape }}"',
}
INITIAL = """initial-value="[
  {% for box in task.input.manifestLine.old.annotations %}
    {% capture class_id %}{{ box.class_id }}{% endcapture %}
    {% assign label = task.input.manifestLine.old-metadata.class-map[class_id] %}
    { label: {{ label | to_json }}, left: {{ box.left }}, top: {{ box.top }}, width: {{ box.width }},
      height: {{ box.height }}, },
  {% endfor %}
]" """


def page(field: str = "crowd-image-classifier", name: str | None = None, more: str = "") -> str:
    """Return a worker page with one element; `name` is another than the task type reads."""
    element = "crowd-bounding-box" if field == "boundingBox" else field
    return f"""<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form><{element} name="{name or field}" src="{{{{ task.input.taskObject | grant_read_access }}}}"
  {PAGES[field]} {more} header="Which?"></{element}></crowd-form>"""


def lambda_arn(name: str, region: str = "us-east-1", account: str = "") -> str:
    """Return the ARN of one of AWS's functions."""
    return f"arn:aws:lambda:{region}:{account or ACCOUNTS[region]}:function:{name}"


def field_of(kind: str) -> str:
    """Return the name of the element that a task type reads."""
    if kind.endswith("MultiLabel"):
        return "crowd-image-classifier-multi-select"
    return "boundingBox" if kind in ("BoundingBox", "AdjustmentBoundingBox") else "crowd-image-classifier"


class Jobs:
    """A SageMaker client of one embedded AWS, and what a job needs beside it."""

    def __init__(self, aws: Aws, region: str = "us-east-1") -> None:
        self.aws = aws
        self.region = region
        self.sagemaker = aws.client("sagemaker", region=region)

    def team(self) -> str:
        """Return the ARN of the team, made where it is missing."""
        teams = self.sagemaker.list_workteams(NameContains="labelers")["Workteams"]
        if not teams:
            member = {"CognitoMemberDefinition": {"UserPool": "us-east-1_x", "UserGroup": "g", "ClientId": "c"}}
            self.sagemaker.create_workteam(WorkteamName="labelers", MemberDefinitions=[member], Description="d")
            return self.team()
        return str(teams[0]["WorkteamArn"])

    def lines(self, *labels: str, **more: Any) -> list[dict[str, Any]]:
        """Put images of these labels, and return lines of a manifest for them."""
        lines = []
        for number, label in enumerate(labels):
            key = f"inbox/{label}/{number}.png"
            self.aws.put(key, pattern(label, number))
            lines.append({"source-ref": f"s3://{BUCKET}/{key}", "number": number, **more})
        return lines

    def put(
        self, name: str, lines: Sequence[object], labels: Sequence[str] = LABELS, template: str | None = None
    ) -> None:
        """Write manifest, categories and page of a job; a line that is text is written as it is."""
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        self.aws.put(f"jobs/{name}.manifest", "".join(f"{text}\n" for text in texts))
        document = {"document-version": "2018-11-28", "labels": [{"label": label} for label in labels]}
        self.aws.put(f"jobs/{name}.json", json.dumps(document))
        self.aws.put(f"jobs/{name}.html", template or page())

    def request(self, name: str = "job", kind: str = "ImageMultiClass", **task: Any) -> dict[str, Any]:
        """Return a request for a job whose files have its name."""
        return {
            "LabelingJobName": name,
            "LabelAttributeName": "label",
            "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": f"s3://{BUCKET}/jobs/{name}.manifest"}}},
            "OutputConfig": {"S3OutputPath": f"s3://{BUCKET}/labeled"},
            "RoleArn": ROLE,
            "LabelCategoryConfigS3Uri": f"s3://{BUCKET}/jobs/{name}.json",
            "HumanTaskConfig": {
                "WorkteamArn": self.team(),
                "UiConfig": {"UiTemplateS3Uri": f"s3://{BUCKET}/jobs/{name}.html"},
                "PreHumanTaskLambdaArn": lambda_arn(f"PRE-{kind}", self.region),
                "TaskTitle": "What is this?",
                "TaskDescription": "Pick a label",
                "NumberOfHumanWorkersPerDataObject": 1,
                "TaskTimeLimitInSeconds": 60,
                "AnnotationConsolidationConfig": {
                    "AnnotationConsolidationLambdaArn": lambda_arn(f"ACS-{kind}", self.region)
                },
                **task,
            },
        }

    def create(
        self,
        name: str = "job",
        kind: str = "ImageMultiClass",
        lines: Sequence[object] | None = None,
        template: str | None = None,
        changes: Mapping[str, Any] | None = None,
        **task: Any,
    ) -> str:
        """Create a job of this kind over two images, or the lines that are given; return its ARN."""
        self.put(name, self.lines(*LABELS) if lines is None else lines, LABELS, template or page(field_of(kind)))
        request = {**self.request(name, kind, **task), **(changes or {})}
        return str(self.sagemaker.create_labeling_job(**request)["LabelingJobArn"])

    def job(self, name: str = "job") -> dict[str, Any]:
        return dict(self.sagemaker.describe_labeling_job(LabelingJobName=name))

    def becomes(self, status: str, name: str = "job") -> dict[str, Any]:
        """Wait until a job has this status and return its description."""
        wait_for(lambda: self.job(name)["LabelingJobStatus"], status)
        return self.job(name)

    def output(self, name: str = "job") -> list[dict[str, Any]]:
        """Return the lines of the output manifest."""
        uri = self.job(name)["LabelingJobOutput"]["OutputDatasetS3Uri"]
        assert uri == f"s3://{BUCKET}/labeled/{name}/manifests/output/output.manifest"
        return [json.loads(text) for text in self.aws.read(uri.removeprefix(f"s3://{BUCKET}/")).splitlines()]

    def responses(self, index: int, name: str = "job") -> list[dict[str, Any]]:
        """Return what each worker said of an image."""
        prefix = f"labeled/{name}/annotations/worker-response/iteration-1/{index}/"
        found = self.aws.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return [answer for item in found for answer in json.loads(self.aws.read(item["Key"]))["answers"]]
