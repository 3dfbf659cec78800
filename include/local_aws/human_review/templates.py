"""Worker task templates: Liquid, with the filters that SageMaker adds to it.

Source of the filters: the SageMaker guide's "Adding automation with Liquid". Every value is escaped for
HTML unless the template says `skip_autoescape`, so what a review shows cannot become part of its page.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from urllib.parse import quote, urlsplit

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from liquid import BoundTemplate, Environment
from liquid.exceptions import LiquidError
from markupsafe import Markup

_LINK_SECONDS = 3600
_LOOP_LIMIT = 100_000
_OUTPUT_LIMIT = 16 * 1024 * 1024
Grant = Callable[[str], str]


class TemplateError(ValueError):
    """A template that cannot be parsed or rendered; the text says why."""


class _Limited(Environment):
    """Liquid that a template cannot keep busy for ever."""

    loop_iteration_limit = _LOOP_LIMIT
    output_stream_limit = _OUTPUT_LIMIT


class TaskTemplate:
    """The Liquid source of a worker page, parsed when it is first rendered.

    Parameters: `content` is the source; `grant` makes an s3:// URI into a URL that a browser can read, and
    raises ValueError for what is no such URI.
    """

    def __init__(self, content: str, grant: Grant) -> None:
        self.content = content
        self._grant = grant

    def render(self, task_input: object) -> str:
        """Return the page for a task whose `task.input` is `task_input`; raises TemplateError."""
        try:
            return self._parsed.render(task={"input": task_input})
        except LiquidError as error:
            raise TemplateError(str(error).partition("\n")[0]) from None

    @cached_property
    def _parsed(self) -> BoundTemplate:
        environment = _Limited(autoescape=True)
        environment.add_filter("to_json", _to_json)
        environment.add_filter("skip_autoescape", Markup)
        environment.add_filter("grant_read_access", self._granted)
        return environment.from_string(self.content)

    def _granted(self, value: object) -> str:
        try:
            return self._grant(str(value))
        except ValueError:
            # AWS's own words, as issue 8 of amazon-a2i-sample-task-uis quotes them.
            raise TemplateError("[ InvalidParameters: '\"grant_read_access\" input is not a valid S3 URI' ]") from None


def presigned_link(endpoint_url: str, region: str, uri: str) -> str:
    """Return a presigned GET URL on `endpoint_url` for an object's s3:// URI, valid for an hour."""
    bucket, key = split_s3_uri(uri)
    request = AWSRequest("GET", f"{endpoint_url}/{bucket}/{quote(key)}")
    S3SigV4QueryAuth(Credentials("local", "local"), "s3", region, expires=_LINK_SECONDS).add_auth(request)
    return str(request.url)


def split_s3_uri(uri: str) -> tuple[str, str]:
    """Return bucket and key of an s3:// URI; raises ValueError for anything else."""
    parts = urlsplit(uri, allow_fragments=False)
    key = uri.removeprefix(f"s3://{parts.netloc}/")
    if parts.scheme != "s3" or not parts.netloc or not key or key == uri:
        raise ValueError(f"{uri!r} is not a valid S3 URI")
    return parts.netloc, key


def _to_json(value: object) -> str:
    # What the input lacks is Liquid's own kind of nothing, which JSON knows as null.
    return json.dumps(value, ensure_ascii=False, default=lambda _nothing: None)
