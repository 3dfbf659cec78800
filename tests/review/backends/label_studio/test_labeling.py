"""The labelling interface: whatever a label holds is data, and what somebody changed is named."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from custom_labels.core.project_task import ProjectTask
from custom_labels.review.backends.label_studio.labeling import (
    InterfaceUnreadable,
    differences,
    digest,
    instructions,
    interface,
    labels_of,
    with_labels,
)

HOSTILE = ("<script>alert(1)</script>", '"; DROP', "{{ x }}", "../", "&amp;", "ä €\u202e", "$image", "None")
SINGLE, SEVERAL, BOXES = ProjectTask


@pytest.mark.parametrize("task", list(ProjectTask))
def test_labels_come_back_as_they_are(task: ProjectTask) -> None:
    assert labels_of(interface(task, "What?", HOSTILE)) == HOSTILE


@pytest.mark.parametrize(
    ("task", "tag", "choice"), [(SINGLE, "Choices", "single"), (SEVERAL, "Choices", "multiple"), (BOXES, None, None)]
)
def test_each_task_has_its_control(task: ProjectTask, tag: str | None, choice: str | None) -> None:
    view = ElementTree.fromstring(interface(task, "What?", ("a",)))
    control = view.find(tag or "RectangleLabels")

    assert control is not None
    assert (control.get("name"), control.get("toName"), control.get("choice")) == ("shown", "image", choice)
    assert [each.get("value") for each in control] == ["a", "None of the above"][: 1 if task is BOXES else 2]


def test_the_first_nine_labels_and_none_of_them_have_the_keys_of_numbers() -> None:
    view = ElementTree.fromstring(interface(SINGLE, "What?", [f"l{n}" for n in range(11)]))

    assert [each.get("hotkey") for each in view.iter("Choice")] == [*"123456789", None, None, "0"]


def test_a_label_that_is_a_digit_has_itself_as_its_key() -> None:
    view = ElementTree.fromstring(interface(SINGLE, "What?", ["0", "1", "a", "b"]))

    assert [each.get("hotkey") for each in view.iter("Choice")] == ["0", "1", "2", "3", None]


def test_what_label_studio_would_read_as_a_field_of_the_task_is_shown_as_text() -> None:
    assert "$image" not in interface(SINGLE, "For $image?", ("$image",)).replace('value="$image"', "", 1)
    assert with_labels(labels_of(interface(SINGLE, "?", ("$5",))), ["$5"]) == ("$5",)


def test_a_new_label_is_added_at_the_end_and_none_is_taken_away() -> None:
    assert with_labels(("z", "a"), ["b", "a", "c"]) == ("z", "a", "b", "c")


def test_spaces_are_no_change_and_everything_else_is() -> None:
    ours = interface(SINGLE, "What?", ("a", "b"))

    assert digest(ours.replace("><", ">\n  <")) == digest(ours)
    assert digest(ours.replace("single", "multiple")) != digest(ours)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('choice="single"', 'choice="multiple"', "choice='multiple'"),
        ('value="a"', 'value="cat"', "it has <Choice hotkey='1' value='cat'>, which is not ours"),
        ('<Choice value="b" hotkey="2" />', "", "it lacks <Choice hotkey='2' value='b'>"),
        ("<View>", "<View", "no XML"),
    ],
)
def test_what_somebody_changed_is_named(old: str, new: str, words: str) -> None:
    ours = interface(SINGLE, "What?", ("a", "b"))

    assert words in " ".join(differences(ours.replace(old, new), ours))


def test_another_order_is_a_change() -> None:
    one, other = (interface(BOXES, "What?", labels) for labels in (("a",) * 10 + ("x", "y"), ("a",) * 10 + ("y", "x")))

    assert differences(one, other) == ["its parts have another order"]


@pytest.mark.parametrize(
    "xml",
    ['<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "<a>" * 400_000, "no", ""],
    ids=["entity", "long", "text", "empty"],
)
def test_what_is_no_interface_is_refused(xml: str) -> None:
    with pytest.raises(InterfaceUnreadable):
        digest(xml)


def test_instructions_are_text() -> None:
    assert instructions("<b>", "a & b\n\n<script>") == "<h3>&lt;b&gt;</h3><p>a &amp; b</p><p>&lt;script&gt;</p>"
