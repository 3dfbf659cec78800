"""The worker portal under /_local_aws/work/: where people answer human loops and labeling jobs in a browser.

Everything a page can do is bound to this machine: the Host must be local, a request of another origin is
refused, and an answer needs the token that only the task's own page carries.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from typing import Any
from urllib.parse import parse_qsl

from include.local_aws.control import has_local_host
from include.local_aws.human_review import pages
from include.local_aws.human_review.answers import AnswerRefused, check_answer
from include.local_aws.human_review.pages import OpenTask
from include.local_aws.human_review.questions import find_elements
from include.local_aws.human_review.state import Region
from include.local_aws.human_review.tasks import TaskClosed, accept, open_tasks, submit
from include.local_aws.human_review.templates import TemplateError
from include.local_aws.messages import Request, Response
from include.local_aws.regions import Regions
from include.local_aws.strict_json import read_json

_WORKER = re.compile(r"[A-Za-z0-9_-]{1,40}")
_DEFAULT_WORKER = "me"


class PortalError(ValueError):
    """A request that the portal refuses, with the HTTP status for it."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Portal:
    """Serves the portal's pages over the loops of all regions."""

    PREFIX = pages.PREFIX

    def __init__(self, regions: Regions[Region]) -> None:
        self._regions = regions
        self._secret = secrets.token_bytes(32)

    def handle(self, request: Request) -> Response:
        """Answer one request for a page, a file or an answer to keep."""
        fields = {**request.parameters, **_form(request)}
        worker = fields.get("worker", _DEFAULT_WORKER)
        try:
            _check_sender(request)
            _check_worker(worker)
            return self._answer(request, fields, worker)
        except PortalError as error:
            shown = worker if _WORKER.fullmatch(worker) else _DEFAULT_WORKER
            return _html(error.status, pages.message_page(str(error), shown))

    def _answer(self, request: Request, fields: dict[str, str], worker: str) -> Response:
        name = request.path.removeprefix(self.PREFIX)
        if request.method == "POST" and name == "task":
            return self._keep(fields, worker)
        if request.method not in ("GET", "HEAD"):
            raise PortalError(405, f"{request.method} is not possible here.")
        if name == "":
            return _html(200, pages.list_page(self._open(worker), worker))
        if name == "task":
            return self._show(fields, worker)
        found = pages.static_file(name)
        if found is None:
            raise PortalError(404, f"There is no page {request.path}.")
        kind, content = found
        return Response(200, {"Content-Type": f"{kind}; charset=utf-8"}, content)

    def _open(self, worker: str) -> list[OpenTask]:
        found: list[OpenTask] = []
        for name in self._regions.names():
            region = self._regions.get(name)
            with region.lock:
                found += [OpenTask(name, work) for work in open_tasks(region, worker)]
        return sorted(found, key=lambda task: task.work.created)

    def _show(self, fields: dict[str, str], worker: str) -> Response:
        region, task = self._task(fields)
        left = self._open(worker)
        with region.lock:
            if task.work not in open_tasks(region, worker):
                raise PortalError(410, "This task is not open to you any more.")
            rendered = _render(region, task)
            accept(task.work, worker)
        token = self._token(task, worker)
        return _html(200, pages.task_page(task, worker, len(left), rendered, token))

    def _keep(self, fields: dict[str, str], worker: str) -> Response:
        region, task = self._task(fields)
        if not hmac.compare_digest(self._token(task, worker).encode(), fields.get("token", "").encode()):
            raise PortalError(403, "The answer does not come from the task's own page.")
        content = _content(fields.get("answer", ""))
        with region.lock:
            try:
                check_answer(find_elements(_render(region, task)), content)
                submit(task.work, worker, content)
            except AnswerRefused as error:
                raise PortalError(400, str(error)) from None
            except TaskClosed as error:
                raise PortalError(409, str(error)) from None
        rest = self._open(worker)
        following = pages.task_url(rest[0], worker) if rest else pages.list_url(worker)
        return Response(303, {"Location": following, "Cache-Control": "no-store"})

    def _task(self, fields: dict[str, str]) -> tuple[Region, OpenTask]:
        name, wanted = fields.get("region", ""), fields.get("loop", "")
        if name in self._regions.names():
            region = self._regions.get(name)
            work = region.work(wanted)
            if work is not None:
                return region, OpenTask(name, work)
        raise PortalError(404, f"There is no task {wanted!r} in the region {name!r}.")

    def _token(self, task: OpenTask, worker: str) -> str:
        what = json.dumps([task.region, task.work.name, task.work.serial, worker]).encode()
        return hmac.new(self._secret, what, hashlib.sha256).hexdigest()


def _render(region: Region, task: OpenTask) -> str:
    try:
        return task.work.page(region)
    except TemplateError as error:
        raise PortalError(409, f"The task cannot be shown: {error}.") from None


def _check_sender(request: Request) -> None:
    """Refuse what a page of another site could have sent: see control.is_local."""
    own = f"http://{request.headers.get('host', '')}"
    if not has_local_host(request) or request.headers.get("origin", own) != own:
        raise PortalError(403, "Only pages of this machine may come here.")


def _check_worker(worker: str) -> None:
    if not _WORKER.fullmatch(worker):
        raise PortalError(400, "A worker's name has 1 to 40 letters, digits, _ and -.")


def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))


def _content(text: str) -> dict[str, Any]:
    try:
        content = read_json(text)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise PortalError(400, "The answer is not a JSON object.")
    return content


def _html(status: int, text: str) -> Response:
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": "no-store",
        "X-Frame-Options": "DENY",
        "Content-Security-Policy": "frame-ancestors 'none'",
    }
    return Response(status, headers, text.encode())
