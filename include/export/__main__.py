"""Export the images and annotations of a snapshot: `python -m include.export PROJECT OUT`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import IO

from custom_labels.core.registry import project_store
from custom_labels.core.settings import load_project
from custom_labels.datasets.label_names import readable_name
from custom_labels.datasets.snapshot_records import LocalSnapshot
from custom_labels.errors import CustomLabelsError
from include.export.coco import NOT_HELD, write_coco
from include.export.contents import LATEST, NOW, lines, opened, read_each

GROUND_TRUTH, COCO = "ground_truth", "coco"
INTERRUPTED = 130


class ExportError(CustomLabelsError):
    """The export cannot be written where it was asked to be."""


def main(arguments: list[str] | None = None) -> int:
    """Write the file; give the exit code: 0 once it is written, 1 with an error, 130 when it was interrupted."""
    given = _parser().parse_args(arguments)
    try:
        require_free(given.out, overwrite=given.overwrite)
        project = load_project(given.project)
        store = project_store(project)
        with opened(store, project.task, given.snapshot) as snapshot:
            images = write(given.out, given.format, store.uri(), snapshot)
    except CustomLabelsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - what the command is for
        return 1
    except KeyboardInterrupt:
        print(f"Interrupted; {given.out} was not written.", file=sys.stderr)  # noqa: T201
        return INTERRUPTED
    said = f" {NOT_HELD}" if given.format == COCO else ""
    print(f"{images:,} images of snapshot {snapshot.header.snapshot.digest[:12]} are in {given.out}.{said}")  # noqa: T201
    return 0


def require_free(out: Path, *, overwrite: bool) -> None:
    """Refuse to write over a file, or to where there is no folder.

    :raises ExportError: it is so.
    """
    if out.exists() and not overwrite:
        raise ExportError(f"OUT is {out}, which is there already. Name another file, or add --overwrite.")
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise ExportError(
            f"OUT is {out}: expected the name of a file in a folder that is there. Make the folder first."
        )


def write(out: Path, form: str, uri_prefix: str, snapshot: LocalSnapshot) -> int:
    """Write a snapshot to a file, which is there whole or not at all; give the number of its images.

    :raises ExportError: it cannot be written.
    """
    part = out.with_name(f".{out.name}.part")
    try:
        with part.open("w", encoding="ascii", newline="\n") as file:
            images = _write(file, form, uri_prefix, snapshot)
        part.replace(out)
    except OSError as error:
        raise ExportError(
            f"OUT, {out}, cannot be written: {error}. Name a file that can be, with room for it."
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return images


def _write(file: IO[str], form: str, uri_prefix: str, snapshot: LocalSnapshot) -> int:
    held = snapshot.header.snapshot
    if form == COCO:
        labels = list(dict.fromkeys(readable_name(count.label) for count in held.labels))
        return write_coco(file, read_each(uri_prefix, snapshot), labels, uri_prefix, held.as_of)
    return sum(1 for line in lines(uri_prefix, snapshot) if file.write(line))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m include.export",
        description="Write the images of a project's snapshot with their labels or boxes to a file. The images stay "
        "where they are; the file names them by their S3 URIs.",
    )
    parser.add_argument("project", help="name of the project, as of its file in include/projects/")
    parser.add_argument("out", type=Path, metavar="OUT", help="the file to write")
    parser.add_argument(
        "--format",
        choices=(GROUND_TRUTH, COCO),
        default=GROUND_TRUTH,
        help="a manifest as SageMaker Ground Truth writes it, or COCO JSON (default: %(default)s)",
    )
    parser.add_argument(
        "--snapshot",
        default=LATEST,
        metavar="DIGEST",
        help=f"digest of a stored snapshot; '{LATEST}', the one stored last, or '{NOW}', one made of today's images "
        "(default: %(default)s)",
    )
    parser.add_argument("--overwrite", action="store_true", help="write over OUT if it is there")
    return parser


if __name__ == "__main__":
    os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "ERROR")
    sys.exit(main())
