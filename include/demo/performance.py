"""The demo from its first process to its report."""

from __future__ import annotations

import time
from pathlib import Path

from custom_labels.core.settings import load_project
from custom_labels.training.prices import prices_path
from include.demo.assist_report import AssistReport
from include.demo.assist_story import DAGS as ASSIST_DAGS
from include.demo.assist_story import AssistStory
from include.demo.costs import load_prices
from include.demo.material import Material
from include.demo.people import People
from include.demo.predict_caller import PredictCaller
from include.demo.processes import Processes
from include.demo.report import Report
from include.demo.review_places import ReviewPlace
from include.demo.runs import Runs
from include.demo.stage import Stage, set_stage
from include.demo.story import Story
from include.demo.view import View
from include.local_aws.process import Control


def perform(
    root: Path, material: Material, place: ReviewPlace, processes: Processes, view: View, *, by_hand: bool
) -> Report:
    """Set the stage, play the story and report.

    :param place: where people answer.
    :param by_hand: whether the person at the terminal answers the first reviews.
    :raises DemoError: something does not start, fails or does not answer.
    """
    began = time.monotonic()
    project = load_project(material.project)
    prices = load_prices(prices_path(), place.backend)
    stage = set_stage(root, project, material, processes, view, place=place)
    runs = Runs(project.name, stage.api, view, processes.workspace.airflow_home)
    stage.switch_on(runs, view)
    control = Control(stage.endpoint_url)
    people = place.people(stage.cloud, control)
    caller = PredictCaller(processes, project, stage.endpoint_url)
    story = Story(runs, stage.cloud, control, people, material, view, caller, by_hand=by_hand)
    acts = story.play()
    return Report(
        acts=acts,
        examined=material.words.examined,
        compared=material.words.compared,
        checks=tuple(story.checks),
        runs=tuple(runs.seen),
        prices=prices,
        messages=tuple(stage.cloud.messages()),
        urls=addresses(stage, people, material.project, acts[-1].version.name),
        seconds=time.monotonic() - began,
    )


def perform_assist(
    root: Path, material: Material, place: ReviewPlace, processes: Processes, view: View
) -> AssistReport:
    """Set the stage, play the story of label assist and report.

    :param place: where people answer.
    :raises DemoError: something does not start, fails or does not answer.
    """
    began = time.monotonic()
    project = load_project(material.project)
    stage = set_stage(root, project, material, processes, view, place=place, dags=ASSIST_DAGS)
    runs = Runs(project.name, stage.api, view, processes.workspace.airflow_home)
    stage.switch_on(runs, view)
    people = place.people(stage.cloud, Control(stage.endpoint_url))
    story = AssistStory(runs, stage.cloud, people, material, view)
    learned = story.play()
    pages = {"Label assist": f"{stage.api.base_url}/custom-labels/{project.name}/assist"}
    return AssistReport(
        learned=learned,
        examined=material.words.examined,
        compared=material.words.compared,
        checks=tuple(story.checks),
        runs=tuple(runs.seen),
        urls=pages | addresses(stage, people, material.project, learned[-1].version.name),
        seconds=time.monotonic() - began,
    )


def addresses(stage: Stage, people: People, project: str, version_name: str) -> dict[str, str]:
    """Name what can be looked at, and tried, while everything runs.

    :param version_name: the version that serves.
    """
    return {
        "Airflow": stage.api.base_url,
        "Decision": f"{stage.api.base_url}/custom-labels/{project}/decisions/{version_name}",
        "Embedded AWS": f"{stage.endpoint_url} (endpoint_url of any AWS client; credentials: any)",
        "Reviewers": people.address,
        "To try": f"trigger {project}_rollback; {project}_train with 'dry_run'; {project}_scale with other units",
    }
