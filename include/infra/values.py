"""The values of the template's parameters: of this run, over those of the deployed stack, over what is derived."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from custom_labels.core.names import slug
from custom_labels.s3.names import why_no_bucket_name, why_no_prefix
from include.infra.account import InfraError
from include.infra.template import Parameter

BUCKET, PREFIX, ROLE, GROUND_TRUTH = "BucketName", "Prefix", "AirflowRoleName", "GroundTruth"
PROJECT, REVIEW_PREFIX = "ProjectName", "ReviewPrefix"
OPTIONS = {BUCKET: "--bucket", PREFIX: "--prefix", ROLE: "--airflow-role", GROUND_TRUTH: "--backend"}
"""Options of the command that set a parameter; the others are set by ``--parameter``."""
_DERIVED = frozenset({PROJECT, REVIEW_PREFIX})
_LASTING = frozenset({BUCKET, PREFIX})
_LONGEST_BUCKET = 63


def choose_values(
    parameters: Mapping[str, Parameter],
    project: str,
    given: Mapping[str, str],
    deployed: Mapping[str, str],
    bucket: Callable[[], str],
) -> dict[str, str]:
    """Give each parameter its value; what was given once is not asked for again.

    :param given: of this run; ``deployed`` of the stack, empty where there is none.
    :param bucket: derives the name of a bucket; it is called where none was ever named.
    :raises InfraError: one is not allowed, or there is no such parameter.
    """
    if unknown := sorted(given.keys() - parameters.keys()):
        raise InfraError(
            f"--parameter names {unknown[0]!a}, which the template does not have. Name one of "
            f"{', '.join(sorted(parameters.keys() - OPTIONS.keys() - _DERIVED))}."
        )
    own = {PROJECT: project, REVIEW_PREFIX: slug(project)}
    if taken := sorted(given.keys() & _DERIVED):
        raise InfraError(f"--parameter sets {taken[0]}, which comes from the project's name. Leave it out.")
    values = {name: each.default or "" for name, each in parameters.items()} | {**deployed, **given, **own}
    values = {name: values[name] for name in parameters}
    values[PREFIX] = f"{values[PREFIX].strip('/')}/" if values[PREFIX].strip("/") else ""
    values[BUCKET] = values[BUCKET] or bucket()
    _require_lasting(values, deployed)
    _check_storage(values)
    for name, value in values.items():
        parameters[name].check(value)
    return values


def derive_bucket(project: str, account: str, region: str) -> str:
    """Derive the name of a bucket, which nobody else in the world may have.

    :param account: its number, of twelve digits.
    """
    end = f"-{account}-{region}"
    return f"{f'custom-labels-{slug(project)}'[: _LONGEST_BUCKET - len(end)].rstrip('-')}{end}"


def _require_lasting(values: Mapping[str, str], deployed: Mapping[str, str]) -> None:
    """Refuse to give a project another place: images, records and versions would stay behind in the old one."""
    for name in sorted(_LASTING & deployed.keys()):
        if values[name] != deployed[name]:
            raise InfraError(
                f"{OPTIONS[name]} is {values[name]!a}, and the deployed stack has {deployed[name]!a}: its images and "
                f"records lie there, and would be left behind. Leave {OPTIONS[name]} out, or deploy another project."
            )


def _check_storage(values: Mapping[str, str]) -> None:
    for name, why in ((BUCKET, why_no_bucket_name(values[BUCKET])), (PREFIX, why_no_prefix(values[PREFIX]))):
        if why:
            raise InfraError(f"{OPTIONS[name]} is {values[name]!a}: {why}. Give another one.")
