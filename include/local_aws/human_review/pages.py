"""The HTML of the worker portal."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from markupsafe import Markup, escape

from include.local_aws.human_review.state import Work

PREFIX = "/_local_aws/work/"
_STATIC = Path(__file__).parent / "static"
_TYPES = {".js": "text/javascript", ".css": "text/css"}
_FILES = frozenset(path.relative_to(_STATIC).as_posix() for path in _STATIC.rglob("*") if path.is_file())
# What the script imports is asked for with it, not after it.
_OWN_SCRIPT = "".join(f'<link rel="modulepreload" href="{PREFIX}{name}.js">' for name in ("choices", "parts")) + (
    f'<script type="module" src="{PREFIX}crowd.js"></script>'
)
_SHOWN = 200
_NOTHING = Markup("<p>Nothing to do: no task waits for you. This page looks again every 5 seconds.</p>")
_CROWD_SCRIPT = re.compile(
    r"<script\b[^>]*\bsrc\s*=\s*[\"']?https?://assets\.crowd\.aws/[^>]*>\s*</script\s*>", re.IGNORECASE
)


@dataclass(frozen=True)
class OpenTask:
    """An open task and the region that it is in."""

    region: str
    work: Work


def static_file(name: str) -> tuple[str, bytes] | None:
    """Return the type and the content of one of the portal's own files, None for any other name."""
    kind = _TYPES.get(Path(name).suffix)
    return (kind, (_STATIC / name).read_bytes()) if kind and name in _FILES else None


def task_url(task: OpenTask, worker: str) -> str:
    """Return the path of a task's page."""
    return f"{PREFIX}task?{urlencode({'worker': worker, 'region': task.region, 'loop': task.work.name})}"


def list_url(worker: str) -> str:
    """Return the path of the list of a worker's tasks."""
    return f"{PREFIX}?{urlencode({'worker': worker})}"


def list_page(tasks: Sequence[OpenTask], worker: str) -> str:
    """Return the page that lists a worker's open tasks."""
    who = Markup(
        '<form method="get" action="{}"><label>You are <input name="worker" value="{}" pattern="[A-Za-z0-9_\\-]+" '
        'maxlength="40" required></label> <button>Change</button></form>'
    ).format(PREFIX, worker)
    count = f"{len(tasks)} open task{'' if len(tasks) == 1 else 's'}"
    body = Markup("<main><h1>{}</h1>{}{}</main>").format(count, who, _table(tasks, worker) if tasks else _NOTHING)
    return _document("Open tasks", body, refresh=not tasks)


def task_page(task: OpenTask, worker: str, left: int, rendered: str, token: str) -> str:
    """Return a task's page: the template as it was rendered, with our stand-ins for AWS's crowd elements.

    Parameters: `left` is how many tasks the worker has open; `token` must come back with the answer.
    """
    title = str(task.work.config["TaskTitle"])
    fields = {"region": task.region, "loop": task.work.name, "worker": worker, "token": token}
    # The template is the operator's own page, and what it shows of the input was escaped when it was rendered.
    shown = Markup(_own_crowd(rendered))  # noqa: S704
    body = Markup(
        '<header><a href="{}">All tasks</a> <strong>{}</strong> <span>{} open, you are {}</span></header>'
        '<script type="application/json" id="local-aws-task">{}</script>{}'
    ).format(list_url(worker), title, left, worker, _json(fields), shown)
    return _document(title, body)


def message_page(text: str, worker: str) -> str:
    """Return a page that says why something was not done."""
    body = Markup('<main><h1>Not done</h1><p>{}</p><p><a href="{}">All tasks</a></p></main>').format(
        text, list_url(worker)
    )
    return _document("Not done", body)


def _table(tasks: Sequence[OpenTask], worker: str) -> Markup:
    rows = Markup("").join(_row(task, worker) for task in tasks[:_SHOWN])
    more = Markup("<p>and {} more</p>").format(len(tasks) - _SHOWN) if len(tasks) > _SHOWN else Markup("")
    start = Markup('<p><a class="start" href="{}">Start with the oldest</a></p>').format(task_url(tasks[0], worker))
    table = Markup("<table><tr><th>Task</th><th>Flow</th><th>Loop</th><th>Waiting</th></tr>{}</table>").format(rows)
    return start + table + more


def _row(task: OpenTask, worker: str) -> Markup:
    waiting = _duration(time.time() - task.work.created)
    return Markup('<tr><td><a href="{}">{}</a></td><td>{}</td><td>{}</td><td>{}</td></tr>').format(
        task_url(task, worker), task.work.config["TaskTitle"], task.work.source, task.work.name, waiting
    )


def _duration(seconds: float) -> str:
    """Return seconds in the largest unit that they fill twice."""
    for unit, length in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{int(seconds / length)} {unit}"
    return f"{int(seconds)} s"


def _own_crowd(rendered: str) -> str:
    """Load our stand-ins where the template loads AWS's elements, which only AWS serves."""
    # A module waits for the page as a deferred script does, so that an element finds its children when it is set up.
    return _CROWD_SCRIPT.sub(_OWN_SCRIPT, rendered)


def _json(fields: Mapping[str, str]) -> Markup:
    """Return JSON that cannot end the script element it stands in."""
    return Markup(json.dumps(fields).replace("<", "\\u003c"))  # noqa: S704 - made safe in this very line


def _document(title: str, body: Markup, *, refresh: bool = False) -> str:
    again = Markup('<meta http-equiv="refresh" content="5">') if refresh else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title>{again}"
        f'<link rel="icon" href="data:,"><link rel="stylesheet" href="{PREFIX}portal.css"></head>'
        f"<body>{body}</body></html>"
    )
