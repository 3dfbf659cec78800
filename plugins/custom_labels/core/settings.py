"""Settings: Airflow Variables over the project's YAML over the defaults, read at run time and validated together."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from custom_labels.core.field_types import ProjectName, QueueUrl, Region, TopicArn
from custom_labels.core.ownership import Belongings, overlapping, shared_queues
from custom_labels.core.project_task import ProjectTask
from custom_labels.core.review_setup import AnyReviewSetup, ReviewSetup, no_such_backend
from custom_labels.core.settings_fields import Settings
from custom_labels.core.yaml_files import WAY_OUT, read_yaml_mapping
from custom_labels.errors import SettingError
from custom_labels.s3.names import why_no_bucket_name, why_no_prefix

__all__ = [
    "Project",
    "Queues",
    "ReviewSetup",
    "Settings",
    "check_project_files",
    "load_project",
    "load_projects",
    "read_settings",
]

PROJECTS_DIR_VARIABLE = "CUSTOM_LABELS_PROJECTS_DIR"
"""Environment variable that names the folder of project files where it is not ``include/projects``."""

REVIEWERS = "reviewers_per_image"
"""The setting that the review backend has to be able to serve, whichever Variable or file it comes from."""
FILE_ENDING = ".yaml"
LIKE_A_PROJECT_FILE = frozenset({".yaml", ".yml", ".json"})
"""Endings of files that a user may take for project files; only one of them is read."""


class Queues(BaseModel):
    """The SQS queues of a project; without one its DAG runs on its schedule only.

    :param detections: gets S3's events of new images.
    :param dead_letters: gets what failed three times, with the reason.
    :param reviews: gets what announces answered reviews, as the review backend has it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    detections: QueueUrl | None = None
    dead_letters: QueueUrl | None = None
    reviews: QueueUrl | None = None


class Project(BaseModel):
    """One model project: a file ``include/projects/<name>.yaml``.

    :param name: the project's name, also at Custom Labels and in its DAGs' ids.
    :param description: what it is for; the UI shows it.
    :param task: what its model does: one label an image, several labels an image, or boxes.
    :param bucket: the S3 bucket, with an optional ``prefix`` (a slash is added), that holds all of the project.
    :param aws_conn_id: the Airflow connection for AWS; ``region_name`` beats the connection's region.
    :param sns_topic_arn: where messages go; none are sent without it.
    :param pool: the Airflow pool of the tasks that call Custom Labels.
    :param detection_pool: the Airflow pool of the tasks that ask the live version; ``detection_workers`` of them share
        its rate, so give it that many slots.
    :param queues: SQS queues that announce images and finished reviews.
    :param review: who answers reviews; without it doubtful detections wait.
    :param settings: the project's own defaults of :class:`Settings`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ProjectName
    description: str = ""
    task: ProjectTask = ProjectTask.IMAGE_CLASSIFICATION
    bucket: str
    prefix: str = ""
    aws_conn_id: str = "aws_default"
    region_name: Region | None = None
    sns_topic_arn: TopicArn | None = None
    pool: str = "default_pool"
    detection_pool: str = "default_pool"
    detection_workers: int = Field(2, ge=1, le=64)
    queues: Queues = Queues()
    review: AnyReviewSetup | None = None
    settings: Settings = Settings.model_construct()

    @field_validator("bucket")
    @classmethod
    def _a_bucket(cls, value: str) -> str:
        if why := why_no_bucket_name(value):
            raise ValueError(why)
        return value

    @field_validator("prefix")
    @classmethod
    def _end_prefix(cls, value: str) -> str:
        prefix = f"{value.strip('/')}/" if value.strip("/") else ""
        if why := why_no_prefix(prefix):
            raise ValueError(why)
        return prefix

    @field_validator("review")
    @classmethod
    def _a_backend_that_can_ask(cls, review: ReviewSetup | None, info: ValidationInfo) -> ReviewSetup | None:
        task = info.data.get("task")
        if review and task and (why := review.definition.why_not(task)):
            raise no_such_backend(review.backend, why)
        return review

    @property
    def belongings(self) -> Belongings:
        """What no other project may use as well."""
        queues = {f"queues.{field}": url for field, url in self.queues.model_dump().items() if url}
        return Belongings(self.name, self.bucket, self.prefix, queues)

    def variable(self, setting: str) -> str:
        """Name the Airflow Variable of a setting."""
        return f"{self.name}__{setting}"

    def poll(self, setting: str) -> tuple[str, int]:
        """Name the Variable with the minutes between two runs of a DAG, and the minutes without it."""
        return self.variable(setting), int(getattr(self.settings, setting))


def projects_dir() -> Path:
    """Find the folder of project files: next to ``plugins``, or where the environment says."""
    given = os.environ.get(PROJECTS_DIR_VARIABLE)
    return Path(given) if given else Path(__file__).resolve().parents[3] / "include" / "projects"


def load_projects() -> list[Project]:
    """Load every project file that is right, sorted by name; :func:`check_project_files` says what the others lack."""
    return [each for each in _read_project_files() if isinstance(each, Project)]


def check_project_files() -> None:
    """See whether every project file is right, and whether projects are in each other's way.

    :raises SettingError: with all that is wrong, a line for each.
    """
    found = _read_project_files()
    every = [each.belongings for each in found if isinstance(each, Project)]
    wrong = [str(each) for each in found if isinstance(each, SettingError)]
    # Each pair once: what is sorted before has named it.
    for number, each in enumerate(every):
        wrong += [*overlapping(each, every[number + 1 :]), *shared_queues(each, every[number + 1 :])]
    if wrong:
        raise SettingError("\n".join(wrong))


def find_overlaps(project: Project) -> list[str]:
    """Say which other project files are in the way of a project's place in S3."""
    return overlapping(project.belongings, [each.belongings for each in load_projects()])


def find_shared_queues(project: Project) -> list[str]:
    """Say which of a project's queues are named twice."""
    return shared_queues(project.belongings, [each.belongings for each in load_projects()])


def _read_project_files() -> list[Project | SettingError]:
    """Read each file on its own: what is wrong with one keeps no other from being read."""
    folder = projects_dir()
    if not folder.is_dir():
        return [
            SettingError(
                f"There is no folder of project files: {folder} is missing. Make it, or set the environment variable "
                f"{PROJECTS_DIR_VARIABLE} to the right one."
            )
        ]
    found: list[Project | SettingError] = []
    # Hidden files are an editor's.
    files = (path for path in folder.iterdir() if path.suffix.lower() in LIKE_A_PROJECT_FILE)
    for path in sorted(path for path in files if not path.name.startswith(".")):
        try:
            found.append(_read_project_file(path))
        except SettingError as error:
            found.append(error)
    return found


def _read_project_file(path: Path) -> Project:
    if path.suffix != FILE_ENDING:
        raise SettingError(
            f"{path} is not read: the name of a project file ends in '{FILE_ENDING}', not in '{path.suffix}'. Rename "
            "it, or move it out of this folder."
        )
    return load_project(path.stem)


def load_project(name: str) -> Project:
    """Load one project file.

    :raises SettingError: it is missing, cannot be read as :func:`read_yaml_mapping` demands, or holds a value that is
        not allowed.
    """
    path = projects_dir() / f"{name}{FILE_ENDING}"
    try:
        content = read_yaml_mapping(path)
    except FileNotFoundError:
        raise SettingError(
            f"There is no project '{name}': {path} is missing. Add it, or set {PROJECTS_DIR_VARIABLE}."
        ) from None
    if content.get("name", name) != name:
        raise SettingError(
            f"'name' in {path} is {content['name']!r}: a project is named as its file, which would be '{name}'. Take "
            "it out, or rename the file."
        )
    try:
        return Project.model_validate({**content, "name": name})
    except ValidationError as error:
        wrong = (f"'{_place(e['loc'])}' in {path} is {e.get('input')!r}: {_expected(e)}" for e in error.errors())
        raise SettingError(f"{'; '.join(wrong)}. {WAY_OUT}") from error


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
        settings = Settings.model_validate({**base, **given, **params})
    except ValidationError as error:
        raise SettingError(" ".join(_sentence(project, dict(e), given, params) for e in error.errors())) from error
    if REVIEWERS in variables and (why := _why_not_asked(project, settings)):
        wrong = {"loc": (REVIEWERS,), "input": settings.reviewers_per_image, "type": "backend", "msg": why}
        raise SettingError(_sentence(project, wrong, given, params))
    return settings


def _why_not_asked(project: Project, settings: Settings) -> str | None:
    """Say why the project's review backend cannot ask as many people; ``None`` where it can, or there is none."""
    if project.review is None:
        return None
    why = project.review.definition.why_not(project.task, settings.reviewers_per_image)
    return why and f"'review.backend' in {project.name}.yaml is '{project.review.backend}', and {why}"


def read_minutes(variable: str, text: str | None, default: int) -> int:
    """Read the setting of a schedule alone, as :func:`read_settings` reads it among all.

    :param variable: the Airflow Variable, ``<project>__<setting>``, and ``text`` what it holds.
    :raises SettingError: a run would refuse it.
    """
    if text is None or not text.strip():
        return default
    name = variable.rpartition("__")[2]
    try:
        return int(getattr(Settings.model_validate({name: text.strip()}), name))
    except ValidationError as error:
        expected = _expected(dict(error.errors()[0]))
        raise SettingError(_of_variable(variable, text.strip(), expected)) from error


def _of_variable(variable: str, text: str, expected: str) -> str:
    return f"Variable '{variable}' is '{text}': {expected}. Change it under Admin > Variables."


def _sentence(project: Project, error: dict[str, Any], given: Mapping[str, str], params: Mapping[str, Any]) -> str:
    name = str(error["loc"][0]) if error["loc"] else ""
    expected = (f"at '{_place(error['loc'][1:])}': " if error["loc"][1:] else "") + _expected(error)
    if name in params:
        return f"Param '{name}' of this run is '{params[name]}': {expected}. Trigger the run with another value."
    if name in given:
        return _of_variable(project.variable(name), given[name], expected)
    if not name:
        return f"The settings of project '{project.name}' do not fit together: {expected}. Change one of the two."
    return f"Setting '{name}' in {project.name}.yaml is '{error.get('input')}': {expected}. Correct the file."


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location))


def _expected(error: Mapping[str, Any]) -> str:
    """Word what is allowed: a number's range, true or false, else pydantic's own sentence."""
    name = next((part for part in reversed(error["loc"]) if part in Settings.model_fields), None)
    field = Settings.model_fields.get(str(name))
    kind = _KINDS.get(_plain_type(field.annotation)) if field else None
    if field is None or kind is None or error["type"] == "backend":
        return str(error["msg"]).removeprefix("Value error, ")
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
