"""Whatever a client sends, the answer is the operation's own or one of its errors, and everything comes to an end."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest
from botocore.model import OperationModel, StructureShape
from botocore.session import get_session

from include.local_aws.human_review.service import A2I, SAGEMAKER
from include.local_aws.process import LocalAws
from include.local_aws.rekognition.service import OPERATIONS
from tests.local_aws.conftest import FAST
from tests.local_aws.forge import BODIES, Forge, Sent
from tests.local_aws.support import wait_for
from tests.local_aws.world import COMMON_ERRORS, SEED, World, changed_lines, judge, manifests, pictures

REQUESTS = 60
SERVED = [
    *(("rekognition", name) for name in OPERATIONS),
    *(("sagemaker", name) for name in SAGEMAKER),
    *(("sagemaker-a2i-runtime", name) for name in A2I),
]


def model(service: str, name: str) -> OperationModel:
    return get_session().get_service_model(service).operation_model(name)


def input_of(operation: OperationModel) -> StructureShape:
    assert operation.input_shape is not None
    return operation.input_shape


IDS = [f"{service}.{name}" for service, name in SERVED]
PAGED = [(service, name) for service, name in SERVED if "NextToken" in input_of(model(service, name)).members]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    log = tmp_path_factory.mktemp("any_request") / "log.txt"
    with LocalAws(FAST, log=log) as server:
        yield World(server, log)


@pytest.mark.parametrize(("service", "name"), SERVED, ids=IDS)
def test_answer_is_one_of_the_operation_when_anything_is_sent(world: World, service: str, name: str) -> None:
    operation = model(service, name)
    forge = Forge(operation, world.renew(), f"{SEED}/{name}")
    logged = world.log.stat().st_size
    requests = [*forge.requests(REQUESTS), *(Sent(forge.sent({}).path, body) for body in BODIES)]
    problems = [
        f"{problem}\n{operation.http['method']} {sent}"
        for sent in requests
        if (problem := judge(operation, *world.answer(operation, sent)))
    ]
    assert not problems, f"{len(problems)} of {len(requests)} answers are wrong, such as:\n" + "\n".join(problems[:20])
    wait_for(world.unfinished, list[str]())
    assert "Traceback" not in world.log.read_text()[logged:]


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Content-Type": ""}, id="no content type"),
        pytest.param({"Content-Type": "text/html"}, id="a page"),
        pytest.param({"Content-Type": "application/x-www-form-urlencoded"}, id="a form"),
        pytest.param({"Content-Type": "multipart/form-data; boundary=x"}, id="a form of several parts"),
        pytest.param({"Content-Type": "application/json; charset=utf-16"}, id="another encoding"),
        pytest.param({"Content-Encoding": "gzip"}, id="said to be compressed"),
        pytest.param({"Authorization": ""}, id="no signature"),
        pytest.param(
            {"Authorization": "AWS4-HMAC-SHA256 Credential=AK/20260101/no region!/rekognition/aws4_request"},
            id="no region",
        ),
    ],
)
@pytest.mark.parametrize(
    ("service", "name", "document"),
    [
        ("rekognition", "CreateProject", {"ProjectName": "fresh"}),
        ("rekognition", "DescribeProjects", {}),
        ("sagemaker", "CreateHumanTaskUi", {"HumanTaskUiName": "fresh", "UiTemplate": {"Content": "x"}}),
    ],
)
def test_answer_is_one_of_the_operation_when_headers_are_wrong(
    world: World, service: str, name: str, document: dict[str, object], headers: dict[str, str]
) -> None:
    operation = model(service, name)
    sent = Sent("/", json.dumps(document).encode())
    common = COMMON_ERRORS | {"InvalidSignatureException"}
    assert judge(operation, *world.answer(operation, sent, **headers), common) is None


@pytest.mark.parametrize(
    ("service", "method", "path", "target"),
    [
        ("rekognition", "POST", "/", ""),
        ("rekognition", "POST", "/", "RekognitionService."),
        ("rekognition", "POST", "/", "RekognitionService.Nope"),
        ("rekognition", "POST", "/", "Nope"),
        ("rekognition", "GET", "/", ""),
        ("sagemaker", "POST", "/", "SageMaker."),
        ("sagemaker", "PATCH", "/human-loops", ""),
        ("sagemaker", "GET", "/human-loops/a/b", ""),
        ("sagemaker", "DELETE", "/human-loops", ""),
    ],
)
def test_answer_says_so_in_json_when_no_operation_is_called(
    world: World, service: str, method: str, path: str, target: str
) -> None:
    scope = f"AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/{service}/aws4_request"
    headers = {"Authorization": scope, **({"X-Amz-Target": target} if target else {})}
    status, found, body = world.send(method, Sent(path, b"{}"), headers)
    assert (status, "json" in found["content-type"]) == (501, True)
    assert "is not served" in json.loads(body)["message"]


@pytest.mark.parametrize(("service", "name"), PAGED, ids=[name for _, name in PAGED])
def test_first_page_is_given_when_the_token_is_empty(world: World, service: str, name: str) -> None:
    operation, known = model(service, name), world.renew()
    document = {member: known[member][0] for member in input_of(operation).required_members}
    forge = Forge(operation, {}, "")
    answers = [world.answer(operation, forge.sent({**document, **token})) for token in ({}, {"NextToken": ""})]
    assert [status for status, _, _ in answers] == [200, 200]
    assert answers[0][2] == answers[1][2]


def test_dataset_can_be_listed_when_any_value_of_a_line_is_another(world: World) -> None:
    world.renew()
    dataset = world.datasets()[0]
    for content in manifests():
        world.aws.rekognition.update_dataset_entries(DatasetArn=dataset, Changes={"GroundTruth": content})
        description = world.aws.settled(dataset)
        assert "Bug" not in description["StatusMessage"], (description, content)
        if description["Status"] == "UPDATE_COMPLETE":
            assert world.aws.rekognition.list_dataset_entries(DatasetArn=dataset)["DatasetEntries"], content
            world.aws.rekognition.list_dataset_labels(DatasetArn=dataset)


def test_training_ends_with_its_reason_when_any_value_of_a_line_is_another(world: World) -> None:
    world.renew()
    aws, project = world.aws, world.aws.project("any-lines")
    source = {"Assets": [aws.manifest("any.manifest", changed_lines())]}
    version = aws.train(project, "v1", TrainingData=source, TestingData=source)
    assert (version["Status"], "Bug" in version["StatusMessage"]) == ("TRAINING_FAILED", False)
    assert "ERROR_TOO_MANY_INVALID_ROWS_IN_MANIFEST" in version["StatusMessage"]
    validated = version["TrainingDataResult"]["Validation"]["Assets"][0]["GroundTruthManifest"]["S3Object"]["Name"]
    found = [json.loads(text) for text in aws.read(validated).splitlines()]
    assert len(found) == len(changed_lines())


def test_detection_answers_when_an_image_is_any_bytes(world: World) -> None:
    version = world.renew()["ProjectVersionArn"][0]
    operation = model("rekognition", "DetectCustomLabels")
    for content in pictures():
        document = {"ProjectVersionArn": version, "Image": {"Bytes": base64.b64encode(content).decode()}}
        problem = judge(operation, *world.answer(operation, Sent("/", json.dumps(document).encode())))
        assert problem is None, (problem, content[:2000])
