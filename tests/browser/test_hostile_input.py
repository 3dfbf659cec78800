"""Labels, keys and titles that look like markup, script or Liquid are shown as they are and run nothing."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.portal import Portal, image_width, started
from tests.local_aws.review_support import TEMPLATE, Reviews
from tests.local_aws.support import BUCKET, pattern

KEY_SHOWN = TEMPLATE.replace("<short-instructions>", "<short-instructions><i>{{ task.input.taskObject }}</i> ")
HOSTILE = {
    "script": "<script>window.hurt = 1; alert(1)</script>",
    "end of the script": "</script><script>window.hurt = 1</script>",
    "handler": "<img src=x onerror='window.hurt = 1'>",
    "attribute": '" autofocus onfocus="window.hurt = 1" x=\'',
    "one quote": "' onmouseover='window.hurt = 1",
    "Liquid": "{{ task.input }}{% raw %}{{ 7 | times: 6 }}",
    "entities": "&lt;b&gt; &amp;quot; &#39;",
    "JSON": '"], "x": ["\\u003c\\"',
    "an end": "--></crowd-form><h1>done</h1>",
    "letters": "größe 数字 🙂 \u202eabc",
}


def unhurt(page: Page) -> bool:
    """Say whether no script of ours ran; dialogs and requests are watched for every page."""
    return page.evaluate("() => window.hurt === undefined") is True


def cases() -> list[object]:
    return [pytest.param(text, id=name) for name, text in HOSTILE.items()]


@pytest.mark.parametrize("text", cases())
def test_label_is_shown_and_answered_as_it_is_when_it_is_hostile(portal: Portal, reviews: Reviews, text: str) -> None:
    started(reviews, "loop", labels=["dots", text], question=text, guess=text)
    page = portal.task()
    assert portal.categories.locator("span").all_text_contents() == ["dots", text]
    assert page.locator("h2").text_content() == text
    assert page.locator("short-instructions").text_content() == f"Guess: {text}"
    portal.categories.nth(1).hover()
    assert unhurt(page)
    portal.press("2", "Enter")
    expect(page.get_by_text("Nothing to do")).to_be_visible()
    [given] = reviews.output()["humanAnswers"]
    assert given["answerContent"] == {"shown": {"label": text}}


@pytest.mark.parametrize("text", cases())
def test_image_is_displayed_when_its_key_is_hostile(portal: Portal, reviews: Reviews, text: str) -> None:
    key = f"inbox/{text}/a b+c%41?d#e.png"
    reviews.aws.put(key, pattern("dots", 1))
    uri = f"s3://{BUCKET}/{key}"
    content = {"taskObject": uri, "labels": ["dots"]}
    started(reviews, "loop", flow={"template": KEY_SHOWN}, content=content)
    page = portal.task()
    assert image_width(portal.image) == 96
    assert page.locator("short-instructions i").text_content() == uri
    assert unhurt(page)


def test_title_is_text_in_list_and_task_when_it_is_hostile(portal: Portal, reviews: Reviews) -> None:
    title = HOSTILE["script"]
    started(reviews, "loop", flow={"TaskTitle": title})
    expect(portal.list().get_by_role("row", name="loop").get_by_role("link")).to_have_text(title)
    assert unhurt(portal.page)
    page = portal.task()
    expect(page.locator("header strong")).to_have_text(title)
    assert page.title() == title
    assert unhurt(page)
