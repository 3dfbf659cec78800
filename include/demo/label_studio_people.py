"""Simulated people who answer at Label Studio, as annotators with accounts of their own."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from itertools import cycle
from typing import Any

from include.demo.errors import DemoError
from include.demo.label_studio_api import Json, LabelStudioApi, control_of
from include.demo.people import WORKERS, Asked
from include.label_studio.server import Account
from include.local_aws.human_review.questions import SIDES, Kind, Question
from include.local_aws.human_review.workforce import Workforce

BOXES, CHOICES = "rectanglelabels", "choices"
"""Types of results, which are those of the controls in small letters."""


class LabelStudioPeople:
    """Annotators of the demo's Label Studio.

    They err by the rules of the embedded AWS's simulated workforce, with its seed, so that they answer alike there and
    here.

    :param url: of Label Studio.
    :param account: of the demo, which made Label Studio's data folder; annotators join by its invitation.
    """

    backend = "label_studio"
    place = "Label Studio"
    announced = "Label Studio writes each answer to S3, which announces it to a queue, which triggers the harvest DAG."
    calls = "AWS calls, those of Label Studio among them,"

    def __init__(self, url: str, account: Account) -> None:
        self.account = account
        self.api = LabelStudioApi(url, account.token)
        self._annotators: list[LabelStudioApi] = []

    @property
    def sign_in(self) -> str:
        """The account that exists for this demo only."""
        return sign_in(self.account)

    @property
    def address(self) -> str:
        """The tasks of the project that asks one person, or the list of projects while there is none."""
        first = next(iter(self.api.projects()), None)
        return f"{self.api.url}/projects/" if first is None else f"{self.api.url}/projects/{first['id']}/data"

    def waiting(self) -> int:
        """Count the tasks that are not answered."""
        return sum(project["task_number"] - project["finished_task_number"] for project in self.api.projects())

    def answer(self, truth: Mapping[str, Any], errors: Mapping[str, float], waiting: int) -> int:
        """Let annotators answer in turns: SQLite, which Label Studio has here, lets one of them write at a time."""
        workforce = Workforce.from_json({"truth": dict(truth), **errors, "workers": WORKERS})
        annotators = cycle(enumerate(self._joined(), 1))
        answered = wrong = 0
        for name, control, task in self._open():
            number, annotator = next(annotators)
            question = question_of(name, control, task)
            # As a person does, an annotator sees the image before answering.
            size = annotator.image_size(task["id"], question.image)
            reply = workforce.answer(question, task["meta"]["review"], f"simulated-{number}", size)
            if reply is None:
                raise DemoError(
                    f"Nobody can answer task {task['id']} of Label Studio: what {question.image} shows is not known. "
                    "It is none of this batch's images: start the demo again."
                )
            annotator.annotate(task["id"], results_of(reply.content, name, control))
            answered += 1
            wrong += not reply.is_right
        if answered < waiting:
            raise DemoError(
                f"Label Studio had {answered} open tasks of {waiting} reviews that waited. Look at {self.address}: "
                "somebody else answered them, or deleted their tasks."
            )
        return wrong

    def reviews(self) -> list[Asked]:
        """Read the tasks that nobody has to answer any more."""
        found: list[Asked] = []
        for project in self.api.projects():
            for task in self.api.tasks(project["id"]):
                if task["is_labeled"]:
                    asked = task["meta"]["request"]
                    given = (each["result"] for each in task["annotations"] if not each["was_cancelled"])
                    answers = tuple(map(content_of, given))
                    found.append(Asked(asked["key"], asked["purpose"], bool(answers), answers))
        return found

    def _joined(self) -> list[LabelStudioApi]:
        """Give the annotators, who join when they are needed first."""
        if not self._annotators:
            invitation = self.api.invitation()
            for number in range(1, WORKERS + 1):
                annotator = LabelStudioApi(self.api.url)
                annotator.join(invitation, f"reviewer-{number}@localhost.local", secrets.token_urlsafe(12))
                self._annotators.append(annotator)
        return self._annotators

    def _open(self) -> Iterator[tuple[str, Json, Json]]:
        """Give each open task with the name of its control and the control."""
        for project in self.api.projects():
            name, control = control_of(project)
            for task in [each for each in self.api.tasks(project["id"]) if not each["is_labeled"]]:
                yield name, control, task


def sign_in(account: Account) -> str:
    """Say how a person signs in."""
    return (
        f"Sign in as {account.email} with the password {account.password}: an account of this demo only, which ends "
        "with it."
    )


def question_of(name: str, control: Mapping[str, Any], task: Mapping[str, Any]) -> Question:
    """Read what a task asks, as the simulated workforce takes it.

    :param name: of the control that is answered by.
    """
    if control["type"].lower() == BOXES:
        kind = Kind.BOXES
    else:
        kind = Kind.CHOICE if control.get("choice", "single") == "single" else Kind.CHOICES
    return Question(name, task["data"][control["to_name"][0]], tuple(control["labels"]), kind)


def results_of(content: Mapping[str, Any], name: str, control: Mapping[str, Any]) -> list[Json]:
    """Write an answer as Label Studio's page submits it.

    :param content: as the crowd elements of SageMaker give it.
    """
    common = {"from_name": name, "to_name": control["to_name"][0]}
    if "boundingBoxes" not in content:
        chosen = content["labels"] if "labels" in content else [content["label"]]
        return [{**common, "type": CHOICES, "value": {"choices": list(chosen)}}]
    size = content["inputImageProperties"]
    sides = {"left": size["width"], "top": size["height"], "width": size["width"], "height": size["height"]}
    names = dict(zip(SIDES, ("x", "y", "width", "height"), strict=True))
    return [
        {
            **common,
            "type": BOXES,
            "original_width": size["width"],
            "original_height": size["height"],
            "image_rotation": 0,
            "value": {
                **{names[side]: box[side] * 100 / sides[side] for side in SIDES},
                "rotation": 0,
                BOXES: [box["label"]],
            },
        }
        for box in content["boundingBoxes"]
    ]


def content_of(results: list[Json]) -> Json:
    """Read an answer of Label Studio as the crowd elements of SageMaker give it; no result is a picture without box."""
    if any(each["type"] == CHOICES for each in results):
        chosen = [label for each in results for label in each["value"]["choices"]]
        return {"label": chosen[0], "labels": chosen}
    return {
        "boundingBoxes": [
            {
                "label": each["value"][BOXES][0],
                "left": each["value"]["x"] * each["original_width"] / 100,
                "top": each["value"]["y"] * each["original_height"] / 100,
                "width": each["value"]["width"] * each["original_width"] / 100,
                "height": each["value"]["height"] * each["original_height"] / 100,
            }
            for each in results
        ]
    }
