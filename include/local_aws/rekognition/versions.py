"""CreateProjectVersion and DescribeProjectVersions."""

from __future__ import annotations

import time
from concurrent.futures import Future

from include.local_aws.rekognition.paging import by_serial
from include.local_aws.rekognition.state import Dataset, Project, Region, Version, in_use
from include.local_aws.rekognition.tags import tag
from include.local_aws.rekognition.training_job import (
    Manifest,
    TrainingJob,
    TrainingOutcome,
    TrainingPlan,
)
from include.local_aws.transitions import in_background
from include.local_aws.wire.errors import AwsError
from include.local_aws.wire.parse import Params


def create_project_version(region: Region, params: Params) -> Params:
    """Start training a new version on the project's datasets, or on manifests if it has no datasets."""
    project = region.project(params["ProjectArn"])
    check_new(region, project, params)
    if "FeatureConfig" in params:
        raise AwsError("InvalidParameterException", "FeatureConfig is not supported for CUSTOM_LABELS projects.")
    training, testing = _manifests(project, params)
    version = new_version(region, project, params, "TRAINING_IN_PROGRESS", "The model is being trained.")
    output = params["OutputConfig"]
    plan = TrainingPlan(
        version_arn=version.arn,
        project_name=project.name,
        version_name=version.name,
        bucket=output["S3Bucket"],
        prefix=output.get("S3KeyPrefix", ""),
        training=training,
        testing=testing,
    )
    work = _training(region, plan)
    region.transitions.schedule(
        "training", region.settings.duration("training"), lambda: _finish_training(region, version, work), work
    )
    return {"ProjectVersionArn": version.arn}


def describe_project_versions(region: Region, params: Params) -> Params:
    """List a project's versions, newest first; unknown VersionNames are left out."""
    project = region.project(params["ProjectArn"])
    names = params.get("VersionNames")
    wanted = [
        (version.serial, version) for version in project.versions.values() if names is None or version.name in names
    ]
    kind = f"versions {project.arn}"
    page, token = by_serial(wanted, kind, params.get("NextToken"), params.get("MaxResults", 100))
    return {"ProjectVersionDescriptions": [_description(version) for version in page], "NextToken": token}


def check_new(region: Region, project: Project, params: Params) -> None:
    """Raise if the project cannot have a version of this name now; a taken name is told before a full quota."""
    name = params["VersionName"]
    if name in project.versions:
        raise AwsError(
            "ResourceInUseException",
            f"The project {project.arn} already has a version with the name {name}: "
            f"{project.versions[name].arn} is in status {project.versions[name].status}.",
        )
    if project.status != "CREATED":
        raise in_use("project", project.arn, project.status, "it cannot have a new version")
    if not params["OutputConfig"].get("S3Bucket"):
        raise AwsError("InvalidParameterException", "OutputConfig has no S3Bucket: name the bucket for the results.")
    limit = region.settings.quota("models_per_project")
    if len(project.versions) >= limit:
        raise AwsError(
            "ServiceQuotaExceededException", f"The project {project.arn} has {limit} models, the most it may have."
        )


def _manifests(project: Project, params: Params) -> tuple[Manifest, Manifest | None]:
    """Return what to train and test on; None stands for a test set split off the training set."""
    given = [name for name in ("TrainingData", "TestingData") if name in params]
    if project.datasets and given:
        raise AwsError(
            "InvalidParameterException",
            f"The project {project.arn} has datasets, so {' and '.join(given)} must not be given.",
        )
    if project.datasets:
        return _dataset_manifest(project, "TRAIN"), _dataset_manifest(project, "TEST")
    if len(given) < 2:
        raise AwsError(
            "InvalidParameterException",
            f"The project {project.arn} has no datasets: create a training and a test dataset, "
            "or give both TrainingData and TestingData.",
        )
    training = _asset_manifest(params["TrainingData"], "TrainingData")
    testing = params["TestingData"]
    if testing.get("AutoCreate"):
        if testing.get("Assets"):
            raise AwsError("InvalidParameterException", "TestingData has both Assets and AutoCreate; give one.")
        return training, None
    return training, _asset_manifest(testing, "TestingData")


def _dataset_manifest(project: Project, kind: str) -> Manifest:
    dataset: Dataset | None = project.datasets.get(kind)
    if dataset is None:
        raise AwsError("InvalidParameterException", f"The project {project.arn} has no {kind} dataset.")
    if not dataset.is_finished:
        raise in_use("dataset", dataset.arn, dataset.status, "it must be complete to train on it")
    return Manifest(lines=tuple(line.text for line in dataset.lines))


def _asset_manifest(data: Params, name: str) -> Manifest:
    assets = data.get("Assets", [])
    if len(assets) != 1:
        raise AwsError("InvalidParameterException", f"{name} has {len(assets)} assets; exactly one is allowed.")
    place = assets[0].get("GroundTruthManifest", {}).get("S3Object", {})
    if not place.get("Bucket") or not place.get("Name"):
        raise AwsError("InvalidParameterException", f"The S3Object of {name} needs both Bucket and Name.")
    return Manifest(place=(place["Bucket"], place["Name"], place.get("Version")))


def new_version(region: Region, project: Project, params: Params, status: str, message: str) -> Version:
    """Add a version to a project; raises AwsError LimitExceededException when too many are being trained."""
    if status == "TRAINING_IN_PROGRESS":
        limit = region.settings.quota("trainings")
        if len(region.versions_in(status)) >= limit:
            raise AwsError(
                "LimitExceededException", f"{limit} trainings are in progress, the most at a time in a region."
            )
    name = params["VersionName"]
    arn = region.arn(f"project/{project.name}/version/{name}")
    details = {
        "OutputConfig": params["OutputConfig"],
        "KmsKeyId": params.get("KmsKeyId"),
        "VersionDescription": params.get("VersionDescription"),
        "Feature": project.feature,
    }
    version = Version(arn, name, project.arn, region.next_serial(), time.time(), status, message, details)
    project.versions[name] = version
    tag(region, arn, params.get("Tags", {}))
    return version


def _training(region: Region, plan: TrainingPlan) -> Future[TrainingOutcome]:
    scripted = region.settings.take_outcome("training", plan.version_name)
    if scripted is not None:
        outcome = TrainingOutcome(scripted.status, scripted.message)
        return in_background(lambda: outcome, "training-scripted")
    job = TrainingJob(plan, region.settings, region.objects, region.trainers)
    return in_background(job.run, f"training-{plan.version_name}")


def _finish_training(region: Region, version: Version, work: Future[TrainingOutcome]) -> None:
    version.details["TrainingEndTimestamp"] = region.transitions.moment
    failure = work.exception()
    if failure is not None:
        version.set_status("TRAINING_FAILED", f"Bug in local AWS: {failure!r}")
        return
    outcome = work.result()
    version.model = outcome.model
    version.details.update(outcome.details)
    version.set_status(outcome.status, outcome.message)


def _description(version: Version) -> Params:
    return {
        "ProjectVersionArn": version.arn,
        "CreationTimestamp": version.created,
        "Status": version.status,
        "StatusMessage": version.message,
        **version.details,
    }
