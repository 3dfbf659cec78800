"""An embedded AWS with something of everything in it, to which any bytes can be sent; and what is worth sending."""

from __future__ import annotations

import base64
import io
import json
import random
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.model import OperationModel
from botocore.parsers import create_parser
from PIL import Image

from include.local_aws.process import LocalAws
from include.local_aws.rekognition.paging import write_token
from tests.local_aws.forge import Sent
from tests.local_aws.labeling_support import Jobs, lambda_arn
from tests.local_aws.review_support import ROLE, TEMPLATE, Reviews
from tests.local_aws.support import BUCKET, OUTPUT, Aws, box_line, line, pattern, wait_for

SEED = 10
COMMON_ERRORS = frozenset(
    {"SerializationException", "ValidationException", "UnknownOperationException", "NotImplemented"}
)
_VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 2**70, "", "x" * 257, "\x00", [], {}, [None], [[]], {"a": 1}),
    *({"0": 7}, {"0": ["x"]}, {"0": None}, {"0": "x" * 257}, {"0": ""}, [{}], [7], [{"class_id": 0}]),
)
OWN_FAULTS = {"InternalServerError", "InternalServerException", "ThrottlingException"}


class World:
    """An embedded AWS in which there is something of everything, and a raw connection to it."""

    def __init__(self, server: LocalAws, log: Path) -> None:
        self.aws = Aws(server.endpoint_url)
        self.reviews = Reviews(self.aws)
        self.log = log
        self._connection = HTTPConnection(urlsplit(server.endpoint_url).netloc, timeout=60)
        self.aws.s3.create_bucket(Bucket=BUCKET)
        project = self.aws.colour_project("full")
        self.aws.train(project, "good")
        self.aws.start(project, "good")
        bare, poor = self.aws.project("bare"), self.aws.project("poor")
        self.source = self.aws.manifest("good.manifest", self.aws.colour_lines({"dots": 3, "bars": 3}))
        self.aws.dataset(poor, "TRAIN", ["{", *self.aws.colour_lines({"dots": 1})])
        self.aws.dataset(self.aws.project("split"), "TRAIN", self.aws.colour_lines({"dots": 3}))
        self.aws.dataset(
            self.aws.rekognition.describe_projects(ProjectNames=["split"])["ProjectDescriptions"][0]["ProjectArn"],
            "TEST",
        )
        self.aws.rekognition.put_project_policy(ProjectArn=bare, PolicyName="p", PolicyDocument='{"Statement": []}')
        self.aws.control.save("world")

    def datasets(self) -> list[str]:
        """Return the ARNs of all datasets."""
        found = self.aws.rekognition.describe_projects()["ProjectDescriptions"]
        return [dataset["DatasetArn"] for item in found for dataset in item["Datasets"]]

    def renew(self) -> dict[str, list[Any]]:
        """Go back to the beginning, and return what there is by the names of the members that may mean it."""
        self.aws.control.restore("world")
        self.aws.control.durations(**dict.fromkeys(self.aws.control.durations(), 0.0))
        self.aws.control.quotas(trainings=4)
        flow = self.reviews.flow()
        self.reviews.start(flow)
        wait_for(lambda: self.reviews.loop()["HumanLoopStatus"], "InProgress")
        Jobs(self.aws).create()
        return self._known(flow)

    def _known(self, flow: str) -> dict[str, list[Any]]:
        found = self.aws.rekognition.describe_projects()["ProjectDescriptions"]
        projects = [item["ProjectArn"] for item in found]
        datasets = [dataset["DatasetArn"] for item in found for dataset in item["Datasets"]]
        (good,) = self.aws.rekognition.describe_project_versions(ProjectArn=projects[-1])["ProjectVersionDescriptions"]
        versions = [good["ProjectVersionArn"]] * 3 + [good["ProjectVersionArn"][:-1] + "0"]
        (dataset, *_rest) = datasets
        kinds = (
            "projects",
            "task-uis",
            "flows",
            "workteams",
            "labeling jobs",
            f"loops of {flow}",
            f"entries {dataset}",
            f"versions {projects[-1]}",
        )
        tokens = [write_token(kind, place) for kind in kinds for place in (0, 1, -1, 10**30)]
        return {
            **dict.fromkeys(("ProjectArn", "SourceProjectArn", "DestinationProjectArn"), projects),
            **dict.fromkeys(("ProjectVersionArn", "SourceProjectVersionArn"), versions),
            **dict.fromkeys(("DatasetArn", "Arn"), datasets),
            "ResourceArn": [*projects, *datasets, *versions],
            "NextToken": [*tokens, "", "NQ==", "W10=", "bnVsbA==", "WzEsMl0=", "e30="],
            **dict.fromkeys(("Bucket", "S3Bucket"), [BUCKET] * 4 + ["missing", "a..b"]),
            "Name": ["good.manifest", "train/dots/0.png", "train/dots/0.png", "missing", "/", "é"],
            "Version": ["null", "1", "no-such-version"],
            "Bytes": pictures(),
            "Image": [
                *({"Bytes": base64.b64encode(content).decode()} for content in pictures()),
                *[{"S3Object": {"Bucket": BUCKET, "Name": "train/dots/0.png"}}] * 5,
            ],
            "GroundTruth": manifests(),
            "OutputConfig": [
                OUTPUT,
                OUTPUT,
                {},
                {"S3KeyPrefix": "x"},
                {"S3Bucket": "missing"},
                {"S3OutputPath": "s3://x/"},
            ],
            "TrainingData": [{"Assets": [self.source]}, {"Assets": []}, {"Assets": [{}]}],
            "TestingData": [{"AutoCreate": True}, {"Assets": [self.source]}, {}],
            "PolicyDocument": ['{"Statement": []}', "{", "[]", '{"Statement": ' + "[" * 900],
            "PolicyName": ["p", "other"],
            "VersionName": ["good", "new", "other"],
            "ProjectName": ["full", "bare", "new"],
            "FlowDefinitionArn": [flow],
            "FlowDefinitionName": ["flow", "new"],
            "HumanTaskUiName": ["flow-ui", "new"],
            "HumanTaskUiArn": [flow.replace("flow-definition/flow", "human-task-ui/flow-ui")],
            "WorkteamName": ["flow-team", "new"],
            "WorkteamArn": [flow.replace("flow-definition/flow", "workteam/private-crowd/flow-team")],
            "HumanLoopName": ["loop", "new"],
            "LabelingJobName": ["job", "new"],
            "LabelAttributeName": ["label", "label-metadata"],
            "ManifestS3Uri": [f"s3://{BUCKET}/{name}" for name in ("jobs/job.manifest", "good.manifest", "missing")],
            "LabelCategoryConfigS3Uri": [f"s3://{BUCKET}/{name}" for name in ("jobs/job.json", "good.manifest")],
            "UiTemplateS3Uri": [f"s3://{BUCKET}/{name}" for name in ("jobs/job.html", "train/dots/0.png", "missing")],
            "PreHumanTaskLambdaArn": [lambda_arn("PRE-ImageMultiClass"), lambda_arn("PRE-BoundingBox")],
            "AnnotationConsolidationLambdaArn": [lambda_arn("ACS-ImageMultiClass"), lambda_arn("ACS-Nothing")],
            "S3OutputPath": [f"s3://{BUCKET}/out", f"s3://{BUCKET}/out/", "s3://", "s3://missing/x", "nowhere"],
            "RoleArn": [ROLE],
            "KmsKeyId": ["alias/key"],
            "TargetArn": ["arn:aws:sns:us-east-1:123456789012:topic"],
            "NotificationTopicArn": ["arn:aws:sns:us-east-1:123456789012:topic"],
            "HumanLoopActivationConditions": ['{"Conditions": []}', "{", "7"],
            "WorkforceName": ["new"],
            "Content": [TEMPLATE, "{{ task.input.x | to_json }}", "{% if %}", "{{ 1 | divided_by: 0 }}"],
            **dict.fromkeys(
                ("Input", "InputContent"),
                ['{"labels": ["a"]}'] * 4 + ['{"labels": ["a"]}', "{", "[]", "[" * 100_000, "NaN", '{"a": 1e999}'],
            ),
            "CreationTimeAfter": [0, 1e9],
        }

    def answer(self, operation: OperationModel, sent: Sent, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Send a request of an operation, return status, headers and body."""
        metadata = operation.service_model.metadata
        signing = metadata.get("signingName", metadata["endpointPrefix"])
        named = {
            "Authorization": f"AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/{signing}/aws4_request",
            "Content-Type": "application/x-amz-json-1.1",
        }
        if metadata["protocol"] == "json":
            named["X-Amz-Target"] = f"{metadata['targetPrefix']}.{operation.name}"
        return self.send(operation.http["method"], sent, {**named, **headers})

    def send(self, method: str, sent: Sent, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        """Send any request, return status, headers and body; status 0 if none came."""
        try:
            self._connection.request(method, sent.path, sent.body, headers)
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, HTTPException) as error:
            self._connection.close()
            return 0, {}, repr(error).encode()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, content

    def unfinished(self) -> list[str]:
        """Return what is still on its way from one state to another."""
        statuses = {}
        for project in self.aws.rekognition.describe_projects()["ProjectDescriptions"]:
            statuses[project["ProjectArn"]] = (project["Status"], "")
            for dataset in project["Datasets"]:
                statuses[dataset["DatasetArn"]] = (dataset["Status"], dataset["StatusMessage"])
                if dataset["Status"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
                    self.aws.rekognition.list_dataset_entries(DatasetArn=dataset["DatasetArn"])
                    self.aws.rekognition.list_dataset_labels(DatasetArn=dataset["DatasetArn"])
            found = self.aws.rekognition.describe_project_versions(ProjectArn=project["ProjectArn"])
            for version in found["ProjectVersionDescriptions"]:
                statuses[version["ProjectVersionArn"]] = (version["Status"], version["StatusMessage"])
        for flow in self.reviews.sagemaker.list_flow_definitions()["FlowDefinitionSummaries"]:
            statuses[flow["FlowDefinitionArn"]] = (flow["FlowDefinitionStatus"], flow.get("FailureReason", ""))
            loops = self.reviews.a2i.list_human_loops(FlowDefinitionArn=flow["FlowDefinitionArn"])
            for loop in loops["HumanLoopSummaries"]:
                statuses[loop["HumanLoopName"]] = (loop["HumanLoopStatus"], loop.get("FailureReason", ""))
        for job in self.reviews.sagemaker.list_labeling_jobs(StatusEquals="Initializing")["LabelingJobSummaryList"]:
            statuses[job["LabelingJobName"]] = (job["LabelingJobStatus"], job.get("FailureReason", ""))
        bugs = [f"{name}: {message}" for name, (_, message) in statuses.items() if "Bug in local AWS" in message]
        assert not bugs, bugs
        return [
            f"{name}: {status}"
            for name, (status, _) in statuses.items()
            if status.endswith("_IN_PROGRESS")
            or status in ("CREATING", "DELETING", "STARTING", "STOPPING", "Stopping", "Initializing", "Deleting")
        ]


def judge(
    operation: OperationModel,
    status: int,
    headers: dict[str, str],
    body: bytes,
    common: frozenset[str] = COMMON_ERRORS,
) -> str | None:
    """Say what is wrong with an answer, None if nothing is: `common` are the errors that it may be beside its own."""
    if "json" not in headers.get("content-type", ""):
        return f"{status} with {headers.get('content-type')}: {body[:300]!r}"
    try:
        document = json.loads(body)
    except ValueError:
        return f"{status} with a body that is no JSON: {body[:300]!r}"
    if status == operation.http.get("responseCode", 200):
        parser = create_parser(operation.service_model.metadata["protocol"])
        parser.parse({"headers": headers, "body": body, "status_code": status}, operation.output_shape)  # type: ignore[arg-type]
        return None
    code = document.get("__type")
    allowed = ({shape.name for shape in operation.error_shapes} | common) - OWN_FAULTS
    if code not in allowed or (status >= 500 and status != 501) or not document.get("message"):
        return f"{status} {code}: {document.get('message')}"
    return None


def pictures() -> list[bytes]:
    """Give images, good ones and ones that are cut, changed or of another format."""
    chance = random.Random(SEED)
    good = [pattern("dots", 1), pattern("dots", 1, kind="JPEG"), pattern("bars", 2, size=(63, 64))]
    changed = []
    for content in good * 10:
        data = bytearray(content[: chance.choice((len(content), len(content), 8, 33, len(content) // 2))])
        for _ in range(chance.randint(0, 5)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        changed.append(bytes(data))
    others = []
    for kind in ("GIF", "BMP", "TIFF", "WEBP"):
        buffer = io.BytesIO()
        Image.new("RGB", (80, 80)).save(buffer, kind)
        others.append(buffer.getvalue())
    return [*good * 15, *changed, *others, b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"]


def changed_lines() -> list[str]:
    """Give manifest lines of both kinds, each with one of its values replaced by each of many others."""
    found = []
    for text in (line("train/dots/0.png", "dots"), box_line("train/dots/0.png")):
        for path in paths(json.loads(text)):
            for value in _VALUES:
                document = json.loads(text)
                holder = document
                for step in path[:-1]:
                    holder = holder[step]
                holder[path[-1]] = value
                found.append(json.dumps(document))
    return found


def manifests() -> list[bytes]:
    """Give manifests of six lines, one of which has a wrong value, and some that are none."""
    good = [line(f"train/{label}/{number}.png", label) for label in ("dots", "bars") for number in range(1, 4)]
    changed = random.Random(SEED).sample(changed_lines(), 60)
    broken = [b"\n", b"\xff", b"null", b"[]\n{}", b"[" * 99_999, b'{"source-ref": 7}']
    return [*broken, *("\n".join([text, *good]).encode() for text in changed)]


def paths(value: Any) -> list[list[Any]]:
    """Give the path of every member and item in a JSON value."""
    if not isinstance(value, (dict, list)):
        return []
    steps = list(value) if isinstance(value, dict) else list(range(len(value)))
    return [path for step in steps for path in [[step], *([step, *rest] for rest in paths(value[step]))]]
