"""The pages for boxes and for several labels, rendered by the embedded AWS; each project gets the one for its task."""

from __future__ import annotations

import html.parser
import json
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.core.project_task import ProjectTask
from custom_labels.core.settings import Project, load_project
from custom_labels.datasets.label_names import NONE_OF_THE_ABOVE
from custom_labels.errors import SettingError
from custom_labels.review.backends.a2i.setup import plan_review
from custom_labels.review.backends.worker_page import ELEMENTS
from include.local_aws.human_review.questions import find_elements
from tests.kit.review_project import make_store, with_review
from tests.kit.support import client
from tests.review.backends.test_a2i_template import HOSTILE

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

BOXES, LABELS = ProjectTask.OBJECT_DETECTION, ProjectTask.MULTI_LABEL_CLASSIFICATION
IMAGE = "s3://custom-labels-digits/images_for_detection/a.png"
BOX = {"label": "7", "left": 1, "top": 2, "width": 30, "height": 40}
GUESS: dict[ProjectTask, list[Any]] = {BOXES: [BOX], LABELS: ["7", "1"]}


class Page(html.parser.HTMLParser):
    """The tags and the text of a rendered page."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.content = content
        self.tags: list[str] = []
        self.text = ""
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def attributes(self) -> dict[str, str | None]:
        [element] = find_elements(self.content)
        return dict(element.attributes)


def project(task: ProjectTask, **review: Any) -> Project:
    digits = load_project("digits")
    assert digits.review is not None
    return with_review(digits, **review).model_copy(update={"task": task})


def render(aws: LocalAws, task: ProjectTask, review: dict[str, Any] | None = None, **task_input: Any) -> Page:
    wanted = project(task, **(review or {}))
    template = plan_review(wanted, make_store(wanted), [1]).template
    given = {"taskObject": IMAGE, "labels": ["1", "7"], "purpose": "doubt", "initialValue": GUESS[task], **task_input}
    answer = client(aws, "sagemaker").render_ui_template(
        UiTemplate={"Content": template},
        Task={"Input": json.dumps(given)},
        RoleArn="arn:aws:iam::123456789012:role/r",
    )
    assert answer["Errors"] == []
    return Page(answer["RenderedContent"])


def test_page_of_boxes_shows_those_of_the_model(aws: LocalAws) -> None:
    page = render(aws, BOXES, {"title": "Where?", "instructions": "Look.\n\nLook again."})

    shown = page.attributes
    assert (shown["name"], shown["header"]) == ("shown", "Where?")
    assert json.loads(str(shown["labels"])) == ["1", "7"]
    assert json.loads(str(shown["initial-value"])) == [BOX]
    assert "/custom-labels-digits/images_for_detection/a.png?" in str(shown["src"])
    assert "The boxes are the model's." in page.text
    assert "Look again." in page.text
    assert "nothing here" in page.text


def test_page_of_several_labels_says_the_guess_of_the_model(aws: LocalAws) -> None:
    page = render(aws, LABELS)

    shown = page.attributes
    assert shown["name"] == "shown"
    assert json.loads(str(shown["categories"])) == ["1", "7"]
    [element] = find_elements(page.content)
    assert element.question().exclusion == NONE_OF_THE_ABOVE
    assert "The model says 7, 1. It may have one too many" in page.text
    assert "initial-value" not in shown


@pytest.mark.parametrize(("task", "says"), [(BOXES, "The model found nothing."), (LABELS, "The model found no label.")])
@pytest.mark.parametrize("found", [[], None], ids=["none", "not said"])
def test_page_says_so_when_the_model_found_nothing(aws: LocalAws, task: ProjectTask, says: str, found: Any) -> None:
    assert says in render(aws, task, initialValue=found).text


@pytest.mark.parametrize("task", [BOXES, LABELS])
def test_audit_does_not_show_what_the_model_found(aws: LocalAws, task: ProjectTask) -> None:
    page = render(aws, task, purpose="audit")

    assert "model" not in page.text
    assert "initial-value" not in page.attributes


@pytest.mark.parametrize("task", [BOXES, LABELS])
@pytest.mark.parametrize("text", [*HOSTILE, "../../x", "w" * 255])
def test_hostile_text_stays_text(aws: LocalAws, task: ProjectTask, text: str) -> None:
    plain = render(aws, task, {"instructions": "x"})
    guess = [{**BOX, "label": text}] if task is BOXES else [text, "1"]

    page = render(
        aws,
        task,
        {"title": text, "instructions": text},
        labels=[text, "7"],
        initialValue=guess,
        taskObject=f"s3://bucket/{text}",
    )

    assert page.tags == plain.tags
    assert set(page.attributes) == set(plain.attributes)
    [element] = find_elements(page.content)
    question = element.question()
    assert question.categories == (text, "7")
    assert page.attributes["header"] == text
    if task is BOXES:
        assert question.initial is not None
        assert question.initial[0].label == text
    else:
        assert f"The model says {text}, 1." in page.text


def test_each_task_has_a_page_of_its_own() -> None:
    plans = [plan_review(wanted, make_store(wanted), [1]) for wanted in map(project, ProjectTask)]

    assert len({plan.task_ui for plan in plans}) == len({plan.flows[1] for plan in plans}) == len(ProjectTask)


@pytest.mark.parametrize("task", ProjectTask)
@pytest.mark.parametrize("element", ELEMENTS.values())
def test_page_of_a_project_needs_the_element_of_its_task(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, task: ProjectTask, element: str
) -> None:
    wanted = project(task, template="mine.html")
    monkeypatch.setenv("CUSTOM_LABELS_PROJECTS_DIR", str(tmp_path))
    (tmp_path / "mine.html").write_text(
        f'{{% if a > b %}}<b>{{{{ "x>" | upcase }}}}</b>{{% endif %}}<{element}\n name="shown"></{element}>'
    )

    if ELEMENTS[task] == element:
        assert plan_review(wanted, make_store(wanted), [1]).template
        return
    with pytest.raises(SettingError) as refused:
        plan_review(wanted, make_store(wanted), [1])
    assert f'has no {ELEMENTS[task]} with name="shown"' in str(refused.value)
    assert f"task '{task}'" in str(refused.value)
    assert "'review.a2i.template' of project 'digits' is 'mine.html'" in str(refused.value)
    assert "or correct 'task'" in str(refused.value)
