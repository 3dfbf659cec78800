"""StartProjectVersion, StopProjectVersion and DeleteProjectVersion."""

from __future__ import annotations

from include.local_aws.rekognition.state import Project, Region, Version, in_use
from include.local_aws.wire.errors import AwsError
from include.local_aws.wire.parse import Params

_STARTABLE = ("TRAINING_COMPLETED", "STOPPED", "FAILED", "COPYING_COMPLETED")
_HOLDING_CAPACITY = ("STARTING", "RUNNING", "STOPPING")
_UNDELETABLE = ("TRAINING_IN_PROGRESS", "COPYING_IN_PROGRESS", *_HOLDING_CAPACITY)


def start_project_version(region: Region, params: Params) -> Params:
    """Start a trained version with a number of inference units."""
    version = region.version(params["ProjectVersionArn"])
    if version.status not in _STARTABLE:
        raise in_use("model version", version.arn, version.status, f"it can be started from {_any(_STARTABLE)}")
    if version.model is None:
        raise AwsError("InvalidParameterException", f"The version {version.arn} has no trained model.")
    _check_units(region, params)
    limit = region.settings.quota("running_models")
    if len(region.versions_in(*_HOLDING_CAPACITY)) >= limit:
        raise AwsError("LimitExceededException", f"{limit} models are running, the most at a time in a region.")
    version.details["MinInferenceUnits"] = params["MinInferenceUnits"]
    version.details["MaxInferenceUnits"] = params.get("MaxInferenceUnits")
    version.set_status("STARTING", "The model is starting.")
    scripted = region.settings.take_outcome("start", version.name)

    def finish() -> None:
        if scripted is not None:
            version.set_status(scripted.status, scripted.message)
        else:
            version.set_status("RUNNING", "The model is running.")

    region.after("version_start", finish)
    return {"Status": version.status}


def stop_project_version(region: Region, params: Params) -> Params:
    """Stop a running version."""
    version = region.version(params["ProjectVersionArn"])
    if version.status != "RUNNING":
        raise in_use("model version", version.arn, version.status, "only a RUNNING version can be stopped")
    version.set_status("STOPPING", "The model is stopping.")

    def finish() -> None:
        version.set_status("STOPPED", "The model is stopped.")
        version.details.pop("MinInferenceUnits", None)
        version.details.pop("MaxInferenceUnits", None)

    region.after("version_stop", finish)
    return {"Status": version.status}


def delete_project_version(region: Region, params: Params) -> Params:
    """Delete a version that is neither training, copying, nor running."""
    version = region.version(params["ProjectVersionArn"])
    if version.status in _UNDELETABLE:
        raise in_use("model version", version.arn, version.status, "it cannot be deleted now")
    if version.status != "DELETING":
        version.set_status("DELETING", "The model version is being deleted.")
        project = region.project(version.project_arn)
        region.after("version_delete", lambda: _remove(region, project, version))
    return {"Status": version.status}


def _check_units(region: Region, params: Params) -> None:
    least: int = params["MinInferenceUnits"]
    most: int = params.get("MaxInferenceUnits", least)
    if most < least:
        raise AwsError("InvalidParameterException", f"MaxInferenceUnits {most} is below MinInferenceUnits {least}.")
    limit = region.settings.quota("inference_units")
    if most > limit:
        raise AwsError("LimitExceededException", f"{most} inference units were asked for; {limit} are allowed a model.")


def _remove(region: Region, project: Project, version: Version) -> None:
    project.versions.pop(version.name, None)
    region.tags.pop(version.arn, None)


def _any(statuses: tuple[str, ...]) -> str:
    return ", ".join(statuses)
