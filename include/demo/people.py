"""Who answers reviews, and where: simulated people, or the person who runs the demo."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from custom_labels.review.backends.a2i.setup import FIELD
from include.demo.errors import DemoError
from include.demo.local_cloud import THREADS, LocalCloud
from include.demo.view import View
from include.local_aws.process import Control

WORKERS = 3
TASK_SECONDS = 0.03
"""All reviews of a batch are thus answered within two seconds, before the harvest reads them, in one run."""
ANSWER_SECONDS = 600.0
LOOK_SECONDS = 1.0
PORTAL = "/_local_aws/work/"


@dataclass(frozen=True)
class Asked:
    """A review as its backend has it.

    :param key: the image's, below the project's prefix; ``purpose`` is "doubt" or "audit".
    :param answers: what each person answered, as the crowd elements of SageMaker give it; none while it is open.
    """

    key: str
    purpose: str
    is_completed: bool
    answers: tuple[Mapping[str, Any], ...]


class People(Protocol):
    """Those who answer the reviews of the demo."""

    backend: str
    """The review backend, as a project file names it; ``place`` is what people call it."""
    place: str
    announced: str
    """How the package learns of answers, in a sentence."""
    calls: str
    """Whose AWS calls are counted while people answer, in words."""

    @property
    def sign_in(self) -> str:
        """How a person signs in there, in a sentence; empty where nobody has to."""

    @property
    def address(self) -> str:
        """Where a person answers in a browser."""

    def waiting(self) -> int:
        """Count the reviews that people still have to answer."""

    def answer(self, truth: Mapping[str, Any], errors: Mapping[str, float], waiting: int) -> int:
        """Let simulated people answer all open reviews; they know the images of one batch.

        :param truth: what each image shows, as JSON types, by its ``s3://`` URI.
        :param errors: how often they err: a wrong answer teaches the next version something wrong, so it is not left
            out.
        :param waiting: how many reviews are open.
        :return: how many they answered wrongly.
        :raises DemoError: they do not finish in time.
        """

    def reviews(self) -> list[Asked]:
        """Read every review that has ended, past the package."""


class A2IPeople:
    """Workers of Amazon A2I in the embedded AWS, who are simulated by it.

    :param control: of the embedded AWS.
    """

    backend = "a2i"
    place = "Amazon A2I"
    sign_in = ""
    calls = "AWS calls"
    announced = "EventBridge announces finished reviews to a queue, which triggers the harvest DAG."

    def __init__(self, cloud: LocalCloud, control: Control) -> None:
        self.cloud = cloud
        self.control = control

    @property
    def address(self) -> str:
        """The worker portal."""
        return f"{self.cloud.endpoint_url}{PORTAL}"

    def waiting(self) -> int:
        """Count the loops in progress."""
        return sum(status == "InProgress" for status in self.loops().values())

    def answer(self, truth: Mapping[str, Any], errors: Mapping[str, float], waiting: int) -> int:
        """Let the simulated workforce answer."""
        self.control.workforce(truth=truth, **errors, seconds=TASK_SECONDS, workers=WORKERS)
        deadline = time.monotonic() + ANSWER_SECONDS
        while (state := self.control.workforce_state())["answered"] < waiting:
            if time.monotonic() > deadline:
                raise DemoError(f"Only {state['answered']} of {waiting} reviews were answered in time: {state}")
            time.sleep(LOOK_SECONDS)
        # It would answer "None of the above" for images of the next batch.
        self.control.dismiss_workforce()
        return int(state["wrong"])

    def loops(self) -> dict[str, str]:
        """Give the status of every human loop by its name."""
        runtime, found = self.cloud.client("sagemaker-a2i-runtime"), {}
        for flow in self.cloud.client("sagemaker").get_paginator("list_flow_definitions").paginate():
            for summary in flow["FlowDefinitionSummaries"]:
                pages = runtime.get_paginator("list_human_loops").paginate(
                    FlowDefinitionArn=summary["FlowDefinitionArn"]
                )
                found.update(
                    {loop["HumanLoopName"]: loop["HumanLoopStatus"] for p in pages for loop in p["HumanLoopSummaries"]}
                )
        return found

    def reviews(self) -> list[Asked]:
        """Read the output of every loop that has one."""
        with ThreadPoolExecutor(THREADS) as pool:
            return [each for each in pool.map(self._read, *zip(*self.loops().items(), strict=True)) if each]

    def _read(self, name: str, status: str) -> Asked | None:
        found = self.cloud.client("sagemaker-a2i-runtime").describe_human_loop(HumanLoopName=name)
        if not (output := found.get("HumanLoopOutput")):
            return None
        key = output["OutputS3Uri"].removeprefix(f"s3://{self.cloud.project.bucket}/{self.cloud.project.prefix}")
        content = self.cloud.read(key)
        answers = tuple(each["answerContent"][FIELD] for each in content["humanAnswers"])
        asked = content["inputContent"]
        return Asked(asked["key"], asked["purpose"], status == "Completed", answers)


def answer_by_hand(people: People, view: View, waiting: int, keys: str) -> None:
    """Wait, for as long as it takes, until a person has answered all open reviews.

    :param keys: how a person answers there, in words.
    """
    view.line(f"[bold]Your turn: {waiting} reviews at {people.address}[/bold]")
    if people.sign_in:
        view.line(people.sign_in)
    view.line(f"{keys} Ctrl-C ends the demo.")
    with view.waiting(f"{waiting} reviews wait for you") as status:
        while left := people.waiting():
            if status is not None:
                status.update(f"{waiting - left} answered, {left} to go ...")
            time.sleep(LOOK_SECONDS)
