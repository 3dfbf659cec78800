"""The bootstrap DAG of a project that asks at Label Studio: it makes the projects there, and says what is wrong."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import yaml

from custom_labels.core.settings import PROJECTS_DIR_VARIABLE, load_project
from custom_labels.review.backends.label_studio.backend import LabelStudioBackend
from custom_labels.review.backends.label_studio.client import LabelStudioClient
from include.label_studio.server import free_port
from tests.conftest import HOME, ROOT
from tests.kit.dag_runs import run_dag
from tests.kit.label_studio import CONN_ID, STORAGE_CONN_ID
from tests.kit.review_project import make_store, set_up_surroundings
from tests.kit.support import BUCKET, s3

if TYPE_CHECKING:
    from include.label_studio.server import LabelStudio
    from include.local_aws.process import LocalAws

NAME = "studio"
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("label_studio")]
REVIEWS = f"arn:aws:sqs:us-east-1:123456789012:{BUCKET}-reviews"


@pytest.fixture
def backend(
    aws: LocalAws, label_studio: LabelStudio, airflow_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> LabelStudioBackend:
    """The shipped project with another line for its backend, and a name and a prefix that no other test has.

    Airflow keeps one asset of a name active, and Label Studio its projects.
    """
    content: dict[str, Any] = yaml.safe_load((ROOT / "include" / "projects" / "digits.yaml").read_text())
    content["prefix"] = f"bootstrap/{uuid4().hex}"
    content["review"]["backend"] = "label_studio"
    content["review"]["label_studio"] = {"storage_conn_id": STORAGE_CONN_ID, "s3_endpoint": aws.endpoint_url}
    (tmp_path / f"{NAME}.yaml").write_text(yaml.safe_dump(content))
    set_up_surroundings(aws)
    monkeypatch.setenv(PROJECTS_DIR_VARIABLE, str(tmp_path))
    project = load_project(NAME)
    announce(aws, "reviews/label_studio/", project.prefix)
    return LabelStudioBackend(project, make_store(project))


def announce(aws: LocalAws, folder: str, prefix: str) -> None:
    """Let the bucket send new images to their queue, and what is below a folder to that of the reviews."""
    queues = {"images_for_detection/": REVIEWS.replace("reviews", "detections"), folder: REVIEWS}
    routes = [
        {
            "QueueArn": queue,
            "Events": ["s3:ObjectCreated:*"],
            "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": f"{prefix}{name}"}]}},
        }
        for name, queue in queues.items()
    ]
    s3(aws).put_bucket_notification_configuration(
        Bucket=BUCKET,
        NotificationConfiguration={"QueueConfigurations": routes},  # type: ignore[typeddict-item]
    )


def test_it_makes_and_checks_what_reviews_need_and_says_what_is_wrong_later(
    aws: LocalAws, label_studio: LabelStudio, backend: LabelStudioBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"AIRFLOW_VAR_{NAME.upper()}__REVIEWERS_PER_IMAGE", "2")

    run = run_dag("bootstrap", project=NAME)

    assert (run.state, run.ends) == ("success", {"ready"})
    assert sorted(backend.asking) == [1, 2]
    facts = backend.store.read_json(f"registry/last_run/{NAME}_bootstrap.json")[0]["facts"]
    assert facts["announcement of reviews"].startswith(f"{backend.project.prefix}reviews/label_studio/ to {REVIEWS}")
    assert label_studio.url in facts["Label Studio"]

    asking = backend.asking[1]
    backend.client.patch(f"/api/projects/{asking.id}/", {"maximum_annotations": 4})
    announce(aws, "somewhere/else/", backend.project.prefix)

    run = run_dag("bootstrap", project=NAME)

    assert run.failed == {"set_up_review", "check_everything"}
    assert "maximum_annotations is 4 instead of 1" in str(run.note)
    assert f"does not send s3:ObjectCreated:* of {backend.project.prefix}reviews/label_studio/" in str(run.note)


@pytest.mark.parametrize("why", ["changed by hand", "token refused", "server down"])
def test_token_is_nowhere_after_runs_that_fail(
    aws: LocalAws,
    label_studio: LabelStudio,
    backend: LabelStudioBackend,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    why: str,
) -> None:
    """No log, XCom, note or rendered template of Airflow, nor any object in S3, holds it."""
    defaults = LabelStudioClient.__init__.__kwdefaults__
    assert defaults
    monkeypatch.setitem(defaults, "patience_seconds", 0.2)
    name = f"AIRFLOW_CONN_{CONN_ID.upper()}"
    connection = json.loads(os.environ[name])
    if why == "changed by hand":
        assert run_dag("bootstrap", project=NAME).state == "success"
        backend.client.patch(f"/api/projects/{backend.asking[1].id}/", {"maximum_annotations": 4})
    else:
        connection |= {"port": free_port()} if why == "server down" else {"password": "8d1f" * 10}
        monkeypatch.setenv(name, json.dumps(connection))
    token = str(connection["password"])

    assert "set_up_review" in run_dag("bootstrap", project=NAME).failed
    # What somebody changed keeps reviews from being opened, and no answer from being harvested.
    assert (run_dag("harvest_reviews", project=NAME).state == "success") == (why == "changed by hand")

    written = {str(path): path.read_bytes() for path in HOME.rglob("*") if path.is_file()}
    written["output"] = "".join(capfd.readouterr()).encode()
    for page in s3(aws).get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for each in page.get("Contents", []):
            written[each["Key"]] = s3(aws).get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read()
    assert [where for where, content in written.items() if token.encode() in content] == []
    # It has looked where such things are: in Airflow's database, in what the tasks logged, and in the registry.
    for where in (
        str(HOME / "airflow.db"),
        "output",
        f"{backend.project.prefix}registry/last_run/{NAME}_bootstrap.json",
    ):
        assert b"Label Studio" in written[where], where
