"""Rendering a project's worker page with a real image before anybody is asked, as A2I renders it for each review."""

from __future__ import annotations

import io
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

from custom_labels.aws.hooks.sagemaker import ReviewSetupHook
from custom_labels.core.keys import IMAGES, INBOX, has_image_suffix
from custom_labels.datasets.label_names import choices
from custom_labels.errors import CustomLabelsError
from custom_labels.review.backends.a2i.backend import loop_input
from custom_labels.review.review import Purpose, ReviewRequest
from custom_labels.s3.line_files import list_keys
from custom_labels.s3.store import S3Store

TEST_IMAGE = "registry/bootstrap.png"
"""The image of a project that has none yet."""
_CASES = ((Purpose.DOUBT, True), (Purpose.DOUBT, False), (Purpose.AUDIT, True))
"""What a page is rendered for: why people are asked, and whether the model named a label."""


class PageBroken(CustomLabelsError):
    """Reviews of this page would fail before any reviewer sees them."""


class ReviewPageCheck:
    """Renders a page for each kind of question, and reads the image by the link that the page gives to the browser.

    :param template: the page's source, as A2I has it.
    :param role_arn: role that A2I reads images with.
    :param labels: what may be chosen.
    :param where: names the template and the setting that it comes from, for errors.
    """

    def __init__(
        self, store: S3Store, hook: ReviewSetupHook, template: str, role_arn: str, labels: tuple[str, ...], where: str
    ) -> None:
        self.store = store
        self.hook = hook
        self.template = template
        self.role_arn = role_arn
        self.labels = choices(labels)[0] or ("a label",)
        self.where = where

    def run(self) -> str:
        """Render the page and read its image; give what was rendered.

        :raises PageBroken: the page cannot be rendered, does not show the image, or its link does not work.
        """
        key, link = self._image(), ""
        for purpose, is_labelled in _CASES:
            page, errors = self.hook.render_page(self.template, self._input(key, purpose, is_labelled), self.role_arn)
            kind = f"{purpose} review of {self.store.uri(key)} {'with' if is_labelled else 'without'} a label"
            if errors:
                raise PageBroken(
                    f"A2I cannot render the worker page for a {kind}: {'; '.join(errors)}. Every such review would "
                    f"fail. {self.where}; correct the template and trigger the bootstrap DAG again."
                )
            link = next(self._links(page, key), "")
            if not link:
                raise PageBroken(
                    f"The worker page rendered for a {kind} has no 'src' that shows the image. {self.where}; use "
                    'src="{{ task.input.taskObject | grant_read_access }}", and trigger the bootstrap DAG again.'
                )
        self._read(link, key)
        return f"rendered with {self.store.uri(key)}, which its link can be read by"

    def _image(self) -> str:
        """Find an image of the project, or put a small one where the other records of the registry are."""
        for folder in (INBOX, IMAGES):
            for keys in list_keys(self.store, folder):
                if found := next(filter(has_image_suffix, keys), None):
                    return found
        from PIL import Image

        picture = io.BytesIO()
        Image.new("RGB", (64, 64), "white").save(picture, "PNG")
        self.store.call("put_object", TEST_IMAGE, Body=picture.getvalue(), ContentType="image/png")
        return TEST_IMAGE

    def _input(self, key: str, purpose: Purpose, is_labelled: bool) -> str:
        return loop_input(
            ReviewRequest(
                name="bootstrap",
                image=self.store.uri(key),
                key=key,
                etag="bootstrap",
                label=self.labels[0] if is_labelled else None,
                confidence=50.0 if is_labelled else None,
                labels=self.labels,
                version_name="bootstrap",
                purpose=purpose,
                round=1,
                reviewers=1,
            )
        )

    def _links(self, page: str, key: str) -> Iterator[str]:
        """Find the links to the image on a page."""
        for link in _Sources(page).links:
            parts = urlsplit(link)
            if parts.scheme in {"http", "https"} and unquote(parts.path).endswith(f"/{self.store.key(key)}"):
                yield link

    def _read(self, link: str, key: str) -> None:
        """Read the first byte of the image as a reviewer's browser does, without credentials of our own.

        :raises botocore.exceptions.HTTPClientError: the link's host cannot be reached.
        """
        from botocore.awsrequest import AWSRequest
        from botocore.httpsession import URLLib3Session

        request = AWSRequest("GET", link, headers={"Range": "bytes=0-0"})
        answer = URLLib3Session(timeout=30).send(request.prepare())
        if answer.status_code >= 400:
            raise PageBroken(
                f"The worker page's link to {self.store.uri(key)} is refused with HTTP {answer.status_code}: "
                f"{answer.text[:300]}. Reviewers would see no image. Let the role {self.role_arn} ('review.role_arn') "
                "read the bucket's objects, and trigger the bootstrap DAG again."
            )


class _Sources(HTMLParser):
    """Every ``src`` of a page, in its order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.links += [value for name, value in attrs if name == "src" and value]
