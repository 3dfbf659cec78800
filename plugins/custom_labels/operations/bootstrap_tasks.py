"""The steps of the bootstrap DAG that are no AWS operators: take a slot of each pool, check everything, say it."""

from __future__ import annotations

import logging
import platform
from importlib.metadata import version

from airflow.sdk.exceptions import AirflowFailException

from custom_labels import __version__
from custom_labels.core.context import ProjectContext
from custom_labels.core.finish_tasks import finish_run
from custom_labels.core.outcome import Outcome, RunOutcome
from custom_labels.core.steps import step
from custom_labels.operations.bootstrap_checks import BootstrapChecks
from custom_labels.operations.settings import BootstrapSettings
from custom_labels.training.training_records import change_trainings

log = logging.getLogger(__name__)

PROVIDERS = ("apache-airflow-providers-amazon", "apache-airflow-providers-standard")


@step
def use_pool(ctx: ProjectContext) -> str:
    """Take a slot of the pool and give it back: only the scheduler knows whether a pool is there."""
    return f"A task of project '{ctx.project.name}' was started in this pool."


@step
def check_everything(ctx: ProjectContext) -> dict[str, str]:
    """Check all that the project needs; fail with every problem and its way out, once all was checked.

    :return: what was found, by what was checked.
    """
    name = ctx.project.name
    findings = list(BootstrapChecks(ctx).all())
    rows = [f"{each.subject:<22} {'NOT OK' if each.problem else 'ok':<7} {each.value}" for each in findings]
    log.info("%s\nWhat project '%s' needs:\n%s", versions(), name, "\n".join(rows))
    problems = [f"- {each.subject}: {each.problem}" for each in findings if each.problem]
    if problems:
        raise AirflowFailException(
            f"{len(problems)} of {len(findings)} things that project '{name}' needs are not as they have to be; "
            "nothing of them was changed. Trigger the DAG again when they are.\n" + "\n".join(problems)
        )
    return {"versions": versions(), **{each.subject: each.value for each in findings}}


def versions() -> str:
    """Name what whoever is asked about a trouble wants to know."""
    providers = ", ".join(f"{name.rpartition('-')[2]} {version(name)}" for name in PROVIDERS)
    return (
        f"custom_labels {__version__}, Airflow {version('apache-airflow-core')} (providers {providers}), Python "
        f"{platform.python_version()}"
    )


@step
def finish(ctx: ProjectContext, settings: BootstrapSettings, found: dict[str, str]) -> RunOutcome:
    """Say that the project can start; after a teardown, trainings may begin again."""
    change_trainings(ctx.store, lambda trainings: trainings.start_again())
    detail = f"everything that {ctx.project.name}.yaml names is there; unpause the DAGs"
    return finish_run(ctx, settings, Outcome.READY, detail, found)
