"""Taking away what reviews at Amazon A2I were set up with."""

from __future__ import annotations

import time
from collections.abc import Iterator

from custom_labels.aws.hooks.sagemaker import ReviewSetupHook
from custom_labels.aws.statuses import Described
from custom_labels.core.keys import A2I_OUTPUT
from custom_labels.core.names import slug
from custom_labels.core.settings import Project
from custom_labels.errors import SettingError
from custom_labels.review.backends.a2i.backend import A2IReviewBackend
from custom_labels.review.backends.a2i.setup import ReviewFlow, plan_review, reviewer_counts
from custom_labels.review.backends.base import ReviewBackendError, ReviewBackendNotReady
from custom_labels.s3.store import S3Store

PATIENCE_SECONDS = 120.0
"""How long it is waited until loops that are being stopped have ended; AWS deletes no flow before."""
PAUSE_SECONDS = 1.0


def tear_down(project: Project, store: S3Store, *, dry_run: bool) -> Iterator[str]:
    """Stop the open loops of every flow that the project ever had, and delete its page and itself.

    The page goes before its flow, which is the only thing that names it: so a second run finds what a killed one left.
    Flows are the project's own that it has on record, or that AWS lists under its prefix and that write to its bucket,
    as a set-up leaves them that was killed. Answers stay in the bucket, and the record of the flows in the registry.

    :param dry_run: take nothing away; name also what AWS is deleting still.
    :return: a sentence for each thing that is, or would be, taken away.
    """
    hook = ReviewSetupHook(project.aws_conn_id, region_name=project.region_name)
    backend = A2IReviewBackend(project, store)
    pages: set[str] = set()
    for name, found in _own_flows(project, store, hook, backend):
        if found.status == "Deleting":
            if dry_run:
                yield f"flow {name} is being deleted"
            continue
        flow = ReviewFlow(name, str(found.raw["FlowDefinitionArn"]), 1, store.uri(A2I_OUTPUT))
        open_loops = list(backend.open_loops(flow))
        if open_loops:
            yield f"{len(open_loops)} open reviews of flow {name} are stopped"
        page = str(found.raw["HumanLoopConfig"]["HumanTaskUiArn"]).rpartition("/")[2]
        if page not in pages and hook.describe_task_ui(page).status is not None:
            pages.add(page)
            yield f"worker page {page} is deleted"
        yield f"flow {name} is deleted"
        if not dry_run:
            _stop(backend, flow, open_loops)
            hook.delete_task_ui(page)
            hook.delete_flow(name)
    alone = {backend.record.task_ui, _planned_page(project, store)} - pages - {""}
    yield from _pages_alone(hook, alone, dry_run=dry_run)


def _own_flows(
    project: Project, store: S3Store, hook: ReviewSetupHook, backend: A2IReviewBackend
) -> Iterator[tuple[str, Described]]:
    """Describe the project's flows that AWS has: those on record first, then others that write to its bucket."""
    recorded = [flow.name for flow in backend.record.flows]
    output = store.uri(A2I_OUTPUT).rstrip("/")
    for name in recorded:
        if (found := hook.describe_flow(name)).status is not None:
            yield name, found
    for name in [each for each in hook.list_flows() if each.startswith(f"{slug(project.name)}-")]:
        if name in recorded:
            continue
        found = hook.describe_flow(name)
        if found.status is not None and str(found.raw["OutputConfig"]["S3OutputPath"]).rstrip("/") == output:
            yield name, found


def _pages_alone(hook: ReviewSetupHook, pages: set[str], *, dry_run: bool) -> Iterator[str]:
    """Delete pages that no flow names, as a set-up leaves them that was killed before it made one."""
    for page in sorted(pages):
        if hook.describe_task_ui(page).status is not None:
            yield f"worker page {page} is deleted"
            if not dry_run:
                hook.delete_task_ui(page)


def _planned_page(project: Project, store: S3Store) -> str:
    """Name the page that a set-up makes now; empty where the project file has a mistake."""
    try:
        return plan_review(project, store, reviewer_counts(store, 1)).task_ui
    except (SettingError, ReviewBackendNotReady):
        return ""


def _stop(backend: A2IReviewBackend, flow: ReviewFlow, loops: list[str]) -> None:
    """Stop a flow's loops, and wait until they have ended.

    :raises ReviewBackendError: they did not in time.
    """
    if not loops:
        return
    backend.cancel(loops)
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while left := sum(1 for _ in backend.open_loops(flow)):
        if time.monotonic() >= give_up_at:
            raise ReviewBackendError(
                f"Flow {flow.name} was not deleted: {left} of its reviews are still being stopped after "
                f"{PATIENCE_SECONDS:.0f} s, and AWS deletes no flow with open ones. Run the task again, which goes on "
                "with what is left.",
                is_passing=True,
            )
        time.sleep(PAUSE_SECONDS)
