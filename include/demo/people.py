"""Who answers reviews: a simulated workforce, or the person who runs the demo, at the worker portal."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from include.demo.errors import DemoError
from include.demo.evidence import loops
from include.demo.local_cloud import LocalCloud
from include.demo.view import View
from include.local_aws.process import Control

WORKERS = 3
TASK_SECONDS = 0.03
"""All reviews of a batch are thus answered within two seconds, before the harvest reads them, in one run."""
ANSWER_SECONDS = 600.0
LOOK_SECONDS = 1.0
PORTAL = "/_local_aws/work/"


def open_reviews(cloud: LocalCloud) -> int:
    """Count the reviews that people still have to answer."""
    return sum(status == "InProgress" for status in loops(cloud).values())


def answer_by_workforce(control: Control, truth: Mapping[str, Any], errors: Mapping[str, float], waiting: int) -> int:
    """Let the simulated workforce answer all open reviews; it knows the images of one batch.

    :param truth: what each image shows, as JSON types, by its ``s3://`` URI.
    :param errors: how often it errs: a wrong answer teaches the next version something wrong, so it is not left out.
    :param waiting: how many are open.
    :return: how many it answered wrongly.
    :raises DemoError: it does not finish in time.
    """
    control.workforce(truth=truth, **errors, seconds=TASK_SECONDS, workers=WORKERS)
    deadline = time.monotonic() + ANSWER_SECONDS
    while (state := control.workforce_state())["answered"] < waiting:
        if time.monotonic() > deadline:
            raise DemoError(f"Only {state['answered']} of {waiting} reviews were answered in time: {state}")
        time.sleep(LOOK_SECONDS)
    # It would answer "None of the above" for images of the next batch.
    control.dismiss_workforce()
    return int(state["wrong"])


def answer_by_hand(cloud: LocalCloud, view: View, waiting: int, keys: str) -> None:
    """Wait, for as long as it takes, until a person has answered all open reviews.

    :param keys: how a person answers there, in words.
    """
    view.line(f"[bold]Your turn: {waiting} reviews at {cloud.endpoint_url}{PORTAL}[/bold]")
    view.line(f"{keys} Ctrl-C ends the demo.")
    with view.waiting(f"{waiting} reviews wait for you") as status:
        while left := open_reviews(cloud):
            if status is not None:
                status.update(f"{waiting - left} answered, {left} to go ...")
            time.sleep(LOOK_SECONDS)
