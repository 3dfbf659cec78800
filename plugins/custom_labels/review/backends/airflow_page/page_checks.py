"""The bootstrap DAG's checks of what questions in Airflow need."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version

import httpx
from airflow.sdk import exceptions

from custom_labels.core.checks import TEMPLATE, Check, CheckFailed
from custom_labels.core.context import ProjectContext
from custom_labels.core.registry import OWNER
from custom_labels.review.backends.airflow_page.page_records import image_link

PROVIDER = "apache-airflow-providers-standard"
WAITS_BY_ITSELF = hasattr(exceptions, "TaskAwaitingInput")
"""Whether a question waits in a state of its own, since Airflow 3.3."""
PATIENCE_SECONDS = 20


class PageChecks:
    """The checks of one project.

    :param ctx: the project, as a task sees it.
    """

    def __init__(self, ctx: ProjectContext) -> None:
        self.ctx = ctx

    def all(self) -> Iterator[Check]:
        """Give each check."""
        yield Check("questions in Airflow", "airflow", self.operator)
        yield Check("links to images", self.ctx.project.bucket, self.link)

    def operator(self) -> str:
        """See whether Airflow has questions, and what waits for the answers."""
        try:
            from airflow.providers.standard.operators.hitl import HITLOperator
        except ImportError as error:
            raise CheckFailed(
                f"Airflow asks no questions: {PROVIDER} {version(PROVIDER)} has no HITLOperator ({error}). Install "
                "1.12 or newer with Airflow 3.1 or newer, or choose another 'review.backend' in "
                f"{self.ctx.project.name}.yaml."
            ) from error
        how = (
            "hold neither a worker nor the triggerer"
            if WAITS_BY_ITSELF
            else "wait in the triggerer, which has to run, and are in no list: open them from the task 'ask'"
        )
        return f"{HITLOperator.__name__} of {PROVIDER} {version(PROVIDER)}; open questions {how}"

    def link(self) -> str:
        """Read an object by a link as the browsers of people read images."""
        try:
            status = httpx.get(image_link(self.ctx.store, OWNER), timeout=PATIENCE_SECONDS).status_code
        except httpx.HTTPError as error:
            raise CheckFailed(self._unread(f"it could not be reached ({error or type(error).__name__})")) from error
        if status != httpx.codes.OK:
            raise CheckFailed(self._unread(f"S3 answered {status}"))
        return f"{self.ctx.store.uri(OWNER)} was read by a link"

    def _unread(self, why: str) -> str:
        return (
            f"The bucket {self.ctx.project.bucket} cannot be read by a presigned link: {why}. The browsers of people "
            f"get images that way. Allow s3:GetObject to the Airflow connection '{self.ctx.project.aws_conn_id}', as "
            f"{TEMPLATE} does, and see that no bucket policy refuses requests from outside."
        )
