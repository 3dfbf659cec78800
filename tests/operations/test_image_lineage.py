"""The lineage of an image: of every kind of project, under every key that it had, with whatever is gone or damaged."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from custom_labels.core.keys import CHECKS, snapshot_header, snapshot_images
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.split import Subset
from custom_labels.operations.image_lineage_records import relative_key
from custom_labels.operations.lineage import LineageError, Occasion, OriginKind, Relation
from custom_labels.s3.store import S3Store
from tests.kit.lineage import BOXES, ONE, V1, V2, V3, Lineage, look, versions
from tests.kit.pictures import png
from tests.kit.version_records import put_on_record


@pytest.fixture(params=ProjectTask)
def lineage(store: S3Store, request: pytest.FixtureRequest) -> Lineage:
    """A project of each kind."""
    return Lineage(store, request.param)


@pytest.fixture
def folders(store: S3Store) -> Lineage:
    """A project of labels by folders."""
    return Lineage(store, ONE)


def test_every_version_says_on_which_side_it_had_an_image_and_what_it_said_of_it(lineage: Lineage) -> None:
    lineage.put(range(8))
    lineage.train(V1, said=lambda _: "cat")
    lineage.put(range(8, 12))
    images = lineage.train(V2, champion=V1)
    lineage.compare(V2, V1, images, "cat")
    judged = next(each for each in images if each.subset is Subset.TEST and each.labels == ("dog",))
    trained = next(each for each in images if each.subset is Subset.TRAIN)

    of_judged, of_trained = look(lineage, judged.key), look(lineage, trained.key)

    assert (of_judged.troubles, of_trained.troubles) == ((), ())
    second, first = of_judged.versions
    assert (second.version.name, first.version.name) == (V2, V1)
    assert second.version.champion == V1
    assert [(each.subset, each.labels, each.etag) for each in second.images] == [
        (Subset.TEST, ("dog",), lineage.etag(judged.key))
    ]
    said = {(each.occasion, each.right, *(seen.label for seen in each.seen)) for each in first.statements}
    assert (Occasion.EVALUATION, False, "cat") in said
    assert [(each.occasion, each.right) for each in second.statements] == [(Occasion.EVALUATION, True)]
    compared = [each for each in first.statements if each.occasion is Occasion.COMPARISON]
    assert [(each.right, each.detail) for each in compared] == [(False, f"asked when {V2} was judged")]
    # The champion's labels come without boxes here: nothing is seen where an object is.
    assert [len(each.seen) for each in compared] == [0 if lineage.task is BOXES else 1]
    assert {image.subset for use in of_trained.versions for image in use.images} == {Subset.TRAIN}
    assert [use.statements for use in of_trained.versions if use.images] == [()] * len(of_trained.versions)


def test_boxes_and_their_line_are_shown_as_the_snapshot_has_them(store: S3Store) -> None:
    lineage = Lineage(store, BOXES)
    lineage.put(range(8))
    lineage.train(V1)

    [use] = look(lineage, lineage.key("dog", 3)).versions

    [image] = use.images
    assert image.annotation is not None
    assert [(box.label, *box.sides) for box in image.annotation.boxes] == [("dog", 10, 20, 30, 40)]
    assert image.annotation.provenance.created


def test_an_image_that_was_replaced_is_told_apart_by_its_etag(lineage: Lineage) -> None:
    lineage.put(range(8))
    lineage.train(V1)
    key = lineage.key("cat", 0)
    before = lineage.etag(key)
    lineage.bucket.put(key, png(77_777, (128, 96)))
    lineage.train(V2)

    both = look(lineage, key)

    assert versions(both) == [V2, V1]
    assert both.related[0].etags == (lineage.etag(key), before)
    assert versions(look(lineage, key, etag=before)) == [V1]
    assert versions(look(lineage, key, etag=f'"{lineage.etag(key)}"')) == [V2]


def test_a_renamed_image_is_found_by_its_content_under_its_other_key(lineage: Lineage) -> None:
    lineage.put(range(8))
    lineage.train(V1)
    old, new = lineage.key("cat", 0), lineage.key("cat", 99)
    body, _ = lineage.store.read_bytes(old)
    lineage.bucket.put(new, body)
    lineage.remove(old)
    lineage.annotate("renamed", {new: "cat"})
    lineage.train(V2)

    for key, other in ((old, new), (new, old)):
        found = look(lineage, key)
        assert versions(found) == [V2, V1], key
        assert {each.key: each.relation for each in found.related} == {
            key: Relation.ITSELF,
            other: Relation.SAME_CONTENT,
        }


def test_a_renamed_image_whose_etag_says_nothing_is_found_by_the_content_that_a_snapshot_knows(
    folders: Lineage,
) -> None:
    folders.put(range(8))
    old, new, body = folders.key("cat", 90), folders.key("cat", 91), png(4711, (128, 96))
    upload = folders.store.call("create_multipart_upload", old)["UploadId"]
    part = folders.store.call("upload_part", old, UploadId=upload, PartNumber=1, Body=body)
    parts = {"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]}
    folders.store.call("complete_multipart_upload", old, UploadId=upload, MultipartUpload=parts)
    assert folders.etag(old).endswith("-1")
    folders.train(V1)
    folders.bucket.put(new, body)
    folders.remove(old)
    folders.train(V2)

    found = look(folders, old)

    assert [(use.version.name, [each.key for each in use.images]) for use in found.versions] == [
        (V2, [new]),
        (V1, [old]),
    ]


def test_why_an_image_is_in_no_snapshot_is_said(folders: Lineage) -> None:
    folders.put(range(8))
    bad, same = folders.key("cat", 50), folders.key("dog", 51)
    folders.bucket.put(bad, b"\x89PNG\r\n\x1a\n cut off")
    folders.bucket.put(same, folders.store.read_bytes(folders.key("dog", 1))[0])
    folders.train(V1)

    of_bad, of_same = look(folders, bad), look(folders, same)

    assert (of_bad.unusable, of_bad.versions, of_bad.origin.kind) == ("corrupt", (), OriginKind.FOLDER)
    assert "found in the folder of 'cat'" in of_bad.origin.sentence
    # Its content trained under another key.
    assert [image.key for use in of_same.versions for image in use.images] == [folders.key("dog", 1)]


def test_test_images_above_what_custom_labels_takes_are_said_to_be_unused(
    lineage: Lineage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("snapshot_contents", "snapshot_records", "annotated_table"):
        monkeypatch.setattr(f"custom_labels.datasets.{module}.MAXIMUM_TEST_IMAGES", 1)
    lineage.put(range(12))
    images = lineage.train(V1)

    tests = [each for each in images if each.subset is Subset.TEST]
    assert sum(each.is_used for each in tests) == 2 < len(tests)
    unused = next(each for each in tests if not each.is_used)
    [use] = look(lineage, unused.key).versions
    assert [each.is_used for each in use.images] == [False]


# -- what is gone or damaged ---------------------------------------------------------------------------


def damage_snapshot(lineage: Lineage, digest: str) -> str:
    lineage.store.call("put_object", snapshot_images(digest), Body=b"SQLite format 3\0 and no more")
    return "is damaged"


def cut_snapshot(lineage: Lineage, digest: str) -> str:
    body, _ = lineage.store.read_bytes(snapshot_images(digest))
    lineage.store.call("put_object", snapshot_images(digest), Body=body[: len(body) // 2])
    return "is damaged"


def delete_snapshot(lineage: Lineage, digest: str) -> str:
    lineage.remove(snapshot_images(digest))
    return f"The images of snapshot '{digest}' are missing"


def delete_header(lineage: Lineage, digest: str) -> str:
    lineage.remove(snapshot_header(digest))
    return "is not in the bucket"


def spoil_header(lineage: Lineage, digest: str) -> str:
    lineage.store.write_json(snapshot_header(digest), {"snapshot": 1})
    return "is damaged"


@pytest.mark.parametrize("spoil", [damage_snapshot, cut_snapshot, delete_snapshot, delete_header, spoil_header])
def test_a_snapshot_that_cannot_be_read_is_named_and_the_rest_is_shown(
    lineage: Lineage, spoil: Callable[[Lineage, str], str]
) -> None:
    lineage.put(range(8))
    digest, _ = lineage.freeze()
    images = lineage.train(V1)
    lineage.put(range(8, 12))
    lineage.train(V2)
    words = spoil(lineage, digest)
    judged = next(each for each in images if each.subset is Subset.TEST)

    found = look(lineage, judged.key)

    [trouble] = found.troubles
    assert words in trouble
    assert digest in trouble
    second, first = found.versions
    assert [each.key for each in second.images] == [judged.key]
    # What it said of its test images is still known.
    assert (first.images, [each.occasion for each in first.statements]) == ((), [Occasion.EVALUATION])


def test_damaged_lines_of_an_evaluation_are_counted_and_the_others_are_read(lineage: Lineage) -> None:
    lineage.put(range(8))
    images = lineage.train(V1)
    judged = next(each for each in images if each.subset is Subset.TEST)
    lineage.say(V1, ["{", '{"source-ref": 1}', *["x"] * 5, lineage.line(judged, "cat")])

    found = look(lineage, judged.key)

    assert [each.occasion for each in found.versions[0].statements] == [Occasion.EVALUATION]
    [trouble] = found.troubles
    assert f"line 1 of s3://{lineage.store.bucket}/" in trouble
    assert "and 4 more lines" in trouble


@pytest.mark.parametrize("is_recorded", [True, False], ids=["deleted", "not on record"])
def test_an_evaluation_that_is_not_there_is_named(folders: Lineage, is_recorded: bool) -> None:
    folders.put(range(8))
    images = folders.train(V1)
    folders.remove(f"evaluation/{V1}.manifest")
    if not is_recorded:
        put_on_record(folders.store, V1, answers=None)
    judged = next(each for each in images if each.subset is Subset.TEST)

    found = look(folders, judged.key)

    assert [use.statements for use in found.versions] == [()]
    [trouble] = found.troubles
    assert V1 in trouble


def test_a_version_whose_training_failed_has_images_and_said_nothing(folders: Lineage) -> None:
    folders.put(range(8))
    digest, images = folders.freeze()
    put_on_record(folders.store, V1, digest=digest, status="TRAINING_FAILED", detail="no reason")
    judged = next(each for each in images if each.subset is Subset.TEST)

    found = look(folders, judged.key)

    assert found.troubles == ()
    assert [(use.version.status, len(use.images), use.statements) for use in found.versions] == [
        ("TRAINING_FAILED", 1, ())
    ]


def test_checks_that_are_damaged_are_named(folders: Lineage) -> None:
    folders.put(range(8))
    folders.train(V1)
    folders.store.call("put_object", CHECKS, Body=b"no database at all, but some bytes")

    found = look(folders, folders.key("cat", 0))

    assert versions(found) == [V1]
    assert [CHECKS in trouble for trouble in found.troubles] == [True]


def test_the_newest_versions_are_enough_where_it_is_said(folders: Lineage) -> None:
    folders.put(range(8))
    for name in (V1, V2, V3):
        folders.train(name)

    found = look(folders, folders.key("cat", 0), newest=2)

    assert (versions(found), found.inspected, found.on_record) == ([V3, V2], 2, 3)


# -- what is asked -------------------------------------------------------------------------------------


def test_an_image_that_no_version_has_is_found_in_its_place(folders: Lineage) -> None:
    key = "images_labeled_by_folder/cat/new.png"
    folders.bucket.put(key, png(1, (128, 96)))

    found = look(folders, key)

    found.require_known()
    assert (found.versions, found.reviews, found.inspected) == ((), (), 0)


def test_an_image_that_nothing_is_known_of_is_refused(folders: Lineage) -> None:
    with pytest.raises(LineageError, match=r"Nothing is known of 's3://.*none of 0 versions"):
        look(folders, "images_labeled_by_folder/cat/none.png").require_known()


@pytest.mark.parametrize(
    "image",
    ["", "s3://elsewhere/a.png", "s3://", "x" * 1025, "a\0b", "\ud800", "s3://{bucket}/some/projects/a.png"],
    ids=["empty", "elsewhere", "no bucket", "too long", "null", "surrogate", "beside the prefix"],
)
def test_what_is_no_key_of_the_project_is_refused(store: S3Store, image: str) -> None:
    with pytest.raises(LineageError, match="The image is"):
        relative_key(store, image.format(bucket=store.bucket))


def test_a_uri_and_a_key_are_the_same_image(store: S3Store) -> None:
    assert relative_key(store, store.uri("a b/ü.png")) == relative_key(store, "a b/ü.png") == "a b/ü.png"
