"""Defects of earlier detection loops, each in a test that is named after it; whole runs are in tests/dags."""

from __future__ import annotations

import json

import pytest

from custom_labels.core.keys import result_key
from custom_labels.detection.detection import Decision, decide
from custom_labels.detection.doubt import DoubtRules
from custom_labels.detection.events import read_event
from tests.kit.detect_runs import INBOX, event
from tests.kit.support import BUCKET


def announced(*records: dict[str, object]) -> list[str]:
    read = read_event(json.dumps({"Records": list(records)}), bucket=BUCKET, prefix="")
    return [each.image.key for each in read.announcements]


def test_an_image_without_any_label_goes_to_people() -> None:
    """The first label was taken without a look whether there is one, and the image was lost in an IndexError."""
    decided = decide((), DoubtRules(), review_is_on=True)

    assert (decided.decision, decided.reason) == (Decision.REVIEW, "no label was found")


def test_a_key_with_spaces_and_accents_is_the_one_that_was_uploaded() -> None:
    """Keys were taken as S3 encodes them in events, so that 'my photo é.jpg' was asked for as 'my+photo+%C3%A9.jpg'."""
    assert announced(event("my photo é.jpg")) == [f"{INBOX}my photo é.jpg"]


@pytest.mark.parametrize("kind", ["ObjectCreated:Copy", "ObjectCreated:CompleteMultipartUpload", "ObjectCreated:Post"])
def test_an_image_counts_however_it_was_created(kind: str) -> None:
    """Only ObjectCreated:Put was listened to: copies and large uploads were never detected."""
    assert announced(event("a.png", kind=kind)) == [f"{INBOX}a.png"]


@pytest.mark.parametrize("name", ["A.JPG", "b.jpeg", "c.PNG"])
def test_every_spelling_of_an_image_suffix_counts(name: str) -> None:
    """The notification's filter knew '.jpg' only."""
    assert announced(event(name)) == [f"{INBOX}{name}"]


def test_the_test_event_of_s3_is_no_poison() -> None:
    """It has no Records, which failed, and was delivered again and again for four days."""
    body = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-11-21T00:00:00.000Z", "Bucket": BUCKET}

    read = read_event(json.dumps(body), bucket=BUCKET, prefix="")

    assert (read.announcements, read.trouble) == ((), None)


def test_images_of_the_same_name_in_two_folders_have_two_results() -> None:
    """Results of nested images were looked for under the wrong key."""
    places = {result_key(f"{INBOX}{folder}/a.png", "e", "v1") for folder in ("monday", "tuesday", "monday/am")}

    assert len(places) == 3
