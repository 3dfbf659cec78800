"""The first step of every DAG: its settings, read and validated once for the whole run."""

from __future__ import annotations

from typing import Any, TypeVar

from custom_labels.core.context import ProjectContext
from custom_labels.core.run_settings import RunSettings
from custom_labels.core.settings import Project
from custom_labels.core.steps import Step, earlier

S = TypeVar("S", bound=RunSettings)


def read_settings(project: Project, kind: type[S], **options: Any) -> S:
    """Add the first step of a DAG: it reads and validates the settings that the DAG uses, once for the whole run.

    It also sees that the project's place in S3 is its own. It is drawn before the steps that :func:`order` puts behind
    it, and not before all others, which use what it gives.

    :param kind: what to read.
    :param options: arguments of the operator.
    """

    def load_settings(ctx: ProjectContext) -> S:
        """Read and validate the settings, and see that the project's place in S3 is its own."""
        settings = ctx.read_settings(kind)
        ctx.require_region()
        ctx.claim()
        return settings

    load_settings.__annotations__["return"] = kind
    return earlier(Step(load_settings, **options)(project))
