"""Sharing out the work of a run: images once each, messages with all of theirs, batches of the same size."""

from __future__ import annotations

import pytest

from custom_labels.aws.messages import Message
from custom_labels.aws.predictions import InferenceImage
from custom_labels.core.codec import from_json, to_json
from custom_labels.detection.events import Announcement
from custom_labels.detection.work import CHUNK_IMAGES, WorkItem, chunks, count_batches, group_announcements, share_out


def message(name: str, count: int = 1) -> Message:
    return Message(name, "{}", f"receipt-{name}", count)


def say(name: str, *images: tuple[str, str, str]) -> tuple[Message, list[Announcement]]:
    return message(name), [Announcement(InferenceImage(key, etag), order) for key, etag, order in images]


def grouped(*read: tuple[Message, list[Announcement]]) -> list[tuple[dict[str, str], str]]:
    return [
        ({image.key: image.etag for image in item.images}, "".join(each.id for each in item.messages))
        for item in group_announcements(read)
    ]


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        ([say("1", ("a", "x", "1")), say("2", ("b", "y", "2"))], [({"a": "x"}, "1"), ({"b": "y"}, "2")]),
        ([say("1", ("a", "x", "1")), say("2", ("a", "x", "1"))], [({"a": "x"}, "12")]),
        ([say("1", ("a", "x", "1")), say("2", ("a", "y", "2"))], [({"a": "y"}, "12")]),
        ([say("1", ("a", "y", "2")), say("2", ("a", "x", "1"))], [({"a": "y"}, "12")]),
        ([say("1", ("a", "x", "1"), ("b", "y", "1"))], [({"a": "x", "b": "y"}, "1")]),
        (
            [say("1", ("a", "x", "1")), say("2", ("b", "y", "1")), say("3", ("b", "y", "1"), ("a", "z", "2"))],
            [({"b": "y", "a": "z"}, "213")],
        ),
    ],
    ids=["two images", "said twice", "replaced", "replaced, out of order", "two at once", "joined by a third"],
)
def test_an_image_is_one_piece_of_work_when_it_is(
    read: list[tuple[Message, list[Announcement]]], expected: list[tuple[dict[str, str], str]]
) -> None:
    assert grouped(*read) == expected


@pytest.mark.parametrize(
    ("items", "most", "workers", "batches"),
    [
        (0, 200, 2, 0),
        (1, 200, 2, 1),
        (99, 200, 2, 1),
        (100, 200, 2, 2),
        (401, 200, 2, 4),
        (1000, 10, 3, 102),
        (5000, 1, 2, 834),
    ],
)
def test_batches_are_a_multiple_of_the_lanes_where_images_are_enough(
    items: int, most: int, workers: int, batches: int
) -> None:
    assert count_batches(items, most, workers) == batches


@pytest.mark.parametrize(("items", "batches", "sizes"), [(0, 0, []), (7, 3, [3, 2, 2]), (4, 2, [2, 2])])
def test_batches_have_the_same_size(items: int, batches: int, sizes: list[int]) -> None:
    assert share_out(items, batches) == sizes


def test_images_of_a_message_stay_in_one_chunk() -> None:
    one = WorkItem((InferenceImage("a", "x"),))
    many = WorkItem(tuple(InferenceImage(str(n), "x") for n in range(5)), (message("m"),))
    items = [one] * (CHUNK_IMAGES - 1) + [many] + [one]

    assert [sum(len(item.images) for item in chunk) for chunk in chunks(items)] == [CHUNK_IMAGES + 4, 1]


def test_an_item_survives_json() -> None:
    item = WorkItem((InferenceImage("é b", "x"),), (message("m", 3),))

    assert from_json(WorkItem, to_json(item)) == item
    assert item.is_redelivered
