"""The pages that show how label assist goes on: HTML without scripts, which needs nothing from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path

from custom_labels.assist.assist import Assist, AssistRound
from custom_labels.assist.assist_records import answers_to, assist_record, read_asked, round_folder
from custom_labels.assist.progress import RoundProgress, add_up, count_progress
from custom_labels.core.keys import LABEL_ASSIST
from custom_labels.core.names import PAGES
from custom_labels.core.project_task import ProjectTask
from custom_labels.core.settings import Project
from custom_labels.evaluation.templates import render
from custom_labels.s3.pages import pages
from custom_labels.s3.store import S3Store

ASSIST = r"^[0-9]{8}t[0-9]{6}-[0-9a-f]{12}$"
"""Names of label assists: their moment, and a digest of their first run."""
LISTED = 50
"""Label assists that the list shows, the latest first."""


def assist_page(project: Project, store: S3Store, assist: Assist) -> str:
    """Write the page of a label assist; of a round that goes on, what people have answered by now."""
    progress = {each.number: _progress(store, assist, each) for each in assist.rounds}
    total, saved = add_up(progress.values())
    return render(
        "assist.html.j2",
        Path(__file__).parent,
        project=project.name,
        assist=assist,
        folder=store.uri(assist.plan.prefix),
        rounds=list(reversed(assist.rounds)),
        progress=progress,
        total=total,
        saved=saved,
        first_f1=assist.rounds[0].f1_before if assist.rounds else None,
        f1s=[each.f1 for each in assist.rounds if each.f1 is not None],
        of_boxes=project.task is ProjectTask.OBJECT_DETECTION,
        decisions=f"{PAGES}/{project.name}/decisions",
    )


def _progress(store: S3Store, assist: Assist, round_: AssistRound) -> RoundProgress:
    if round_.progress is not None or not round_.asked_at:
        return round_.progress or RoundProgress(asked=round_.asked)
    asked = read_asked(store, round_folder(assist.name, round_.number)) or []
    lines = answers_to(store, asked, datetime.fromisoformat(round_.begun_at))
    return count_progress(len(asked), lines, round_.least_overlap)


def assists_page(project: str, assists: Sequence[Assist]) -> str:
    """Write the list of a project's label assists."""
    return render("assists.html.j2", Path(__file__).parent, project=project, assists=assists)


def latest_assists(store: S3Store) -> list[Assist]:
    """Read the records of the latest label assists; names begin with the moment."""
    names: list[str] = []
    for page in pages(store, LABEL_ASSIST, delimiter="/"):
        folders = (folder.removeprefix(LABEL_ASSIST).removesuffix("/") for folder in page.folders)
        names = [*names, *filter(re.compile(ASSIST).fullmatch, folders)][-LISTED:]
    found = (assist_record(name).read(store) for name in islice(reversed(names), LISTED))
    return [assist for assist in found if assist is not None]
