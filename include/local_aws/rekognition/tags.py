"""TagResource, UntagResource, ListTagsForResource for projects, datasets and model versions."""

from __future__ import annotations

from collections.abc import Mapping

from include.local_aws.rekognition.state import Dataset, Project, Region, Version, not_found
from include.local_aws.wire.errors import AwsError
from include.local_aws.wire.parse import Params

MOST_TAGS = 200


def tag(region: Region, arn: str, tags: Mapping[str, str]) -> None:
    """Add tags to a resource; raises ServiceQuotaExceededException past 200."""
    joined = {**region.tags.get(arn, {}), **tags}
    if len(joined) > MOST_TAGS:
        raise AwsError(
            "ServiceQuotaExceededException",
            f"The resource {arn} would have {len(joined)} tags; {MOST_TAGS} are allowed.",
        )
    if joined:
        region.tags[arn] = joined


def tag_resource(region: Region, params: Params) -> Params:
    """Add or replace tags."""
    arn = _known(region, params["ResourceArn"])
    tag(region, arn, params["Tags"])
    return {}


def untag_resource(region: Region, params: Params) -> Params:
    """Remove tags; keys that are not there are ignored."""
    tags = region.tags.get(_known(region, params["ResourceArn"]), {})
    for key in params["TagKeys"]:
        tags.pop(key, None)
    return {}


def list_tags_for_resource(region: Region, params: Params) -> Params:
    """List a resource's tags."""
    return {"Tags": dict(region.tags.get(_known(region, params["ResourceArn"]), {}))}


def _known(region: Region, arn: str) -> str:
    for project in region.projects.values():
        members: list[Project | Dataset | Version] = [project, *project.datasets.values(), *project.versions.values()]
        if any(member.arn == arn for member in members):
            return arn
    raise not_found("resource", arn)
