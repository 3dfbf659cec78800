"""The pages that show what imports took and skipped: HTML without scripts, which needs nothing from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from custom_labels.core.keys import IMPORTS
from custom_labels.datasets.imports.import_records import ImportFiles, read_report
from custom_labels.datasets.imports.import_work import Fate, ImportReport
from custom_labels.evaluation.templates import render
from custom_labels.s3.pages import pages
from custom_labels.s3.store import S3Store

IMPORT = r"^[0-9]{8}t[0-9]{6}-[0-9a-f]{12}$"
"""Names of imports: their moment, and a digest of the run."""
LISTED = 50
"""Imports that the list shows, the latest first."""
MOST_LABELS = 250
"""Labels that the page shows; the report has all."""


def import_page(project: str, store: S3Store, report: ImportReport) -> str:
    """Write the page of an import.

    Names, labels and values come from sources that others write; they are text here, whatever they hold.
    """
    labels = report.counts.labels
    return render(
        "import.html.j2",
        Path(__file__).parent,
        project=project,
        report=report,
        fates=[(fate.value, report.counts.number(fate)) for fate in Fate],
        codes=[(code, number, report.counts.examples.get(code, ())) for code, number in report.counts.codes.items()],
        labels=list(islice(labels.items(), MOST_LABELS)),
        more_labels=max(0, len(labels) - MOST_LABELS),
        most_of_a_label=max(labels.values(), default=0) or 1,
        skipped=store.uri(ImportFiles(report.name).skipped_folder),
    )


def imports_page(project: str, reports: Sequence[ImportReport]) -> str:
    """Write the list of a project's imports."""
    return render("imports.html.j2", Path(__file__).parent, project=project, reports=reports, fates=list(Fate))


def latest_reports(store: S3Store) -> list[ImportReport]:
    """Read the reports of the latest imports; names begin with the moment. One that has not ended has no report yet."""
    names: list[str] = []
    for page in pages(store, IMPORTS, delimiter="/"):
        folders = (folder.removeprefix(IMPORTS).removesuffix("/") for folder in page.folders)
        names = [*names, *filter(re.compile(IMPORT).fullmatch, folders)][-LISTED:]
    found = (read_report(store, name) for name in reversed(names))
    return [report for report in found if report is not None]
