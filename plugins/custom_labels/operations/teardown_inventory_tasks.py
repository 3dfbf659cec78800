"""What AWS and the review backend have of a project, asked anew whenever it counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from custom_labels.core.context import ProjectContext
from custom_labels.core.names import PROJECT_TAG
from custom_labels.deployment.deployment import Units
from custom_labels.deployment.preconditions import refuse
from custom_labels.operations.teardown import Row, version_row, why_foreign
from custom_labels.operations.versions import FoundVersion, RecordedVersion
from custom_labels.review.backends.registry import definition_of
from custom_labels.training.prices import load_prices

if TYPE_CHECKING:
    from mypy_boto3_rekognition.type_defs import ProjectDescriptionTypeDef


def found_project(ctx: ProjectContext) -> ProjectDescriptionTypeDef | None:
    """Describe the project at Custom Labels; ``None`` if it is gone.

    :raises NotPermitted: its tag says that it is another's.
    """
    project = ctx.rekognition.find_project(ctx.project.name)
    if project is not None:
        arn = project["ProjectArn"]
        refuse(why_foreign(ctx.project.name, arn, PROJECT_TAG, ctx.rekognition.read_tags(arn)))
    return project


def list_reviews(ctx: ProjectContext) -> list[str]:
    """Give a sentence for each thing that the review backend has still."""
    if ctx.project.review is None:
        return []
    return list(definition_of(ctx.project).tear_down(ctx.project, ctx.store, dry_run=True))


def list_rows(ctx: ProjectContext) -> Iterator[Row]:
    """Describe what AWS and the review backend have, what it costs a day, and what becomes of it."""
    prices = load_prices().prices.unit_prices(ctx.project.review.backend if ctx.project.review else None)
    live = ctx.registry.live()
    project = found_project(ctx)
    if project is not None:
        for name, described in ctx.rekognition.list_versions(project["ProjectArn"]).items():
            version = FoundVersion(
                name=name,
                status=described.status or "",
                units=Units.of(described.raw),
                record=ctx.registry.version(name, RecordedVersion),
            )
            named = live.version_name if live else None
            yield version_row(version, named, prices.inference_unit_hour, prices.training_hour)
        for each in project.get("Datasets", []):
            yield Row(f"{each['DatasetType']} dataset", each["Status"], 0, "deleted")
        yield Row(f"project {ctx.project.name} at Custom Labels", project["Status"], 0, "deleted")
    for sentence in list_reviews(ctx):
        yield Row("reviews", sentence, 0, "as it says; answers stay")
