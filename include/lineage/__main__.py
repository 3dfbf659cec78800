"""Look up lineage: `python -m include.lineage PROJECT --image KEY` or `--version NAME`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.markup import escape

from custom_labels.core.registry import project_store
from custom_labels.core.settings import Project, load_project
from custom_labels.errors import CustomLabelsError
from custom_labels.operations.image_lineage_records import image_lineage, relative_key
from custom_labels.operations.lineage import LineageError, Show
from custom_labels.operations.lineage_records import version_lineage
from custom_labels.s3.store import S3Store
from include.lineage.files import write_csv, write_json, write_version_json
from include.lineage.printing import print_image, print_version

INTERRUPTED = 130
STANDARD_OUTPUT = "-"


def main(arguments: list[str] | None = None) -> int:
    """Look it up; give the exit code: 0 once it is shown, 1 with an error, 130 when it was interrupted."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.csv and given.image is not None:
        parser.error("--csv is for the images of a --version; of an --image there is --json")
    errors = Console(stderr=True, highlight=False)
    try:
        project = load_project(given.project)
        store = project_store(project)
        if given.image is not None:
            show_image(store, project, given)
        else:
            show_version(store, project, given)
        sys.stdout.flush()
    except CustomLabelsError as error:
        errors.print(escape(str(error)), soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        errors.print("Interrupted.")
        return INTERRUPTED
    except BrokenPipeError:  # whoever read what is printed has seen enough
        # Python flushes what is left when it ends, and would print that this fails.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def show_image(store: S3Store, project: Project, given: argparse.Namespace) -> None:
    """Show what is known of an image.

    :raises LineageError: nothing is.
    :raises StorageError: S3 refused.
    """
    found = image_lineage(store, project, relative_key(store, given.image), given.etag, given.newest)
    found.require_known()
    if given.json:
        write_json(sys.stdout, found)
    else:
        print_image(Console(highlight=False), found)


def show_version(store: S3Store, project: Project, given: argparse.Namespace) -> None:
    """Show the images of a version.

    :raises LineageError: there is no such version, or the file cannot be written.
    :raises StorageError: S3 refused.
    """
    with version_lineage(store, project, given.version) as (found, table):
        images = table.shown(Show(given.show)) if table else iter(())
        if given.json:
            write_version_json(sys.stdout, found, images)
        elif given.csv is None:
            print_version(Console(highlight=False), found, images)
        else:
            for trouble in found.troubles:
                Console(stderr=True, highlight=False).print(escape(trouble), soft_wrap=True)
            with _opened(given.csv) as out:
                write_csv(out, images)


@contextmanager
def _opened(name: str) -> Iterator[TextIO]:
    """Open the file to write, which is there whole or not at all.

    :raises LineageError: it is there already, or cannot be written.
    """
    if name == STANDARD_OUTPUT:
        yield sys.stdout
        return
    path = Path(name)
    if path.exists():
        raise LineageError(f"--csv is {path}, which is there already. Name another file.")
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as out:
            yield out
        part.replace(path)
    except OSError as error:
        raise LineageError(f"--csv, {path}, cannot be written: {error}. Name a file that can be.") from error
    finally:
        part.unlink(missing_ok=True)


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"it is {text!a}: expected a whole number from 1")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m include.lineage",
        description="Show which versions trained or were judged on an image, what each said of it and who labelled it; "
        "or the images of a version. Nothing is changed.",
    )
    parser.add_argument("project", metavar="PROJECT", help="name of the project, as of its file in include/projects/")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--image", metavar="KEY", help="key of an image below the project's prefix, or its s3:// URI")
    what.add_argument("--version", metavar="NAME", help="name of a version")
    parser.add_argument("--etag", help="of an image: look at this content only, not at what was under the key before")
    parser.add_argument(
        "--newest", type=_number, metavar="N", help="of an image: look at the newest N versions only (default: all)"
    )
    parser.add_argument(
        "--show",
        choices=[*Show],
        default=Show.ALL,
        help="of a version: which of its images (default: %(default)s); wrong ones are those that it judged wrongly",
    )
    out = parser.add_mutually_exclusive_group()
    out.add_argument("--json", action="store_true", help="print JSON")
    out.add_argument("--csv", metavar="FILE", help="of a version: write its images to a file, - for standard output")
    return parser


if __name__ == "__main__":
    os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "ERROR")
    sys.exit(main())
