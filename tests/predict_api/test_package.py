"""What is deployed: a zip that needs no more than boto3, and a template that grants what the function does."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from custom_labels.core.keys import INBOX
from custom_labels.core.project_task import ProjectTask
from custom_labels.core.registry import LIVE
from include.predict_api.__main__ import main
from include.predict_api.function import handler as handler_module
from include.predict_api.function.bodies import BINARY_TYPES
from include.predict_api.function.inbox import INBOX as PREDICT_INBOX
from include.predict_api.function.pointer import LIVE as POINTER
from include.predict_api.function.settings import INBOX_CHOICES, TASKS, ApiSettings
from include.predict_api.package import TEMPLATE, build
from tests.infra.test_template import Loader
from tests.kit.detect_runs import serve
from tests.kit.predict_events import http_event, rest_event, said
from tests.kit.support import BUCKET, picture

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws


def run(code: str, zip_file: Path, *options: str, **environment: str) -> str:
    """Run code in a Python that finds the zip, in a folder that is not ours; give what it prints."""
    lines = f"import sys; sys.path.insert(0, {str(zip_file)!r})\n{code}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTHON"))}
    done = subprocess.run(
        [sys.executable, *options, "-c", lines],
        cwd=zip_file.parent,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_zip_is_the_same_bytes_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["--build", str(tmp_path / "a" / "b")]) == 0
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    first, second = (tmp_path / "a" / "b" / "predict-api.zip"), build(tmp_path / "c")[0]

    assert hashlib.sha256(first.read_bytes()).digest() == hashlib.sha256(second.read_bytes()).digest()
    with zipfile.ZipFile(first) as made:
        names = made.namelist()
    assert {"predict_api/__init__.py", "predict_api/handler.py"} < set(names)
    assert [name for name in names if not name.startswith("predict_api/") or not name.endswith(".py")] == []


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["--build", str(tmp_path / "file")]) == 1
    assert "Name another folder" in capsys.readouterr().err


def test_the_function_is_imported_with_nothing_installed(tmp_path: Path) -> None:
    """Without ``site`` there is the standard library only; boto3 is imported by the first event."""
    code = "import predict_api.handler; print(sorted({name.partition('.')[0] for name in sys.modules}))"

    loaded = run(code, build(tmp_path)[0], "-I", "-S")

    assert "'predict_api'" in loaded
    assert "botocore" not in loaded


def test_the_zip_answers_events_with_boto3_alone(aws: LocalAws, tmp_path: Path) -> None:
    serve(aws)
    zip_file, _ = build(tmp_path)
    events = [rest_event(body=picture("rows", 7)), http_event("GET", "/health")]
    (tmp_path / "events.json").write_text(json.dumps(events))
    code = (
        "import json\nfrom predict_api.handler import handler\n"
        "for event in json.load(open('events.json')): print(json.dumps(handler(event, None)))\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )

    printed = run(
        code,
        zip_file,
        PREDICT_BUCKET=BUCKET,
        AWS_ENDPOINT_URL=aws.endpoint_url,
        AWS_DEFAULT_REGION="us-east-1",
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",
    ).splitlines()

    log, predicted, health, modules = (json.loads(line) for line in printed)
    assert (log["event"], said(predicted)[1]["version"], said(health)) == ("predicted", "v1", (200, {"version": "v1"}))
    assert not {"airflow", "custom_labels", "include", "pydantic", "yaml", "numpy", "tests"}.intersection(modules)


def test_a_bad_setting_is_500_without_its_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    handler_module._api.cache_clear()
    monkeypatch.setenv("PREDICT_BUCKET", "secret-bucket")
    monkeypatch.setenv("PREDICT_INBOX", "sometimes")

    status, body = said(handler_module.handler(rest_event(), None))

    assert (status, body["error"]) == (500, "bad_setting")
    assert "sometimes" not in json.dumps(body)
    assert json.loads(capsys.readouterr().out)["message"].startswith("PREDICT_INBOX is 'sometimes'")


def test_names_that_the_function_cannot_import_are_those_of_the_package() -> None:
    assert f"{INBOX}predict/" == PREDICT_INBOX
    assert POINTER == LIVE
    assert [each.upper() for each in ProjectTask] == list(TASKS)


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return dict(yaml.load(TEMPLATE.read_text(), Loader))


@pytest.fixture(scope="module")
def resources(template: dict[str, Any]) -> dict[str, Any]:
    return dict(template["Resources"])


def statements(resources: dict[str, Any]) -> dict[str, tuple[str | None, Any, Any]]:
    """Give condition, actions and resource of each statement of the function's role, by its name."""
    (policy,) = resources["Role"]["Properties"]["Policies"]
    found = {}
    for each in policy["PolicyDocument"]["Statement"]:
        condition, statement, _ = each.get("If", (None, each, None))
        where = statement["Resource"]
        where = where.get("Sub", where.get("GetAtt")).removeprefix("arn:${AWS::Partition}:")
        found[statement["Sid"]] = (condition, statement["Action"], where)
    return found


def test_the_function_may_do_what_it_does_and_no_more(resources: dict[str, Any]) -> None:
    at_s3 = "s3:::${BucketName}/${Prefix}"
    assert statements(resources) == {
        "AskVersions": (
            None,
            "rekognition:DetectCustomLabels",
            "rekognition:${AWS::Region}:${AWS::AccountId}:project/${ProjectName}/version/*",
        ),
        "ReadPointer": (None, "s3:GetObject", f"{at_s3}{LIVE}"),
        "SeeThatPointerIsMissing": (None, "s3:ListBucket", "s3:::${BucketName}"),
        "ReadImages": ("ReadsImages", "s3:GetObject", f"{at_s3}${{ImagesBelow}}*"),
        "FillInbox": ("FillsInbox", "s3:PutObject", f"{at_s3}{PREDICT_INBOX}*"),
        "WriteLog": (None, ["logs:CreateLogStream", "logs:PutLogEvents"], "Log.Arn"),
    }


def test_every_setting_of_the_function_is_a_parameter(template: dict[str, Any], resources: dict[str, Any]) -> None:
    variables = resources["Function"]["Properties"]["Environment"]["Variables"]
    parameters, defaults = template["Parameters"], ApiSettings("b")

    assert {name: variable["Ref"] in parameters for name, variable in variables.items()} == dict.fromkeys(
        [
            f"PREDICT_{name}"
            for name in ("BUCKET", "PREFIX", "TASK", "POINTER_SECONDS", "IMAGES_BELOW", "INBOX", "DOUBT_BELOW")
        ],
        True,
    )
    assert parameters["Inbox"]["AllowedValues"] == list(INBOX_CHOICES)
    assert parameters["Task"]["AllowedValues"] == [each.lower() for each in TASKS]
    assert parameters["PointerSeconds"]["Default"] == defaults.pointer_seconds
    assert parameters["DoubtBelow"]["Default"] == defaults.doubt_below


def test_nobody_calls_it_without_iam_or_a_key(resources: dict[str, Any]) -> None:
    methods = [each["Properties"] for each in resources.values() if each["Type"] == "AWS::ApiGateway::Method"]
    assert len(methods) == 2
    for method in methods:
        assert method["AuthorizationType"] == {"If": ["ByKey", "NONE", "AWS_IAM"]}
        assert method["ApiKeyRequired"] == {"If": ["ByKey", True, False]}
    paths = {each["Properties"]["PathPart"] for each in resources.values() if each["Type"].endswith("::Resource")}
    assert paths == {"predict", "health"}


def test_the_gateway_hands_images_over_as_the_function_expects_them(resources: dict[str, Any]) -> None:
    assert resources["Api"]["Properties"]["BinaryMediaTypes"] == list(BINARY_TYPES)
    function = resources["Function"]["Properties"]
    assert (function["Code"], function["Handler"]) == ("predict-api.zip", "predict_api.handler.handler")
    assert function["Timeout"] < 29


def test_calls_are_throttled_with_either_kind_of_authorization(resources: dict[str, Any]) -> None:
    (stage,) = resources["Stage"]["Properties"]["MethodSettings"]
    plan = resources["Plan"]["Properties"]
    assert (stage["ThrottlingRateLimit"], stage["ThrottlingBurstLimit"]) == (
        {"Ref": "RequestsPerSecond"},
        {"Ref": "Burst"},
    )
    assert plan["Throttle"] == {"RateLimit": {"Ref": "RequestsPerSecond"}, "BurstLimit": {"Ref": "Burst"}}
    for name in ("TooManyRequests", "TooLarge"):
        body = resources[name]["Properties"]["ResponseTemplates"]["application/json"]
        assert set(json.loads(body)) == {"error", "message", "request_id"}
