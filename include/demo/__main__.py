"""The demo: `python -m include.demo`, or `make demo`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from custom_labels.core.settings import PROJECTS_DIR_VARIABLE
from include.demo.demo_report import DemoReport
from include.demo.digits import DigitsMaterial
from include.demo.environment import clean_environment
from include.demo.errors import DemoError, Interrupted
from include.demo.interrupts import Interrupts
from include.demo.label_studio_place import LabelStudioPlace
from include.demo.logo_scenes import LogoScenes
from include.demo.material import Material
from include.demo.performance import perform, perform_assist
from include.demo.processes import Processes, end_leftovers
from include.demo.project_file import write_with_backend
from include.demo.review_places import A2IPlace, ReviewPlace
from include.demo.view import View
from include.demo.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
MATERIALS: dict[str, Callable[[], Material]] = {"digits": DigitsMaterial, "logos": LogoScenes}
"""What the demo can play, by the name of the project."""
PLACES: dict[str, Callable[[], ReviewPlace]] = {"a2i": A2IPlace, "label_studio": LabelStudioPlace}
"""Where people can answer, by the name of the review backend."""
DEFAULT_PLACE = "a2i"


def main(arguments: list[str] | None = None) -> int:
    """Play the demo; returns 0 for a loop that closed, 1 otherwise, and 130 when it was interrupted before that."""
    options = parse_options(arguments)
    console = Console(highlight=False, force_terminal=False if options.headless else None)
    interrupts = Interrupts()
    interrupts.install()
    clean = clean_environment(os.environ, ROOT)
    for foreign in os.environ.keys() - clean.keys():
        del os.environ[foreign]
    os.environ.update(clean)
    material, place = MATERIALS[options.project](), PLACES[options.review]()
    try:
        place.check_installed()
        workspace = Workspace.claim(ROOT)
        if left := end_leftovers(workspace):
            console.print(f"Ended {left} processes that an earlier demo left, which had been killed.")
        workspace.wipe()
        shipped = ROOT / material.project_files / f"{material.project}.yaml"
        os.environ[PROJECTS_DIR_VARIABLE] = str(workspace.projects)
        line = write_with_backend(shipped, workspace.projects, place.backend)
        if place.backend != DEFAULT_PLACE:
            console.print(f"The project is {shipped.relative_to(ROOT)} with one line changed: {line}", soft_wrap=True)
        return play(options, material, place, Processes(workspace, interrupts), View(console))
    except DemoError as error:
        complain(console, error)
    except Interrupted as interrupt:
        return 128 + interrupt.signal_number
    return 1


def play(options: argparse.Namespace, material: Material, place: ReviewPlace, processes: Processes, view: View) -> int:
    """Play the story, show what came out and, unless headless, leave everything running until Ctrl-C."""
    console = view.console
    try:
        if options.assist:
            report: DemoReport = perform_assist(ROOT, material, place, processes, view)
        else:
            report = perform(ROOT, material, place, processes, view, by_hand=options.review_by_hand)
        report.show(console)
        if options.json:
            report.write(options.json)
        console.print(
            "\n[bold green]The loop closed.[/bold green]"
            if report.closed
            else "\n[bold red]The loop did not close.[/bold red]"
        )
        for problem in report.problems:
            view.line(f"[red]✗[/red] {escape(problem)}")
        if not options.headless:
            console.print("\nEverything keeps running for a look around. [bold]Ctrl-C stops it.[/bold]")
            rest(processes)
    except DemoError as error:
        complain(console, error)
        return 1
    else:
        return 0 if report.closed else 1
    finally:
        processes.interrupts.stop_begins()
        console.print("\nStopping everything (Ctrl-C again stops at once) ...")
        processes.stop()
        console.print(f"Stopped. The logs stay in {processes.workspace.folder}.", soft_wrap=True)


def rest(processes: Processes) -> None:
    """Leave everything running until somebody asks to stop.

    :raises DemoError: a server ended by itself.
    """
    try:
        while True:
            for child in processes.children:
                child.check_alive()
            time.sleep(1)
    except Interrupted:
        return


def complain(console: Console, error: DemoError) -> None:
    """Say why the demo ends early."""
    console.print(f"\n[bold red]The demo cannot go on.[/bold red] {escape(str(error))}", soft_wrap=True)


def parse_options(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m include.demo",
        description="Run the whole loop on this machine: an embedded AWS, a real Airflow, real images, real trainings. "
        "Needs no AWS account and touches none.",
    )
    parser.add_argument("--project", choices=sorted(MATERIALS), default="digits", help="what is learned")
    parser.add_argument(
        "--review",
        choices=sorted(PLACES),
        default=DEFAULT_PLACE,
        help="where people answer: Amazon A2I in the embedded AWS (default), or a real Label Studio on this machine",
    )
    parser.add_argument(
        "--assist",
        action="store_true",
        help="play label assist in place of the loop: few labelled images, a large set without labels, and people who "
        "confirm or correct what the model proposes",
    )
    parser.add_argument("--headless", action="store_true", help="end by itself; exit code 0 if the loop closed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write what the end table shows")
    parser.add_argument(
        "--review-by-hand",
        action="store_true",
        help="answer the first reviews yourself in your browser, at the worker portal or at Label Studio, without a "
        "time limit; simulated people answer the later ones",
    )
    options = parser.parse_args(arguments)
    if options.assist and options.review_by_hand:
        parser.error("--review-by-hand goes with the loop, not with --assist: leave one of them out")
    return options


if __name__ == "__main__":
    sys.exit(main())
