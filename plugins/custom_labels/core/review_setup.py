"""The part ``review`` of a project file: what is asked of people, and which review backend asks them.

A backend has a part of its own in it, named as the backend is: all of them may stand in the file, so that another value
of ``backend`` is all that a change of it takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Annotated, Any, Protocol, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, create_model
from pydantic_core import InitErrorDetails, PydanticCustomError

from custom_labels.core.project_task import ProjectTask

BACKENDS = {
    "a2i": "custom_labels.review.backends.a2i.definition",
    "ground_truth": "custom_labels.review.backends.ground_truth.definition",
    "label_studio": "custom_labels.review.backends.label_studio.definition",
    "airflow": "custom_labels.review.backends.airflow_page.definition",
}
"""Modules of the backends that this package brings, by their names in a project file."""
Part = TypeVar("Part", bound=BaseModel)

# TaskTitle of a flow definition (SageMaker API reference).
TaskTitle = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class BackendPart(BaseModel):
    """What a project file says to one backend alone; each backend has its own class of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FileDefinition(Protocol):
    """What the project file's reader needs of a review backend."""

    @property
    def name(self) -> str:
        """Its name, by which its part of the project file is found."""
        ...

    @property
    def part(self) -> type[BackendPart]:
        """Its part of the project file."""
        ...

    def why_not(self, task: ProjectTask, reviewers: int = 1) -> str | None:
        """Say why it cannot ask so many people what a project of this task needs to know; ``None`` where it can."""
        ...


class ReviewSetup(BaseModel):
    """What a project asks people, and where.

    :param backend: where reviews are opened: a2i, ground_truth, label_studio, airflow, or the module of a backend of
        your own, which has a ``BACKEND`` as :class:`custom_labels.review.backends.base.BackendDefinition` describes it.
    :param title: headline of the task, at most 128 characters.
    :param instructions: what reviewers read beside the image; plain text, blank lines make paragraphs.
    :param lifetime_hours: how long a review waits for people before it expires.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    backend: str
    title: TaskTitle = "What does this image show?"
    instructions: str = Field("", max_length=20_000)
    lifetime_hours: float = Field(240, gt=0, le=720)

    @property
    def definition(self) -> FileDefinition:
        """The backend."""
        return load_definition(self.backend)

    @property
    def part(self) -> BackendPart:
        """The part of the backend that is chosen."""
        part: BackendPart = getattr(self, self.definition.name)
        return part

    def part_of(self, kind: type[Part]) -> Part:
        """Give the part of the backend that is chosen, which the caller belongs to.

        :param kind: the class of that part.
        """
        found = self.part
        if not isinstance(found, kind):
            raise TypeError(f"The part of backend '{self.backend}' is a {type(found).__name__}, not a {kind.__name__}.")
        return found


def load_definition(backend: str) -> FileDefinition:
    """Import what a ``backend`` of a project file names.

    :raises ValueError: there is no such backend.
    """
    names = ", ".join(sorted(BACKENDS))
    if backend not in BACKENDS and "." not in backend:
        raise ValueError(f"expected one of {names}, or the import path of a module with a backend of your own")
    module = BACKENDS.get(backend, backend)
    try:
        definition: FileDefinition = import_module(module).BACKEND
    except (ImportError, AttributeError) as error:
        raise ValueError(f"expected one of {names}, or a module with a BACKEND in it: {error}") from error
    return definition


def no_such_backend(backend: str, why: str) -> ValidationError:
    """Make the error of a backend that a project file cannot have: of that field, not of the whole part ``review``."""
    details = PydanticCustomError("backend", "{why}", {"why": why})
    return ValidationError.from_exception_data(
        "ReviewSetup", [InitErrorDetails(type=details, loc=("backend",), input=backend)]
    )


def _with_parts(value: Any) -> Any:
    """Read a ``review`` with the part of the backend that is chosen, and those of others that are given."""
    if not isinstance(value, Mapping) or not isinstance(value.get("backend"), str):
        return value
    backend = value["backend"]
    given = frozenset(name for name in BACKENDS if name in value)
    try:
        chosen = load_definition(backend).name
    except ValueError as error:
        raise no_such_backend(backend, str(error)) from error
    return _model(backend, given - {chosen}).model_validate({chosen: {}, **value})


@cache
def _model(backend: str, others: frozenset[str]) -> type[ReviewSetup]:
    """Make the class that has the parts of some backends; those of BACKENDS are named there as they name themselves."""
    parts: dict[str, Any] = {each.name: (each.part, ...) for each in map(load_definition, [backend, *sorted(others)])}
    return create_model("ReviewSetup", __base__=ReviewSetup, **parts)


AnyReviewSetup = Annotated[ReviewSetup, BeforeValidator(_with_parts)]
"""A :class:`ReviewSetup` with the parts that a project file has."""
