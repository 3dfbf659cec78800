"""The bootstrap DAG of a project that asks at Label Studio: it makes the projects there, and says what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from custom_labels.core.settings import PROJECTS_DIR_VARIABLE, load_project
from custom_labels.review.backends.label_studio.backend import LabelStudioBackend
from tests.conftest import ROOT
from tests.kit.dag_runs import run_dag
from tests.kit.label_studio import STORAGE_CONN_ID
from tests.kit.review_project import make_store, set_up_surroundings
from tests.kit.support import BUCKET, s3

if TYPE_CHECKING:
    from include.label_studio.server import LabelStudio
    from include.local_aws.process import LocalAws

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("label_studio")]
REVIEWS = f"arn:aws:sqs:us-east-1:123456789012:{BUCKET}-reviews"


@pytest.fixture
def backend(
    aws: LocalAws, label_studio: LabelStudio, airflow_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> LabelStudioBackend:
    """The shipped project with another line for its backend, and a prefix that no other test has."""
    content: dict[str, Any] = yaml.safe_load((ROOT / "include" / "projects" / "digits.yaml").read_text())
    content["prefix"] = "bootstrap/label_studio"
    content["review"]["backend"] = "label_studio"
    content["review"]["label_studio"] = {"storage_conn_id": STORAGE_CONN_ID, "s3_endpoint": aws.endpoint_url}
    (tmp_path / "digits.yaml").write_text(yaml.safe_dump(content))
    monkeypatch.setenv(PROJECTS_DIR_VARIABLE, str(tmp_path))
    set_up_surroundings(aws)
    project = load_project("digits")
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
    monkeypatch.setenv("AIRFLOW_VAR_DIGITS__REVIEWERS_PER_IMAGE", "2")

    run = run_dag("bootstrap")

    assert (run.state, run.ends) == ("success", {"ready"})
    assert sorted(backend.asking) == [1, 2]
    facts = backend.store.read_json("registry/last_run/digits_bootstrap.json")[0]["facts"]
    assert facts["announcement of reviews"].startswith(f"{backend.project.prefix}reviews/label_studio/ to {REVIEWS}")
    assert label_studio.url in facts["Label Studio"]

    asking = backend.asking[1]
    backend.client.patch(f"/api/projects/{asking.id}/", {"maximum_annotations": 4})
    announce(aws, "somewhere/else/", backend.project.prefix)

    run = run_dag("bootstrap")

    assert run.failed == {"set_up_review", "check_everything"}
    assert "maximum_annotations is 4 instead of 1" in str(run.note)
    assert "does not send s3:ObjectCreated:* of bootstrap/label_studio/reviews/label_studio/" in str(run.note)
