"""Upload a folder to a project's bucket: `python -m include.upload FOLDER PROJECT`."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from contextlib import nullcontext
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from custom_labels.core.keys import IMAGES, MAXIMUM_KEY_BYTES
from custom_labels.core.registry import Registry, project_store
from custom_labels.core.settings import load_project
from custom_labels.errors import CustomLabelsError
from custom_labels.s3.store import S3Store
from include.upload.local_files import Outcome, find_files, holds_annotations
from include.upload.uploading import Done, Uploader, opened_contents

INTERRUPTED = 130
UPLOADS = "imports/uploads/"
"""What a place for other things than folders of labels may begin with."""
_EXAMPLES = 5
_MOST_WORKERS = 64


class UploadError(CustomLabelsError):
    """The folder cannot be uploaded as it was asked to be."""


class Tally:
    """What became of the files, with a few names each."""

    def __init__(self) -> None:
        self.counts: Counter[Outcome] = Counter()
        self.examples: dict[Outcome, list[str]] = {}

    def add(self, done: Done) -> None:
        """Count a file."""
        self.counts[done.outcome] += 1
        names = self.examples.setdefault(done.outcome, [])
        if len(names) < _EXAMPLES:
            names.append(done.name)

    @property
    def has_trouble(self) -> bool:
        """Whether a file was not taken that somebody has to look at."""
        return any(outcome.is_trouble for outcome in self.counts)

    def show(self, console: Console, *, is_dry: bool) -> None:
        """Print a line for each outcome."""
        for outcome in Outcome:
            if count := self.counts[outcome]:
                names = (
                    "" if outcome in {Outcome.UPLOADED, Outcome.THERE} else f" ({', '.join(self.examples[outcome])})"
                )
                would = "would be " if is_dry and outcome is Outcome.UPLOADED else ""
                console.print(escape(f"{count:>9,} {would}{outcome.value}{names}"), soft_wrap=True)


def main(arguments: list[str] | None = None) -> int:
    """Upload; give the exit code: 0 once all is there, 1 with an error or files that were not taken, 130 at Ctrl-C."""
    given = _parser().parse_args(arguments)
    console, errors = Console(highlight=False), Console(stderr=True, highlight=False)
    tally = Tally()
    try:
        place = find_place(given.folder, given.to)
        project = load_project(given.project)
        store = project_store(project)
        Registry(store).require_owner(project.name)
        upload(given, store, place, tally, errors)
    except CustomLabelsError as error:
        tally.show(console, is_dry=given.dry_run)
        errors.print(escape(str(error)), soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        tally.show(console, is_dry=given.dry_run)
        errors.print("Interrupted. What was uploaded is there: the same command goes on.")
        return INTERRUPTED
    tally.show(console, is_dry=given.dry_run)
    console.print(escape(f"Source for <project>_import_dataset: {store.uri(place)}"), soft_wrap=True)
    return 1 if tally.has_trouble else 0


def upload(given: argparse.Namespace, store: S3Store, place: str, tally: Tally, console: Console) -> None:
    """Upload a folder, with a bar where there is a terminal.

    :raises StorageError: S3 refused.
    """
    most = MAXIMUM_KEY_BYTES - len(store.prefix.encode())
    bar = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    shown = Progress(*bar, console=console, transient=True) if console.is_terminal else nullcontext()
    with opened_contents(store, place) as contents, shown as progress:
        uploader = Uploader(store, contents, given.workers, given.replace, given.dry_run)
        if progress is None:
            uploader.upload_all(find_files(given.folder, place, most), tally.add)
            return
        task = progress.add_task("Uploading", total=sum(1 for _ in find_files(given.folder, place, most)))

        def report(done: Done) -> None:
            tally.add(done)
            progress.advance(task)

        uploader.upload_all(find_files(given.folder, place, most), report)


def find_place(folder: Path, to: str | None) -> str:
    """Say where a folder goes, relative to the project's prefix and ending in a slash.

    :param to: where it was asked to go.
    :raises UploadError: it is no folder, or it must not go there, or nobody can tell where it goes.
    """
    if not folder.is_dir() or not os.access(folder, os.R_OK | os.X_OK):
        raise UploadError(f"FOLDER is {folder}, which is no folder that can be read. Name one of this machine.")
    if to is None:
        if name := holds_annotations(folder):
            raise UploadError(
                f"FOLDER, {folder}, has {name!a}, which may hold labels or boxes: folders of labels have images only. "
                f"Add --to {UPLOADS}<name>/ to upload all of it, or --to {IMAGES} for the images, by their folders."
            )
        return IMAGES
    place = f"{to.strip('/')}/"
    allowed = place == IMAGES or (place.startswith(UPLOADS) and place != UPLOADS)
    if not allowed or any(part in {"", ".", ".."} for part in place[:-1].split("/")):
        raise UploadError(f"--to is {to!a}: expected {UPLOADS}<name>/ or {IMAGES}. Give one of these.")
    return place


def _workers(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"it is {text!a}: expected a whole number from 1 to {_MOST_WORKERS}")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m include.upload",
        description="Upload a folder to a project's bucket. What is there is not uploaded again, so the same command "
        "goes on where it was interrupted. Links and hidden files are left out.",
    )
    parser.add_argument(
        "folder", type=Path, metavar="FOLDER", help="folders of images, named by their labels; or any, with --to"
    )
    parser.add_argument("project", metavar="PROJECT", help="name of the project, as of its file in include/projects/")
    parser.add_argument(
        "--to", metavar="PLACE", help=f"where to, in the project's bucket: {UPLOADS}<name>/ (default: {IMAGES})"
    )
    parser.add_argument("--replace", action="store_true", help="write over objects of the same name and other content")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and write nothing")
    parser.add_argument(
        "--workers", type=_workers, default=16, metavar="N", help="files at a time (default: %(default)s)"
    )
    return parser


if __name__ == "__main__":
    os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "ERROR")
    sys.exit(main())
