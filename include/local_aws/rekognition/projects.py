"""CreateProject, DescribeProjects, DeleteProject."""

from __future__ import annotations

import time

from include.local_aws.rekognition.paging import by_serial
from include.local_aws.rekognition.state import Dataset, Project, Region
from include.local_aws.rekognition.tags import tag
from include.local_aws.wire.errors import AwsError
from include.local_aws.wire.parse import Params

CUSTOM_LABELS = "CUSTOM_LABELS"


def create_project(region: Region, params: Params) -> Params:
    """Create a project; its name is unique in the region."""
    name = params["ProjectName"]
    if any(project.name == name for project in region.projects.values()):
        raise AwsError("ResourceInUseException", f"A project with the name {name} already exists.")
    limit = region.settings.quota("projects")
    if len(region.projects) >= limit:
        raise AwsError("LimitExceededException", f"The account has {limit} projects, the most it may have.")
    feature = params.get("Feature", CUSTOM_LABELS)
    if feature != CUSTOM_LABELS:
        raise AwsError("InvalidParameterException", f"This emulator serves {CUSTOM_LABELS} projects only.")
    if "AutoUpdate" in params:
        raise AwsError("InvalidParameterException", f"AutoUpdate is not supported for {CUSTOM_LABELS}.")
    project = Project(region.arn(f"project/{name}"), name, region.next_serial(), time.time(), feature)
    region.projects[project.arn] = project
    tag(region, project.arn, params.get("Tags", {}))

    def created() -> None:
        project.status = "CREATED"

    region.after("project_create", created)
    return {"ProjectArn": project.arn}


def describe_projects(region: Region, params: Params) -> Params:
    """List projects, newest first, with their datasets."""
    names = params.get("ProjectNames")
    features = params.get("Features", [CUSTOM_LABELS])
    wanted = [
        (project.serial, project)
        for project in region.projects.values()
        if (names is None or project.name in names) and project.feature in features
    ]
    page, token = by_serial(wanted, "projects", params.get("NextToken"), params.get("MaxResults", 100))
    return {"ProjectDescriptions": [_description(project) for project in page], "NextToken": token}


def delete_project(region: Region, params: Params) -> Params:
    """Delete a project that has no versions and no datasets left; its policies go with it."""
    project = region.project(params["ProjectArn"])
    for what, left in (("models", project.versions), ("datasets", project.datasets)):
        if left:
            raise AwsError(
                "ResourceInUseException",
                f"The project {project.arn} still has {len(left)} {what}: delete them first.",
            )
    if project.status != "DELETING":
        project.status = "DELETING"
        region.after("project_delete", lambda: _remove(region, project))
    return {"Status": project.status}


def _remove(region: Region, project: Project) -> None:
    region.projects.pop(project.arn, None)
    region.tags.pop(project.arn, None)


def _description(project: Project) -> Params:
    return {
        "ProjectArn": project.arn,
        "CreationTimestamp": project.created,
        "Status": project.status,
        "Datasets": [_dataset_metadata(dataset) for dataset in project.datasets.values()],
        "Feature": project.feature,
        "AutoUpdate": project.auto_update,
    }


def _dataset_metadata(dataset: Dataset) -> Params:
    return {
        "CreationTimestamp": dataset.created,
        "DatasetType": dataset.kind,
        "DatasetArn": dataset.arn,
        "Status": dataset.status,
        "StatusMessage": dataset.message,
        "StatusMessageCode": dataset.message_code,
    }
