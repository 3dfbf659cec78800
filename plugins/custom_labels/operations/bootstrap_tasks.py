"""The steps of the bootstrap DAG that are no AWS operators: look at everything, then say it."""

from __future__ import annotations

import logging
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from custom_labels.core.context import ProjectContext, step
from custom_labels.core.reporting_tasks import outcome
from custom_labels.operations.bootstrap_checks import BootstrapChecks

log = logging.getLogger(__name__)


@step
def check_everything(project: str) -> dict[str, str]:
    """Look at all that the project needs; fail with every problem and its way out, once all was looked at."""
    ctx = ProjectContext(project)
    findings = list(BootstrapChecks(ctx).all())
    rows = [f"{each.subject:<22} {'NOT OK' if each.problem else 'ok':<7} {each.value}" for each in findings]
    log.info("What project '%s' needs:\n%s", project, "\n".join(rows))
    problems = [f"- {each.subject}: {each.problem}" for each in findings if each.problem]
    if problems:
        raise AirflowFailException(
            f"{len(problems)} of {len(findings)} things that project '{project}' needs are not as they have to be; "
            "nothing of them was changed. Trigger the DAG again when they are.\n" + "\n".join(problems)
        )
    return {each.subject: each.value for each in findings}


@step
def ready(project: str, facts: dict[str, str]) -> dict[str, Any]:
    """Say that the project can start."""
    ctx = ProjectContext(project)
    detail = f"everything that {project}.yaml names is there; unpause the DAGs"
    return outcome(ctx, "ready", detail, facts)
