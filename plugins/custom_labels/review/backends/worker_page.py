"""Worker task templates of SageMaker, with an operator's words and the element that answers are read by."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from pathlib import Path

from custom_labels.core.project_task import ProjectTask
from custom_labels.core.review_setup import ReviewSetup
from custom_labels.errors import SettingError

TEMPLATE_CHARACTERS = 128_000
"""UiTemplate.Content holds at most so many (SageMaker API reference)."""
TITLE_MARK, INSTRUCTIONS_MARK = "[[TITLE]]", "[[INSTRUCTIONS]]"
ELEMENTS = {
    ProjectTask.IMAGE_CLASSIFICATION: "crowd-image-classifier",
    ProjectTask.MULTI_LABEL_CLASSIFICATION: "crowd-image-classifier-multi-select",
    ProjectTask.OBJECT_DETECTION: "crowd-bounding-box",
}
"""The element that answers in the shape which the harvest of each task reads (SageMaker guide, Crowd HTML elements)."""
_LIQUID = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


def read_template(path: Path, where: str, review: ReviewSetup, task: ProjectTask, field: str) -> str:
    """Read a template, with the title and the instructions of a project in it.

    :param where: names the template and the setting that it comes from, for errors.
    :param field: name of the element by which answers are read.
    :raises SettingError: it is missing, too long, or lacks that element.
    """
    try:
        source = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingError(
            f"The worker task template cannot be read: {error}. {where}; name a file relative to the project files."
        ) from error
    filled = _fill_template(source, review.title, review.instructions)
    if len(filled) > TEMPLATE_CHARACTERS:
        raise SettingError(
            f"The worker task template has {len(filled)} characters with its instructions: AWS takes "
            f"{TEMPLATE_CHARACTERS}. {where}; shorten it or 'review.instructions'."
        )
    element = ELEMENTS[task]
    if (element, field) not in _named_elements(filled):
        raise SettingError(
            f'The worker task template has no {element} with name="{field}", by which answers of a project with task '
            f"'{task}' are read. {where}; use that element and name it so, or correct 'task' of the project."
        )
    return filled


def _named_elements(template: str) -> set[tuple[str, str]]:
    """Give the elements of a template with their names; what Liquid would fill in is left out."""
    found: set[tuple[str, str]] = set()

    class Elements(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.update((tag, value) for name, value in attrs if name == "name" and value)

    Elements().feed(_LIQUID.sub("", template))
    return found


def _fill_template(source: str, title: str, instructions: str) -> str:
    """Put title and instructions into a worker task template, as text: neither HTML nor Liquid survives in them.

    :param instructions: plain text; blank lines make paragraphs.
    """
    paragraphs = [text.strip() for text in re.split(r"\n\s*\n", instructions) if text.strip()]
    written = "\n".join(f"<p>{_as_text(paragraph)}</p>" for paragraph in paragraphs)
    parts = {TITLE_MARK: _as_text(title), INSTRUCTIONS_MARK: written}
    return re.sub("|".join(map(re.escape, parts)), lambda mark: parts[mark.group()], source)


def _as_text(text: str) -> str:
    """Escape for HTML text and quoted attributes, and take Liquid its braces, which HTML shows all the same."""
    return html.escape(text).replace("{", "&#123;").replace("}", "&#125;")
