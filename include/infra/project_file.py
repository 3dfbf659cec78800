"""A project's file from its stack's outputs: a new one, or the fields of an old one that come from the stack."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from custom_labels.core.ownership import overlapping, shared_queues
from custom_labels.core.project_task import ProjectTask
from custom_labels.core.review_setup import BACKENDS
from custom_labels.core.settings import FILE_ENDING, Project, load_projects, projects_dir
from custom_labels.core.yaml_files import read_yaml_mapping
from include.infra.account import InfraError
from include.infra.stack import Stack
from include.infra.values import GROUND_TRUTH, PREFIX
from include.infra.yaml_edit import Path as Place
from include.infra.yaml_edit import merged, value_at, with_values

OUTPUTS: Mapping[Place, str] = {
    ("bucket",): "Bucket",
    ("sns_topic_arn",): "TopicArn",
    ("queues", "detections"): "DetectionQueueUrl",
    ("queues", "dead_letters"): "DeadLetterQueueUrl",
    ("queues", "reviews"): "ReviewQueueUrl",
}
"""Output of the stack for each field of the file."""
ROLE = "ReviewRoleArn"
WORKFORCES = ("a2i", "ground_truth")
"""Backends whose reviewers are a workteam of SageMaker."""
TASK, BACKEND = ("task",), ("review", "backend")
_HEAD = """\
# Project '{name}', written from the outputs of its stack {stack}. Change what you like and add what you need;
# docs/ explains every field. `python -m include.infra write-project {name}` changes only what comes from the stack.
"""
_POOLS = """\
# The pools of its tasks: airflow pools import build/airflow/pools.json (docs/quick_start.md).
pool: custom_labels
detection_pool: custom_labels_detection
detection_workers: 2
"""


@dataclass(frozen=True)
class Choices:
    """What a new file says that no stack knows; ``None`` is not given.

    :param workteam: ARN of the people that A2I or Ground Truth asks.
    """

    task: ProjectTask | None = None
    backend: str | None = None
    workteam: str | None = None


@dataclass(frozen=True)
class Draft:
    """A project file as it is, and as it is to be.

    :param before: ``None`` where there is no file yet.
    """

    path: Path
    before: str | None
    after: str

    @property
    def difference(self) -> str:
        """What is changed, as a unified diff; empty if nothing is."""
        lines = unified_diff(
            (self.before or "").splitlines(),
            self.after.splitlines(),
            "as it is" if self.before is not None else "no file",
            self.path.name,
            lineterm="",
        )
        return "\n".join(lines)

    def write(self) -> None:
        """Write the file, which is there whole or not at all.

        :raises InfraError: it cannot be written.
        """
        path = self.path.resolve()
        try:
            # A hidden file is not taken for a project's.
            with tempfile.NamedTemporaryFile(
                "w", encoding="utf-8", newline="", dir=path.parent, prefix=f".{path.stem}-", delete=False
            ) as part:
                part.write(self.after)
            Path(part.name).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
            Path(part.name).replace(path)
        except OSError as error:
            raise InfraError(
                f"The project file {path} cannot be written: {error}. Make its folder one that can be written to."
            ) from error


def draft(project: str, stack: Stack, region: str, choices: Choices) -> Draft:
    """Say what a project's file is to be.

    :raises InfraError: it would be no right project file, or an old one cannot be changed without touching more.
    :raises SettingError: the old one cannot be read.
    """
    path = projects_dir() / f"{project}{FILE_ENDING}"
    fields = fields_of(stack, region)
    if not path.exists():
        made = Draft(path, None, _new_text(project, stack, fields, choices))
    else:
        made = _changed(path, stack, fields, choices)
    _require_right(project, made)
    return made


def fields_of(stack: Stack, region: str) -> dict[Place, str]:
    """Give the fields that come from a stack.

    :raises InfraError: it lacks an output.
    """
    if missing := sorted({*OUTPUTS.values(), ROLE} - stack.outputs.keys()):
        raise InfraError(
            f"Stack {stack.name} is {stack.status} and has no output {missing[0]!a}. It is not deployed as the "
            "template has it: run deploy, and this command again."
        )
    found = {place: stack.outputs[output] for place, output in OUTPUTS.items()}
    return {**found, ("prefix",): stack.parameters.get(PREFIX, ""), ("region_name",): region}


def _new_text(project: str, stack: Stack, fields: Mapping[Place, str], choices: Choices) -> str:
    task = choices.task or ProjectTask.IMAGE_CLASSIFICATION
    backend = choices.backend or _usual_backend(stack, task)
    part = {"workteam_arn": choices.workteam, "role_arn": stack.outputs[ROLE]}
    if backend in WORKFORCES and not choices.workteam:
        raise InfraError(
            f"--backend is {backend}, whose reviewers are a workteam of SageMaker, and --workteam names none. Create a "
            "private one in the SageMaker console (Labeling workforces), and add --workteam with its ARN."
        )
    first = {name: fields[name,] for name in ("bucket", "prefix") if fields[name,]}
    first |= {"aws_conn_id": "aws_default"} | {name: fields[name,] for name in ("region_name", "sns_topic_arn")}
    queues = {place[1]: value for place, value in fields.items() if place[0] == "queues"}
    review: dict[str, Any] = {"backend": backend, "title": "What does this image show?"}
    if backend in WORKFORCES:
        review[backend] = part
    return "".join(
        [
            _HEAD.format(name=project, stack=stack.name),
            _yaml({"task": task.value, **first}),
            _POOLS,
            "# Where S3 announces new images, and answered reviews are announced.\n",
            _yaml({"queues": queues}),
            "# Who answers when the model is in doubt (docs/reviews.md).\n",
            _yaml({"review": review}),
        ]
    )


def _usual_backend(stack: Stack, task: ProjectTask) -> str:
    """Choose a backend that new customers of AWS can have; boxes cannot be drawn on Airflow's page."""
    if stack.parameters.get(GROUND_TRUTH) == "true":
        return "ground_truth"
    return "label_studio" if task is ProjectTask.OBJECT_DETECTION else "airflow"


def _changed(path: Path, stack: Stack, fields: Mapping[Place, str], choices: Choices) -> Draft:
    content = read_yaml_mapping(path)
    _require_same(path, content, choices)
    wanted = dict(fields)
    for backend in WORKFORCES:
        if isinstance(value_at(content, ("review", backend)), dict):
            wanted["review", backend, "role_arn"] = stack.outputs[ROLE]
            if choices.workteam:
                wanted["review", backend, "workteam_arn"] = choices.workteam
    differing = {place: value for place, value in wanted.items() if not _is_same(content, place, value)}
    with path.open(encoding="utf-8", newline="") as file:
        text = file.read()
    after = with_values(text, differing) if differing else text
    if after is None:
        kept = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
        wished = yaml.safe_dump(merged(content, differing), sort_keys=False, allow_unicode=True)
        difference = Draft(path, kept, wished).difference
        raise InfraError(
            f"{path} is written in a way that this command cannot change without touching the rest, and was left as it "
            f"is. These of its values come from the stack {stack.name}; change them by hand:\n{difference}"
        )
    return Draft(path, text, after)


def _require_same(path: Path, content: Mapping[str, Any], choices: Choices) -> None:
    """Refuse to change what a person decides: what becomes of answers and versions depends on it."""
    task = choices.task and choices.task.value
    chosen = (
        ("--task", TASK, task, ProjectTask.IMAGE_CLASSIFICATION.value),
        ("--backend", BACKEND, choices.backend, None),
    )
    for option, place, wanted, default in chosen:
        found = value_at(content, place) or default
        if wanted and found != wanted:
            raise InfraError(
                f"{option} is {wanted}, and '{'.'.join(place)}' in {path} is {found!a}. The file is yours: change it "
                f"there, and leave {option} out."
            )


def _is_same(content: Mapping[str, Any], place: Place, value: str) -> bool:
    found = value_at(content, place)
    if place == ("prefix",):
        return str(found or "").strip("/") == value.strip("/")
    return bool(found == value)


def _require_right(project: str, made: Draft) -> None:
    """See whether the library will take the file.

    :raises InfraError: it will not, and why.
    """
    content = yaml.safe_load(made.after)
    try:
        found = Project.model_validate({**content, "name": project})
    except ValidationError as error:
        wrong = "; ".join(f"'{'.'.join(map(str, each['loc']))}': {each['msg']}" for each in error.errors())
        raise InfraError(
            f"{made.path} would not be a right project file: {wrong}. Nothing was written: correct the options, or the "
            f"file. Backends are {', '.join(BACKENDS)}."
        ) from error
    others = [each.belongings for each in load_projects() if each.name != project]
    if wrong_place := [*overlapping(found.belongings, others), *shared_queues(found.belongings, others)]:
        raise InfraError(f"{' '.join(wrong_place)} Nothing was written.")


def _yaml(content: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True, width=10**6)
