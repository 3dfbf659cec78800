"""Rekognition as a service of the router: its operation table and its regions."""

from __future__ import annotations

import threading

from include.local_aws.objects import Objects
from include.local_aws.regions import Regions
from include.local_aws.rekognition import (
    datasets,
    detection,
    entries,
    policies,
    projects,
    serving,
    tags,
    version_copies,
    versions,
)
from include.local_aws.rekognition.state import Region
from include.local_aws.service import Handler, Service
from include.local_aws.settings import Settings
from include.local_aws.statuses import Statuses
from include.local_aws.training.pool import TrainerPool

OPERATIONS: dict[str, Handler] = {
    "CreateProject": projects.create_project,
    "DescribeProjects": projects.describe_projects,
    "DeleteProject": projects.delete_project,
    "CreateDataset": datasets.create_dataset,
    "DescribeDataset": datasets.describe_dataset,
    "UpdateDatasetEntries": datasets.update_dataset_entries,
    "DistributeDatasetEntries": datasets.distribute_dataset_entries,
    "DeleteDataset": datasets.delete_dataset,
    "ListDatasetEntries": entries.list_dataset_entries,
    "ListDatasetLabels": entries.list_dataset_labels,
    "CreateProjectVersion": versions.create_project_version,
    "DescribeProjectVersions": versions.describe_project_versions,
    "CopyProjectVersion": version_copies.copy_project_version,
    "StartProjectVersion": serving.start_project_version,
    "StopProjectVersion": serving.stop_project_version,
    "DeleteProjectVersion": serving.delete_project_version,
    "PutProjectPolicy": policies.put_project_policy,
    "ListProjectPolicies": policies.list_project_policies,
    "DeleteProjectPolicy": policies.delete_project_policy,
    "DetectCustomLabels": detection.detect_custom_labels,
    "TagResource": tags.tag_resource,
    "UntagResource": tags.untag_resource,
    "ListTagsForResource": tags.list_tags_for_resource,
}
"""Other operations of Rekognition, such as DetectLabels, go to moto."""

VIOLATION_CODE = "InvalidParameterException"
"""Rekognition's model lists this code with every operation; whether AWS uses it for every violation of the
model, or ValidationException for some, is not verified."""


def make_rekognition(
    settings: Settings, objects: Objects, trainers: TrainerPool, statuses: Statuses
) -> tuple[Service, Regions[Region]]:
    """Return the service and its regions."""
    lock = threading.RLock()
    regions = Regions(lambda name: Region(name, settings, objects, trainers, lock))
    service = Service(
        "rekognition",
        OPERATIONS,
        regions.get,
        lock,
        violation_code=VIOLATION_CODE,
        lock_free=frozenset({"DetectCustomLabels"}),
        revise=statuses.revise,
    )
    return service, regions
