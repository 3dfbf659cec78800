"""Worker task templates: Liquid, with the filters that SageMaker adds to it.

Source of the filters: the SageMaker guide's "Adding automation with Liquid". Every value is escaped for
HTML unless the template says `skip_autoescape`, so what a review shows cannot become part of its page.
What is rendered here can take any time and memory: `renderer` bounds both.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
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
_VARIABLES_LIMIT = 16 * 1024 * 1024
_PARSED = 64
"""How many templates are kept parsed."""


class TemplateError(ValueError):
    """A template that cannot be parsed or rendered; the text says why."""


@dataclass(frozen=True)
class PageOrder:
    """A page to render: the Liquid source, and where the S3 objects are that it shows."""

    content: str
    task_input: object
    endpoint_url: str
    region: str


class _Limited(Environment):
    """Liquid with the limits of its own that it has, for errors that say which; a template can get around each."""

    loop_iteration_limit = _LOOP_LIMIT
    output_stream_limit = _OUTPUT_LIMIT
    local_namespace_limit = _VARIABLES_LIMIT


def render_page(order: PageOrder) -> str:
    """Return the page for a task whose `task.input` is the order's; raises TemplateError."""
    try:
        return _parsed(order.content, order.endpoint_url, order.region).render(task={"input": order.task_input})
    except LiquidError as error:
        raise TemplateError(str(error).partition("\n")[0]) from None


@lru_cache(maxsize=_PARSED)
def _parsed(content: str, endpoint_url: str, region: str) -> BoundTemplate:
    def grant_read_access(value: object) -> str:
        try:
            return presigned_link(endpoint_url, region, str(value))
        except ValueError:
            # AWS's own words, as issue 8 of amazon-a2i-sample-task-uis quotes them.
            raise TemplateError("[ InvalidParameters: '\"grant_read_access\" input is not a valid S3 URI' ]") from None

    environment = _Limited(autoescape=True)
    environment.add_filter("to_json", _to_json)
    environment.add_filter("skip_autoescape", Markup)
    environment.add_filter("grant_read_access", grant_read_access)
    return environment.from_string(content)


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
