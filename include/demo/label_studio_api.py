"""What the demo asks of Label Studio, through its REST API and past the package."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
from PIL import Image

from include.demo.errors import DemoError
from include.demo.http_calls import send_patiently

Json = dict[str, Any]

PAGE = 100


class LabelStudioApi:
    """A client of one account.

    :param url: such as ``http://127.0.0.1:8081``, without a slash at its end.
    :param token: the account's; without one, the client has to :meth:`join`.
    """

    def __init__(self, url: str, token: str = "") -> None:
        self.url = url
        headers = {"Authorization": f"Token {token}"} if token else {}
        # Proxies and credentials of the user's environment have no business on this machine.
        self._http = httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False)

    def invitation(self) -> str:
        """Give the path of the link by which people join: Organization > Add Members."""
        return str(self._get("/api/invite")["invite_url"])

    def join(self, invitation: str, email: str, password: str) -> int:
        """Make an account by an invitation, as a person does in a browser, and be signed in; give its number."""
        self._checked(self._http.get(invitation), "The page of the invitation")
        form = {"email": email, "password": password, "csrfmiddlewaretoken": self._http.cookies["csrftoken"]}
        answer = self._http.post(invitation, data=form)
        if not answer.is_redirect:  # the page again, with what is wrong
            raise DemoError(
                f"Label Studio at {self.url} made no account for {email}: HTTP {answer.status_code}. Look at its log, "
                "logs/label_studio.log in the demo's folder."
            )
        self._http.headers["X-CSRFToken"] = self._http.cookies["csrftoken"]
        return int(self._get("/api/current-user/whoami")["id"])

    def projects(self) -> list[Json]:
        """Describe all projects, the oldest first."""
        return sorted(self._get("/api/projects/", page_size=PAGE)["results"], key=lambda project: int(project["id"]))

    def tasks(self, project: int) -> Iterator[Json]:
        """Read all tasks of a project with their annotations; images by their ``s3://`` URIs."""
        number = seen = 0
        while True:
            number += 1
            params = {"project": project, "page": number, "page_size": PAGE, "fields": "all", "resolve_uri": "false"}
            found = self._get("/api/tasks/", **params)
            yield from found["tasks"]
            seen += len(found["tasks"])
            if seen >= found["total"]:
                return

    def image_size(self, task: int, uri: str) -> tuple[int, int]:
        """Load a task's image as the page does, by the link that Label Studio signs; give its width and height."""
        name = base64.urlsafe_b64encode(uri.encode()).decode()
        answer = self._http.get(f"/tasks/{task}/resolve/", params={"fileuri": name}, follow_redirects=True)
        self._checked(answer, f"The image of task {task}")
        with Image.open(io.BytesIO(answer.content)) as image:
            return image.size

    def annotate(self, task: int, result: list[Json]) -> None:
        """Submit an answer."""
        path = f"/api/tasks/{task}/annotations/"
        self._checked(self._http.post(path, json={"result": result}), f"POST {path}")

    def _get(self, path: str, **params: Any) -> Json:
        what = f"Label Studio did not answer GET {self.url}{path}"
        answer = send_patiently(lambda: self._http.get(path, params=params), what)
        return dict(self._checked(answer, f"GET {path}").json())

    def _checked(self, answer: httpx.Response, what: str) -> httpx.Response:
        if not answer.is_success:
            raise DemoError(
                f"{what} is refused by Label Studio at {self.url}: HTTP {answer.status_code}, {answer.text[:500]}"
            )
        return answer


def control_of(project: Mapping[str, Any]) -> tuple[str, Json]:
    """Give the one control of a project's labelling interface: its name, and what it says.

    :raises DemoError: there is none, or there are several.
    """
    controls = dict(project["parsed_label_config"])
    if len(controls) != 1:
        raise DemoError(
            f"Project {project['id']} of Label Studio has {len(controls)} controls in its labelling interface, and the "
            "simulated people answer by one. Trigger the bootstrap DAG, which says what was changed."
        )
    ((name, control),) = controls.items()
    return name, dict(control)
