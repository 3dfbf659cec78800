"""The steps that put a version into service, whoever chose it: a training that passed its gates, or a rollback."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from custom_labels.domain.deployment import LiveVersion, SmokeAnswer, smoke_failure
from custom_labels.domain.errors import ModelError
from custom_labels.domain.statuses import VERSION_RUNNING, Verdict
from custom_labels.operators.project import ProjectContext, branch, step, values
from custom_labels.storage.known_images import bucket_and_key, known_images

log = logging.getLogger(__name__)


@step
def smoke_test(project: str, settings: dict[str, Any], candidate: dict[str, Any]) -> None:
    """Put known images to the running version; it must answer as the trained model does."""
    place = ProjectContext(project)
    place.deployment_lock.renew()
    client = place.rekognition.client
    answers = []
    for uri, label in known_images(place.store, candidate["digest"], settings["smoke_test_images"]):
        bucket, key = bucket_and_key(uri)
        try:
            found = client.detect_custom_labels(
                ProjectVersionArn=candidate["version_arn"],
                Image={"S3Object": {"Bucket": bucket, "Name": key}},
                MinConfidence=0,
            )["CustomLabels"]
        except client.exceptions.InvalidS3ObjectException as error:
            log.info("%s was deleted since the training and is passed over: %s", uri, error)
            continue
        answers.append(SmokeAnswer(uri, label, tuple(str(entry["Name"]) for entry in found)))
    if failure := smoke_failure(tuple(answers)):
        raise ModelError(
            f"Model version '{candidate['version_name']}' runs but {failure}. It was not put into service and is being "
            "stopped; the live version goes on serving. Look at its evaluation in the console (link on task 'train')."
        )
    log.info("%s of %s known images were right.", sum(a.right for a in answers), len(answers))


@values
def swap_live(project: str, candidate: dict[str, Any]) -> dict[str, Any]:
    """Point to the new version, by compare-and-set on the version that it was compared with."""
    place = ProjectContext(project)
    place.deployment_lock.renew()
    challenger = LiveVersion(
        version_name=candidate["version_name"],
        version_arn=candidate["version_arn"],
        project_arn=candidate["project_arn"],
        digest=candidate["digest"],
        since=datetime.now(UTC).isoformat(timespec="seconds"),
        f1=candidate["f1"],
        labels=tuple(candidate["labels"]),
    )
    live = place.registry.move_live(challenger, expected=candidate["champion_arn"])
    place.registry.update_version(live.version_name, {"status": "RUNNING", "serves_since": live.since})
    return live.to_json()


@branch
def is_version_replaced(live: dict[str, Any]) -> str:
    """Stop the version that was replaced, if there was one."""
    return "stop_replaced" if live["previous_version_name"] else "swapped"


@step
def record_replaced(project: str, live: dict[str, Any]) -> None:
    """Record that the replaced version is stopped, and what replaced it."""
    ProjectContext(project).registry.update_version(
        live["previous_version_name"], {"status": "STOPPED", "replaced_by": live["version_name"]}
    )


@branch
def is_challenger_stray(project: str, candidate: dict[str, Any] | None) -> str | None:
    """After a failure: have the new version stopped if it runs and does not serve."""
    if candidate is None:
        return None
    place = ProjectContext(project)
    described = place.rekognition.describe_version(candidate["project_arn"], candidate["version_name"])
    live = place.registry.live()
    if live is not None and live.version_name == candidate["version_name"]:
        log.info("%s serves: it is left running.", live.version_name)
        return None
    return None if VERSION_RUNNING.judge(described.status) is Verdict.FAILED else "stop_challenger"
