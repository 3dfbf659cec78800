"""Checks of what a project needs: each gives a finding, none stops the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from botocore.exceptions import ClientError

from custom_labels.core.settings import Project
from custom_labels.errors import CustomLabelsError
from custom_labels.s3.errors import error_code

TEMPLATE = "include/infra/custom-labels-project.yaml"
"""The CloudFormation template that makes what is checked."""


class CheckFailed(CustomLabelsError):
    """A thing is missing, or not as it has to be."""


@dataclass(frozen=True)
class Check:
    """One thing to check.

    :param value: what the project file names of it; where it is empty there is nothing to check.
    :param run: gives what was found, in words for people.

        :raises CustomLabelsError: what is wrong, and the way out.
        :raises botocore.exceptions.ClientError: it could not be asked for.
    """

    subject: str
    value: str | None
    run: Callable[[], str]


@dataclass(frozen=True)
class Finding:
    """What was found of one thing.

    :param value: what it is, for people.
    :param problem: what is wrong and the way out; empty if nothing is.
    """

    subject: str
    value: str
    problem: str = ""


@contextmanager
def named(project: Project, what: str, value: str, setting: str, *codes: str) -> Iterator[None]:
    """Ask AWS for something; where it says that there is none, say where it is named.

    :param codes: ends of the error codes by which AWS says so.
    :raises CheckFailed: there is none.
    """
    try:
        yield
    except ClientError as error:
        if not error_code(error).endswith(codes):
            raise
        raise CheckFailed(
            f"There is no {what} {value} ({error}). Create it ({TEMPLATE} does), or correct '{setting}' in "
            f"{project.name}.yaml."
        ) from error
