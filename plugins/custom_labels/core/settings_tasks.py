"""How every run begins: its settings are read and validated, once for the whole of it."""

from __future__ import annotations

from typing import Any, TypeVar

from custom_labels.core.context import ProjectContext
from custom_labels.core.run_settings import RunSettings
from custom_labels.core.settings import Project
from custom_labels.core.steps import Step, earlier

S = TypeVar("S", bound=RunSettings)


def begin_run(ctx: ProjectContext, kind: type[S]) -> S:
    """Read and validate the settings that a DAG uses, and see that the project's place in S3 is its own.

    The first step of a run does this, whichever it is, and hands the settings on.
    """
    settings = ctx.read_settings(kind)
    ctx.require_region()
    ctx.claim()
    return settings


def read_settings(project: Project, kind: type[S], **options: Any) -> S:
    """Add a first step that only begins the run, see :func:`begin_run`.

    It is drawn before the steps that :func:`order` puts behind it, and not before all others, which use what it gives.
    Where somebody waits for what a run does, its first real step begins it instead: a task takes a second to start.

    :param kind: what to read.
    :param options: arguments of the operator.
    """

    def load_settings(ctx: ProjectContext) -> S:
        """Read and validate the settings, and see that the project's place in S3 is its own."""
        return begin_run(ctx, kind)

    load_settings.__annotations__["return"] = kind
    return earlier(Step(load_settings, **options)(project))
