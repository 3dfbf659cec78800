"""What human review of a project needs at Amazon A2I: one worker page and a flow for each number of reviewers."""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from custom_labels.aws.statuses import StatusTable
from custom_labels.core.names import slug

FLOW_ACTIVE = StatusTable("flow_definition_active", "Active", frozenset({"Active"}), frozenset({"Initializing"}))
"""SageMaker's FlowDefinitionStatus is Initializing, Active, Failed or Deleting; only an Active flow takes loops."""

TITLE_MARK, INSTRUCTIONS_MARK = "[[TITLE]]", "[[INSTRUCTIONS]]"
FIELD = "shown"
"""Name of the crowd-image-classifier on the page, by which answers are read."""
_DIGEST_CHARACTERS = 16


@dataclass(frozen=True)
class ReviewFlow:
    """A flow definition: a page shown to a number of people.

    :param reviewers: TaskCount, 1 to 3 people for each loop.
    :param output: ``s3://`` URI that A2I writes answers below.
    """

    name: str
    arn: str
    reviewers: int
    output: str


@dataclass(frozen=True)
class ReviewRecord:
    """The flows of a project, as ``registry/review.json`` has them.

    :param task_ui: name of the page that is shown now.
    :param current: for each number of reviewers, the name of the flow that new reviews are opened with.
    :param flows: every flow ever made, so that reviews opened with a replaced one are still harvested.
    """

    task_ui: str = ""
    current: Mapping[int, str] | None = None
    flows: tuple[ReviewFlow, ...] = ()

    def flow_for(self, reviewers: int) -> ReviewFlow | None:
        """Give the flow that asks this many people; ``None`` if there is none."""
        name = (self.current or {}).get(reviewers)
        return next((flow for flow in self.flows if flow.name == name), None)

    def with_current(self, task_ui: str, flows: Iterable[ReviewFlow]) -> ReviewRecord:
        """Make these the flows to open reviews with; all others stay, for reviews that were opened with them."""
        new = {flow.name: flow for flow in flows}
        kept = {flow.name: flow for flow in self.flows}
        every = tuple({**kept, **new}.values())
        current = {**(self.current or {}), **{flow.reviewers: flow.name for flow in new.values()}}
        return ReviewRecord(task_ui, current, every)


def fill_template(source: str, title: str, instructions: str) -> str:
    """Put title and instructions into a worker task template, as text: neither HTML nor Liquid survives in them.

    :param instructions: plain text; blank lines make paragraphs.
    """
    paragraphs = [text for text in re.split(r"\n\s*\n", instructions.strip()) if text.strip()]
    written = "\n".join(f"<p>{_as_text(paragraph.strip())}</p>" for paragraph in paragraphs)
    parts = {TITLE_MARK: _as_text(title), INSTRUCTIONS_MARK: written}
    marks = re.compile("|".join(map(re.escape, parts)))
    return marks.sub(lambda mark: parts[mark.group()], source)


def _as_text(text: str) -> str:
    """Escape for HTML text and quoted attributes, and take Liquid its braces, which HTML shows all the same."""
    return html.escape(text).replace("{", "&#123;").replace("}", "&#125;")


def resource_name(project: str, content: Mapping[str, Any]) -> str:
    """Derive a name from what it stands for: task UIs and flows cannot be changed, so another content is another name.

    HumanTaskUiName and FlowDefinitionName are 1-63 characters of ``[a-z0-9](-*[a-z0-9])*`` (SageMaker API reference).
    """
    text = json.dumps({"project": project, **content}, sort_keys=True)
    return f"{slug(project)}-{hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_CHARACTERS]}"
