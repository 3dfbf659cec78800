"""The page that reviewers see, rendered by the embedded AWS, with everything that strangers may write in it."""

from __future__ import annotations

import html.parser
import json
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.core.settings import Project, load_project
from custom_labels.datasets.label_names import NONE_OF_THE_ABOVE
from custom_labels.errors import SettingError
from custom_labels.review.backends.a2i.backend import loop_input
from custom_labels.review.backends.a2i.setup import plan_review
from custom_labels.review.review import Purpose, ReviewRequest
from tests.kit.review_project import make_store, with_review
from tests.kit.support import client

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ task.input.key }}",
    "{% if true %}x{% endif %}",
    "{% raw %}",
    "]] , [[TITLE]]",
    "&quot;, &quot;another",
    "</crowd-form>",
    "Käse 🧀 \u202e",
]


class Page(html.parser.HTMLParser):
    """What a browser would make of the page: its elements, the classifier's attributes, the text of paragraphs."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: dict[str, dict[str, str | None]] = {}
        self.text = ""
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes[tag] = dict(attrs)

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def categories(self) -> Any:
        return json.loads(str(self.attributes["crowd-image-classifier"]["categories"]))


def project(**changes: Any) -> Project:
    digits = load_project("digits")
    assert digits.review is not None
    return with_review(digits, **changes)


def request(**changes: Any) -> ReviewRequest:
    fields: dict[str, Any] = {
        "name": "digits-0-r1",
        "image": "s3://custom-labels-digits/images_for_detection/a.png",
        "key": "images_for_detection/a.png",
        "etag": "e",
        "label": "7",
        "confidence": 43.21,
        "labels": ("1", "7"),
        "version_name": "v1",
        "purpose": Purpose.DOUBT,
        "round": 1,
        "reviewers": 1,
    }
    return ReviewRequest(**{**fields, **changes})


def render(aws: LocalAws, asked: ReviewRequest, **setup: Any) -> Page:
    wanted = project(**setup)
    template = plan_review(wanted, make_store(wanted), [1]).template
    answer = client(aws, "sagemaker").render_ui_template(
        UiTemplate={"Content": template}, Task={"Input": loop_input(asked)}, RoleArn="arn:aws:iam::123456789012:role/r"
    )
    assert answer["Errors"] == []
    return Page(answer["RenderedContent"])


def test_the_page_shows_image_labels_guess_and_instructions(aws: LocalAws) -> None:
    page = render(aws, request(), title="Which digit?", instructions="Look.\n\nLook\nagain.")

    assert page.categories == ["1", "7", NONE_OF_THE_ABOVE]
    shown = page.attributes["crowd-image-classifier"]
    assert shown["name"] == "shown"
    assert shown["header"] == "Which digit?"
    assert "/custom-labels-digits/images_for_detection/a.png?" in str(shown["src"])
    assert "The model says 7, 43 % sure." in page.text
    assert "Look\nagain." in page.text
    assert page.tags.count("p") == 5


def test_without_a_label_the_page_says_so(aws: LocalAws) -> None:
    assert "The model found no label." in render(aws, request(label=None, confidence=None)).text


def test_an_audit_does_not_show_what_the_model_says(aws: LocalAws) -> None:
    page = render(aws, request(purpose=Purpose.AUDIT))

    assert "model" not in page.text
    assert page.categories == ["1", "7", NONE_OF_THE_ABOVE]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(aws: LocalAws, text: str) -> None:
    plain = render(aws, request(), instructions="x")

    page = render(
        aws,
        request(label=text, labels=(text, "7"), key=f"images_for_detection/{text}", image=f"s3://bucket/{text}"),
        title=text,
        instructions=text,
    )

    assert page.tags == plain.tags
    assert page.categories == [text, "7", NONE_OF_THE_ABOVE]
    assert page.attributes["crowd-image-classifier"]["header"] == text
    assert page.text.count(text) == 2
    assert {name for attributes in page.attributes.values() for name in attributes} == {
        name for attributes in plain.attributes.values() for name in attributes
    }


def test_no_instructions_are_no_paragraph(aws: LocalAws) -> None:
    assert render(aws, request(), instructions="").tags.count("p") == 3


def test_the_default_page_is_found_wherever_airflow_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    wanted = project()
    monkeypatch.setenv("CUSTOM_LABELS_PROJECTS_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    assert 'name="shown"' in plan_review(wanted, make_store(wanted), [1]).template


def test_a_project_may_have_a_page_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    wanted = project(template="mine.html", title="T")
    monkeypatch.setenv("CUSTOM_LABELS_PROJECTS_DIR", str(tmp_path))
    (tmp_path / "mine.html").write_text('<b>[[TITLE]]</b><crowd-image-classifier name="shown">')

    template = plan_review(wanted, make_store(wanted), [1]).template
    assert template == '<b>T</b><crowd-image-classifier name="shown">'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"cannot be read: .*mine.html.*'review.a2i.template' of project 'digits' is 'mine.html'"),
        ('<b name="shown"></b>', r'no crowd-image-classifier with name="shown"'),
        ("x" * 128_001, r"has 128001 characters"),
    ],
    ids=["missing", "no field", "too long"],
)
def test_a_page_that_cannot_work_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, content: str | None, message: str
) -> None:
    wanted = project(template="mine.html")
    monkeypatch.setenv("CUSTOM_LABELS_PROJECTS_DIR", str(tmp_path))
    if content is not None:
        (tmp_path / "mine.html").write_text(content)

    with pytest.raises(SettingError, match=message):
        plan_review(wanted, make_store(wanted), [1])
