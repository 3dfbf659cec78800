"""Taking away what reviews at Amazon A2I were set up with."""

from __future__ import annotations

import time
from collections.abc import Iterator

from custom_labels.aws.hooks.sagemaker import ReviewSetupHook
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
    What a set-up made and did not live to put on record is found by the names that it derives. Answers stay in the
    bucket, and the record of the flows in the registry, which tells where they are.

    :param dry_run: take nothing away; name also what AWS is deleting still.
    :return: a sentence for each thing that is, or would be, taken away.
    """
    hook = ReviewSetupHook(project.aws_conn_id, region_name=project.region_name)
    backend = A2IReviewBackend(project, store)
    recorded = {flow.name: flow for flow in backend.record.flows}
    planned_page, planned_flows = _planned(project, store)
    pages: set[str] = set()
    for name in dict.fromkeys([*recorded, *planned_flows]):
        found = hook.describe_flow(name)
        if found.status in {None, "Deleting"}:
            if found.status and dry_run:
                yield f"flow {name} is being deleted"
            continue
        flow = recorded.get(name)
        open_loops = list(backend.open_loops(flow)) if flow else []
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
    yield from _pages_alone(hook, {backend.record.task_ui, planned_page} - pages - {""}, dry_run=dry_run)


def _pages_alone(hook: ReviewSetupHook, pages: set[str], *, dry_run: bool) -> Iterator[str]:
    """Delete pages that no flow names, as a set-up leaves them that was killed before it made one."""
    for page in sorted(pages):
        if hook.describe_task_ui(page).status is not None:
            yield f"worker page {page} is deleted"
            if not dry_run:
                hook.delete_task_ui(page)


def _planned(project: Project, store: S3Store) -> tuple[str, list[str]]:
    """Name the page and the flows that a set-up makes now; none where the project file has a mistake."""
    try:
        plan = plan_review(project, store, reviewer_counts(store, 1))
    except (SettingError, ReviewBackendNotReady):
        return "", []
    return plan.task_ui, list(plan.flows.values())


def _stop(backend: A2IReviewBackend, flow: ReviewFlow | None, loops: list[str]) -> None:
    """Stop a flow's loops, and wait until they have ended.

    :raises ReviewBackendError: they did not in time.
    """
    if flow is None or not loops:
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
