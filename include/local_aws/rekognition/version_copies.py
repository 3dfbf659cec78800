"""CopyProjectVersion: the model, and the files of its training at a place of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from include.local_aws.objects import ObjectDenied, ObjectMissing
from include.local_aws.rekognition.state import Project, Region, Version, in_use
from include.local_aws.rekognition.training_job import join_key
from include.local_aws.rekognition.versions import check_new, new_version
from include.local_aws.transitions import in_background
from include.local_aws.wire.errors import AwsError
from include.local_aws.wire.parse import Params

_COPYABLE = ("TRAINING_COMPLETED", "STARTING", "RUNNING", "STOPPING", "STOPPED", "COPYING_COMPLETED")
_OF_TRAINING = ("EvaluationResult", "ManifestSummary", "TrainingDataResult", "TestingDataResult")
_TAKEN_IN = "Input"
"""The member that says what was trained on: it stays where it was, all else was written by the training."""


def copy_project_version(region: Region, params: Params) -> Params:
    """Copy a trained version to another project of the account; no policy is needed for that.

    The files of its training are copied below the OutputConfig of the copy, which names them there.
    """
    source_project = region.project(params["SourceProjectArn"])
    source = region.version(params["SourceProjectVersionArn"])
    project = region.project(params["DestinationProjectArn"])
    if source.project_arn != source_project.arn:
        raise AwsError(
            "InvalidParameterException", f"The version {source.arn} is not of the project {source_project.arn}."
        )
    check_new(region, project, params)
    if source.status not in _COPYABLE:
        raise in_use("model version", source.arn, source.status, "only a trained version can be copied")
    limit = region.settings.quota("copies")
    if len(region.versions_in("COPYING_IN_PROGRESS")) >= limit:
        raise AwsError("LimitExceededException", f"{limit} copies are in progress, the most at a time.")
    copy = new_version(region, project, params, "COPYING_IN_PROGRESS", "The model version is being copied.")
    copy.details["SourceProjectVersionArn"] = source.arn
    details = {name: source.details[name] for name in _OF_TRAINING if name in source.details}
    move = _mover(region, project, copy)
    work = in_background(lambda: _copied(details, move), f"copy-{copy.name}")
    region.transitions.schedule(
        "version_copy", region.settings.duration("version_copy"), lambda: _finish(source, copy, work), work
    )
    return {"ProjectVersionArn": copy.arn}


def _mover(region: Region, project: Project, copy: Version) -> Callable[[Params], Params]:
    """Return what copies an object of the training, given as an S3Object, and returns its new place."""
    output = copy.details["OutputConfig"]

    def move(place: Params) -> Params:
        folder, _, name = str(place["Name"]).rpartition("/")
        if name.startswith("EvaluationResultSummary-"):
            name = f"EvaluationResultSummary-{project.name}-{copy.name}.json"
        else:
            name = f"{project.name}/{copy.name}/{folder.rpartition('/')[2]}/{name}"
        key = join_key(output.get("S3KeyPrefix", ""), name)
        content = region.objects.read(place["Bucket"], place["Name"], place.get("Version"))
        region.objects.write(output["S3Bucket"], key, content)
        return {"Bucket": output["S3Bucket"], "Name": key}

    return move


def _copied(value: Any, move: Callable[[Params], Params]) -> Any:
    """Return details of a version with every S3Object but the inputs of its training moved."""
    if isinstance(value, list):
        return [_copied(item, move) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {
        name: move(item) if name == "S3Object" else item if name == _TAKEN_IN else _copied(item, move)
        for name, item in value.items()
    }


def _finish(source: Version, copy: Version, work: Future[Any]) -> None:
    failure = work.exception()
    if isinstance(failure, (ObjectMissing, ObjectDenied)):
        copy.set_status("COPYING_FAILED", f"Unable to access S3: {failure}.")
    elif failure is not None:
        copy.set_status("COPYING_FAILED", f"Bug in local AWS: {failure!r}")
    else:
        copy.model = source.model
        copy.details.update(work.result())
        copy.set_status("COPYING_COMPLETED", "The model version was copied and is ready to run.")
