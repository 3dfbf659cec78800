"""Where AWS could not be asked, the way out is the connection's, not the bucket's or the policy's."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.stub import Stubber

from custom_labels.s3.errors import Subject, connection_way_out

KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
NOWHERE = {"endpoint_url": "http://127.0.0.1:9", "config": Config(retries={"total_max_attempts": 1})}
REGION = {"region_name": "us-east-1"}
CASES = {
    "no region": (KEYS, "set 'region_name' in a file, or the region of the Airflow connection 'ours'"),
    "no credentials": (REGION, "give the Airflow connection 'ours' credentials, or the machine a role"),
    "nobody there": (
        {**KEYS, **REGION, **NOWHERE},
        "whether that region has the service, the endpoint_url",
    ),
    "a region that is none": (
        {**KEYS, "region_name": "us-nowhere-1"},
        "check 'region_name' in a file, whether",
    ),
}


@pytest.fixture(autouse=True)
def without_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine that has neither a region nor credentials of its own."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))


@pytest.mark.parametrize(("arguments", "words"), CASES.values(), ids=CASES)
def test_what_keeps_aws_from_being_asked_has_its_own_way_out(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(BotoCoreError) as raised:
        boto3.session.Session().client("rekognition", **arguments).describe_projects()  # type: ignore[call-overload]

    assert words in str(connection_way_out(raised.value, "ours", "a file"))
    assert words in str(Subject("s3://b/k", "b", "ours", "a file").error("get_object", raised.value))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("InvalidAccessKeyId", "correct the credentials of the Airflow connection 'ours'"),
        ("ExpiredToken", "correct the credentials of the Airflow connection 'ours'"),
        ("AccessDenied", None),
        ("NoSuchBucket", None),
    ],
)
def test_only_codes_about_credentials_are_the_connections(code: str, words: str | None) -> None:
    client = boto3.client("s3", **KEYS, **REGION)  # type: ignore[call-overload]
    with Stubber(client) as stub:
        stub.add_client_error("get_object", code, "AWS's words")
        with pytest.raises(ClientError) as raised:
            client.get_object(Bucket="b", Key="k")

    assert connection_way_out(raised.value, "ours") == words
    assert "AWS's words" in str(Subject("s3://b/k", "b", "ours").error("get_object", raised.value))
