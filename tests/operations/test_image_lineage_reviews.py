"""The lineage of an image on its way: from the inbox over detections and reviews to its copy, and back."""

from __future__ import annotations

import pytest

from custom_labels.core.keys import result_key
from custom_labels.operations.lineage import Occasion, Relation
from custom_labels.s3.store import S3Store
from tests.kit.lineage import ONE, V1, V2, Lineage, look, reviewed, versions
from tests.kit.pictures import png

INBOX = "images_for_detection/"
HOSTILE = {
    "spaces": "a b.png",
    "quotes": 'it\'s "one".png',
    "HTML": "<script>alert(1)</script>.png",
    "percent": "a%2Fb+c.png",
    "letters": "größe 数字.png",
    "parent": "../../registry/live.png",
    "question": "a?b#c&d=e.png",
}


@pytest.fixture
def folders(store: S3Store) -> Lineage:
    """A project of labels by folders."""
    return Lineage(store, ONE)


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_a_copy_leads_to_its_source_and_back_whatever_the_key_is(folders: Lineage, name: str) -> None:
    key = f"{INBOX}{name}"
    folders.put(range(8))
    folders.bucket.put(key, png(4711, (128, 96)))
    folders.detect(key, V1)
    copy = reviewed(folders, key, "cat", "cat", "dog")
    folders.train(V2)

    for asked, other, relation in ((key, copy, Relation.COPY), (copy, key, Relation.SOURCE)):
        found = look(folders, asked)
        assert found.troubles == ()
        assert {each.key: each.relation for each in found.related} == {asked: Relation.ITSELF, other: relation}
        assert versions(found) == [V2, V1]
        assert [image.key for image in found.versions[0].images] == [copy]
        assert [each.occasion for each in found.versions[1].statements] == [Occasion.DETECTION]
        [review] = found.reviews
        assert review.votes == (("cat", 2), ("dog", 1))
        assert [answer.reviewer for answer in review.answers] == ["w0", "w1", "w2"]


def test_a_copy_whose_source_is_too_long_for_its_metadata_is_followed_by_the_ledger(folders: Lineage) -> None:
    key = f"{INBOX}{'犬' * 290}.png"
    folders.bucket.put(key, png(4711, (128, 96)))
    copy = reviewed(folders, key, "cat")
    assert "source-key-sha256" in folders.store.call("head_object", copy)["Metadata"]
    folders.detect(key, V1)

    found = look(folders, copy)

    assert {each.key: each.relation for each in found.related} == {copy: Relation.ITSELF, key: Relation.SOURCE}
    assert versions(found) == [V1]


def test_a_review_without_a_copy_is_shown(folders: Lineage) -> None:
    key = f"{INBOX}a.png"
    folders.bucket.put(key, png(1, (128, 96)))
    folders.detect(key, V1)
    reviewed(folders, key, "cat", "dog")
    folders.bucket.put(key, png(2, (128, 96)))
    now = folders.etag(key)

    [review] = look(folders, key).reviews

    assert (review.review_outcome, review.target) == ("undecided", None)
    assert look(folders, key, etag=now).reviews == ()


def test_results_of_other_images_and_spoilt_ones_are_told_apart(folders: Lineage) -> None:
    key, below = f"{INBOX}a.png", f"{INBOX}a.png/{'0' * 32}.png"
    for number, each in enumerate((key, below)):
        folders.bucket.put(each, png(number, (128, 96)))
        folders.detect(each, V1)
    spoilt = result_key(key, folders.etag(key), V2)
    folders.store.call("put_object", spoilt, Body=b"{}")

    found = look(folders, key)

    assert [each.key for use in found.versions for each in use.statements] == [key]
    assert [spoilt in trouble for trouble in found.troubles] == [True]


def test_a_ledger_that_is_damaged_is_named(folders: Lineage) -> None:
    key = f"{INBOX}a.png"
    folders.bucket.put(key, png(1, (128, 96)))
    reviewed(folders, key, "cat")
    folders.store.call("put_object", "reviews/harvested/2026-11-21/x.jsonl", Body=b"{")

    found = look(folders, key)

    assert len(found.reviews) == 1
    assert ["2026-11-21/x.jsonl" in trouble for trouble in found.troubles] == [True]
