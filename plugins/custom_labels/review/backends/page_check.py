"""Rendering a project's worker page with a real image before reviews are opened, as AWS renders it for each review."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

from custom_labels.aws.hooks.sagemaker import ReviewSetupHook
from custom_labels.core.keys import IMAGES, INBOX, has_image_suffix
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Box
from custom_labels.datasets.label_names import choices
from custom_labels.errors import CustomLabelsError
from custom_labels.review.review import Purpose, ReviewRequest
from custom_labels.s3.line_files import list_keys
from custom_labels.s3.store import S3Store

TEST_IMAGE = "registry/bootstrap.png"
"""The image of a project that has none yet."""
_CASES = ((Purpose.DOUBT, True), (Purpose.DOUBT, False), (Purpose.AUDIT, True))
"""What a page is rendered for: why people are asked, and whether the model named a label."""


class PageBroken(CustomLabelsError):
    """Reviews of this page would fail before any reviewer sees them."""


@dataclass(frozen=True)
class WorkerPage:
    """A page that reviewers are to see.

    :param service: AWS's name of what shows it; ``backend`` the review backend's in a project file.
    :param task_input: writes what the page is rendered with for a request, as JSON.
    :param template: the page's source, as AWS has it.
    :param task: what reviewers of the project are asked.
    :param labels: what may be chosen.
    :param where: names the template and the setting that it comes from, for errors.
    """

    service: str
    backend: str
    task_input: Callable[[ReviewRequest], str]
    template: str
    task: ProjectTask
    labels: tuple[str, ...]
    where: str


def check_page(store: S3Store, hook: ReviewSetupHook, page: WorkerPage, role_arn: str) -> str:
    """Render a page for each kind of question, and read the image by the link that the page gives to the browser.

    :param role_arn: role that AWS reads images with.
    :return: what was rendered.
    :raises PageBroken: the page cannot be rendered, does not show the image, or its link does not work.
    """
    key, link = _find_image(store), ""
    for purpose, is_labelled in _CASES:
        task_input = page.task_input(_request(store.uri(key), key, page, purpose, is_labelled))
        rendered, errors = hook.render_page(page.template, task_input, role_arn)
        kind = f"{purpose} review of {store.uri(key)} {'with' if is_labelled else 'without'} a label"
        if errors:
            raise PageBroken(
                f"{page.service} cannot render the worker page for a {kind}: {'; '.join(errors)}. Every such review "
                f"would fail. {page.where}; correct the template and trigger the bootstrap DAG again."
            )
        sources = (each for each in _Sources(rendered).links if urlsplit(each).scheme in {"http", "https"})
        link = next((each for each in sources if unquote(urlsplit(each).path).endswith(f"/{store.key(key)}")), "")
        if not link:
            raise PageBroken(
                f"The worker page rendered for a {kind} has no 'src' that shows the image. {page.where}; use "
                'src="{{ task.input.taskObject | grant_read_access }}", and trigger the bootstrap DAG again.'
            )
    _read(link, store.uri(key), page, role_arn)
    return f"rendered with {store.uri(key)}, which its link can be read by"


def _find_image(store: S3Store) -> str:
    """Find an image of the project, or put a small one where the other records of the registry are."""
    for folder in (INBOX, IMAGES):
        for keys in list_keys(store, folder):
            if found := next(filter(has_image_suffix, keys), None):
                return found
    from PIL import Image

    picture = io.BytesIO()
    Image.new("RGB", (64, 64), "white").save(picture, "PNG")
    store.call("put_object", TEST_IMAGE, Body=picture.getvalue(), ContentType="image/png")
    return TEST_IMAGE


def _request(image: str, key: str, page: WorkerPage, purpose: Purpose, is_labelled: bool) -> ReviewRequest:
    offered = choices(page.labels)[0] or ("a label",)
    found = offered[:1] if is_labelled else ()
    return ReviewRequest(
        name="bootstrap",
        image=image,
        key=key,
        etag="bootstrap",
        label=offered[0] if is_labelled else None,
        confidence=50.0 if is_labelled else None,
        labels=offered,
        version_name="bootstrap",
        purpose=purpose,
        round=1,
        reviewers=1,
        task=page.task,
        guesses=found,
        boxes=tuple(Box(label, 1, 1, 8, 8) for label in found),
    )


def _read(link: str, image: str, page: WorkerPage, role_arn: str) -> None:
    """Read the first byte of the image as a reviewer's browser does, without credentials of our own.

    :raises botocore.exceptions.HTTPClientError: the link's host cannot be reached.
    """
    from botocore.awsrequest import AWSRequest
    from botocore.httpsession import URLLib3Session

    request = AWSRequest("GET", link, headers={"Range": "bytes=0-0"})
    answer = URLLib3Session(timeout=30).send(request.prepare())
    if answer.status_code >= 400:
        raise PageBroken(
            f"The worker page's link to {image} is refused with HTTP {answer.status_code}: {answer.text[:300]}. "
            f"Reviewers would see no image. Let the role {role_arn} ('review.{page.backend}.role_arn') read the "
            "bucket's objects, and trigger the bootstrap DAG again."
        )


class _Sources(HTMLParser):
    """Every ``src`` of a page, in its order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.links += [value for name, value in attrs if name == "src" and value]
