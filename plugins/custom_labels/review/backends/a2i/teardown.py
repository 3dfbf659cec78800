"""Taking away what reviews at Amazon A2I were set up with."""

from __future__ import annotations

from collections.abc import Iterator

from custom_labels.aws.hooks.sagemaker import ReviewSetupHook
from custom_labels.core.settings import Project
from custom_labels.review.backends.a2i.backend import A2IReviewBackend
from custom_labels.s3.store import S3Store


def tear_down(project: Project, store: S3Store, *, dry_run: bool) -> Iterator[str]:
    """Stop the open loops of every flow that the project ever had, and delete its page and itself.

    The page goes before its flow, which is the only thing that names it: so a second run finds what a killed one left.
    Answers stay in the bucket, and the record of the flows in the registry, which tells where they are.

    :param dry_run: take nothing away.
    :return: a sentence for each thing that is, or would be, taken away.
    """
    hook = ReviewSetupHook(project.aws_conn_id, region_name=project.region_name)
    backend = A2IReviewBackend(project, store)
    pages: set[str] = set()
    for flow in backend.record.flows:
        found = hook.describe_flow(flow.name)
        if found.status in {None, "Deleting"}:
            continue
        open_loops = list(backend.open_loops(flow))
        if open_loops:
            yield f"{len(open_loops)} open reviews of flow {flow.name} are stopped"
        page = str(found.raw["HumanLoopConfig"]["HumanTaskUiArn"]).rpartition("/")[2]
        if page not in pages and hook.describe_task_ui(page).status is not None:
            pages.add(page)
            yield f"worker page {page} is deleted"
        yield f"flow {flow.name} is deleted"
        if not dry_run:
            backend.cancel(open_loops)
            hook.delete_task_ui(page)
            hook.delete_flow(flow.name)
