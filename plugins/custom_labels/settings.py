"""Settings: Airflow Variables over the project's YAML over the defaults, read at run time and validated together."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from custom_labels.domain.errors import SettingError
from custom_labels.settings_fields import Settings

__all__ = [
    "Project",
    "Queues",
    "ReviewSetup",
    "Settings",
    "load_project",
    "load_projects",
    "read_settings",
    "template_path",
]

PROJECTS_DIR_VARIABLE = "CUSTOM_LABELS_PROJECTS_DIR"
"""Environment variable that names the folder of project files where it is not ``include/projects``."""

# TaskTitle of a flow definition (SageMaker API reference).
TaskTitle = Annotated[str, StringConstraints(min_length=1, max_length=128)]

# ProjectName is 1-255 of these characters (Rekognition API reference); shorter here, for names derived from it, and
# without the dot, which Airflow would read as a group.
ProjectName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_\-]{0,99}$")]


class ReviewSetup(BaseModel):
    """Who answers a project's reviews, and what they are told.

    :param backend: where reviews are opened; Amazon A2I.
    :param workteam_arn: the private or vendor workteam.
    :param role_arn: role that A2I reads images and writes answers with; ``iam:PassRole`` on it is needed.
    :param title: headline of the task, at most 128 characters.
    :param instructions: what reviewers read beside the image; plain text, blank lines make paragraphs.
    :param template: file of another worker task template, relative to the project files.
    :param task_seconds: how long a person may take for an image.
    :param lifetime_hours: how long a review waits for people before it expires.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    backend: Literal["a2i"] = "a2i"
    workteam_arn: str = Field(min_length=1)
    role_arn: str = Field(min_length=1)
    title: TaskTitle = "What does this image show?"
    instructions: str = Field("", max_length=20_000)
    template: str | None = None
    task_seconds: int = Field(300, ge=30, le=28_800)
    lifetime_hours: float = Field(240, gt=0, le=720)


class Queues(BaseModel):
    """The SQS queues of a project; without one its DAG runs on its schedule only.

    :param detections: gets S3's events of new images.
    :param dead_letters: gets what failed three times, with the reason.
    :param reviews: gets A2I's events of finished human loops.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    detections: str | None = None
    dead_letters: str | None = None
    reviews: str | None = None


class Project(BaseModel):
    """One model project: a file ``include/projects/<name>.yaml``.

    :param name: the project's name, also at Custom Labels and in its DAGs' ids.
    :param bucket: the S3 bucket, with an optional ``prefix`` (a slash is added), that holds all of the project.
    :param aws_conn_id: the Airflow connection for AWS; ``region_name`` beats the connection's region.
    :param sns_topic_arn: where messages go; none are sent without it.
    :param pool: the Airflow pool of the tasks that call Custom Labels.
    :param detection_pool: the Airflow pool of the tasks that ask the live version; ``detection_lanes`` of them share
        its rate, so give it that many slots.
    :param queues: SQS queues that announce images and finished reviews.
    :param review: who answers reviews; without it doubtful detections wait.
    :param settings: the project's own defaults of :class:`Settings`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ProjectName
    description: str = ""
    bucket: str = Field(min_length=3, max_length=63)
    prefix: str = ""
    aws_conn_id: str = "aws_default"
    region_name: str | None = None
    sns_topic_arn: str | None = None
    pool: str = "default_pool"
    detection_pool: str = "default_pool"
    detection_lanes: int = Field(2, ge=1, le=64)
    queues: Queues = Queues()
    review: ReviewSetup | None = None
    settings: Settings = Settings.model_construct()

    @field_validator("prefix")
    @classmethod
    def _end_prefix(cls, value: str) -> str:
        return f"{value.strip('/')}/" if value.strip("/") else ""

    def variable(self, setting: str) -> str:
        """Name the Airflow Variable of a setting."""
        return f"{self.name}__{setting}"

    def poll(self, setting: str) -> tuple[str, int]:
        """Name the Variable with the minutes between two runs of a DAG, and the minutes without it."""
        return self.variable(setting), int(getattr(self.settings, setting))


def projects_dir() -> Path:
    """Find the folder of project files: next to ``plugins``, or where the environment says."""
    given = os.environ.get(PROJECTS_DIR_VARIABLE)
    return Path(given) if given else Path(__file__).resolve().parents[2] / "include" / "projects"


def template_path(review: ReviewSetup) -> Path:
    """Find a project's worker task template: the one it names, or the one next to ``plugins``."""
    if review.template:
        return projects_dir() / review.template
    return Path(__file__).resolve().parents[2] / "include" / "templates" / "image_review.liquid.html"


def load_projects() -> list[Project]:
    """Load every project file, sorted by name."""
    return [load_project(path.stem) for path in sorted(projects_dir().glob("*.yaml"))]


def load_project(name: str) -> Project:
    """Load one project file.

    :raises SettingError: it is missing, is no YAML, or holds a value that is not allowed.
    """
    path = projects_dir() / f"{name}.yaml"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingError(
            f"There is no project '{name}': {path} is missing. Add it, or set {PROJECTS_DIR_VARIABLE}."
        ) from None
    except yaml.YAMLError as error:
        raise SettingError(f"{path} is no YAML: {error}. Correct the file.") from error
    try:
        return Project.model_validate({"name": name, **(content or {})})
    except ValidationError as error:
        raise SettingError(
            "; ".join(f"'{_place(e['loc'])}' in {path} is {e.get('input')!r}: {_expected(e)}" for e in error.errors())
            + ". Correct the file."
        ) from error


def read_settings(
    project: Project,
    read_variable: Callable[[str], str | None],
    overrides: Mapping[str, Any] | None = None,
    names: Collection[str] = (),
) -> Settings:
    """Read and validate a project's settings: overrides, over Variables, over the YAML, over the defaults.

    :param read_variable: gives an Airflow Variable's text by its key, ``None`` when there is none.
    :param overrides: values of this run's Params; ``None`` among them means not given.
    :param names: the only settings whose Variables are read, each of which is a request to Airflow; empty for all.
    :raises SettingError: one sentence for each bad value: which Variable, what it holds, what is allowed.
    """
    variables = {name: read_variable(project.variable(name)) for name in names or Settings.model_fields}
    given = {name: value.strip() for name, value in variables.items() if value is not None and value.strip()}
    params = {name: value for name, value in (overrides or {}).items() if value is not None}
    base = project.settings.model_dump(exclude_unset=True)
    try:
        return Settings.model_validate({**base, **given, **params})
    except ValidationError as error:
        raise SettingError(" ".join(_sentence(project, dict(e), given, params) for e in error.errors())) from error


def _sentence(project: Project, error: dict[str, Any], given: Mapping[str, str], params: Mapping[str, Any]) -> str:
    name = str(error["loc"][0]) if error["loc"] else ""
    if name in params:
        return (
            f"Param '{name}' of this run is '{params[name]}': {_expected(error)}. Trigger the run with another value."
        )
    if name in given:
        return (
            f"Variable '{project.variable(name)}' is '{given[name]}': {_expected(error)}. "
            "Change it under Admin > Variables."
        )
    if not name:
        return (
            f"The settings of project '{project.name}' do not fit together: {_expected(error)}. Change one of the two."
        )
    return f"Setting '{name}' in {project.name}.yaml is '{error.get('input')}': {_expected(error)}. Correct the file."


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location))


def _expected(error: Mapping[str, Any]) -> str:
    """Word what is allowed: a number's range, true or false, else pydantic's own sentence."""
    name = next((part for part in reversed(error["loc"]) if part in Settings.model_fields), None)
    field = Settings.model_fields.get(str(name))
    kind = _KINDS.get(_plain_type(field.annotation)) if field else None
    if field is None or kind is None:
        inside = f"at '{_place(error['loc'][1:])}': " if len(error["loc"]) > 1 else ""
        return inside + str(error["msg"]).removeprefix("Value error, ")
    limits = [
        (word, getattr(limit, bound))
        for limit in field.metadata
        for bound, word in _BOUNDS.items()
        if hasattr(limit, bound)
    ]
    return " ".join([f"expected {kind}", *(f"{word} {value:g}" for word, value in limits)])


_KINDS: dict[Any, str] = {bool: "true or false", int: "a whole number", float: "a number"}
_BOUNDS = {"ge": "from", "gt": "above", "le": "to", "lt": "below"}


def _plain_type(annotation: Any) -> Any:
    """Give the type without its ``| None``."""
    return next((a for a in get_args(annotation) if a is not type(None)), annotation)
