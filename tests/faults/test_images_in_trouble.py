"""A folder full of trouble beside good images: the good ones are trained on, the bad ones reported and left alone."""

from __future__ import annotations

import io
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from custom_labels.datasets.images import CheckReport, LeftOut
from tests.faults.bucket import images, manifest, put
from tests.kit.dag_runs import Run, Variables, record
from tests.kit.deploy_runs import registry
from tests.kit.picture_cases import damaged_png
from tests.kit.snapshots import write_snapshot
from tests.kit.support import BUCKET, FOLDER, effects, picture, put_images, s3
from tests.kit.train_steps import train_by_steps

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.slow

MEGABYTE = 1024 * 1024


def ten_pixels() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (10, 96), "red").save(out, "PNG")
    return out.getvalue()


COPIED, CONTESTED = picture("columns", 600), picture("rows", 600)

STRANGE = [
    "rows/with two spaces.png",
    "rows/\"double\" and 'single'.png",
    "rows/100%41.png",
    "rows/a+b&c=d?e#f.png",
    "rows/kāķis 猫 🐈.png",
    "rows/up/../down.png",
    "rows/a//b.png",
    "rows/deep/er/and deeper.PNG",
    "rows/photo.JPEG",
    "rows/pasted.jfif",
    "rows/no ending",
]
"""Good images whose keys have what breaks careless code."""

BAD = {
    "rows/notes.txt": (b"nothing to see", LeftOut.OTHER_FILE),
    "rows/text.png": (b"no picture at all", LeftOut.FORMAT),
    "rows/gif.png": (b"GIF89a" + bytes(100), LeftOut.FORMAT),
    "rows/corrupt.png": (picture("rows", 501)[:60] + bytes(500), LeftOut.CORRUPT),
    "rows/cut.jpg": (picture("rows", 500, "JPEG")[:-400], LeftOut.CORRUPT),
    "rows/ten pixels.png": (ten_pixels(), LeftOut.TOO_SMALL),
    "rows/empty.png": (b"", LeftOut.FOLDER_MARKER),
    "rows/": (b"", LeftOut.FOLDER_MARKER),
    "nobody/": (b"", LeftOut.FOLDER_MARKER),
    "stray.png": (picture("rows", 503), LeftOut.NO_LABEL),
    "rows/heavy.png": (picture("rows", 504) + bytes(16 * MEGABYTE), LeftOut.TOO_HEAVY),
    "columns/copy 2.png": (COPIED, LeftOut.DUPLICATE),
    "rows/in both.png": (CONTESTED, LeftOut.CONFLICT),
    "columns/in both.png": (CONTESTED, LeftOut.CONFLICT),
}
"""Bad objects, each with the reason for which it must be left out."""
ARCHIVED, DENIED = "rows/archived.png", "rows/denied.png"
"""Good images that S3 does not give."""


def put_trouble(aws: LocalAws) -> dict[str, str]:
    """Put ten good images a label, the strange keys and the bad objects; give the good ones' labels by source-ref."""
    good = [key.removeprefix(FOLDER) for key in put_images(aws, 10)]
    for seed, name in enumerate(STRANGE, start=100):
        put(aws, name, picture("rows", seed, "JPEG" if name.endswith("JPEG") else "PNG"))
    put(aws, "columns/copy 1.png", COPIED)
    for name, (body, _) in BAD.items():
        put(aws, name, body)
    s3(aws).put_object(Bucket=BUCKET, Key=f"{FOLDER}{ARCHIVED}", Body=picture("rows", 700), StorageClass="GLACIER")
    aws.control.denied({"bucket": BUCKET, "operation": "s3.GetObject", "key": f"{FOLDER}{DENIED}"})
    put(aws, DENIED, picture("rows", 701))
    return {f"s3://{BUCKET}/{FOLDER}{name}": name.split("/")[0] for name in [*good, *STRANGE, "columns/copy 1.png"]}


def test_good_images_are_trained_on_and_bad_ones_reported_when_they_lie_together(
    digits: LocalAws, variables: Variables
) -> None:
    good = put_trouble(digits)
    before = images(digits)

    run = train_by_steps()

    assert (run.state, run.ends) == ("success", {"deployed"})
    made = run.xcoms["prepare_images"]
    assert manifest(digits, made["train_uri"]) | manifest(digits, made["test_uri"]) == good
    assert not manifest(digits, made["train_uri"]).keys() & manifest(digits, made["test_uri"]).keys()
    refused = {ARCHIVED: LeftOut.ARCHIVED, DENIED: LeftOut.DENIED}
    bad = {name: why for name, (_, why) in BAD.items()} | refused
    assert dict(made["snapshot"]["left_out"]) == Counter(why.value for why in bad.values())
    _, report = write_snapshot(registry().store, as_of=datetime.now(UTC), trained=None, test_share=0.2)
    assert reported(report) == bad
    assert images(digits) == before

    put(digits, "rows/0001.png", picture("rows", 900))
    variables.set(minimum_untrained_images=1)
    again = train_by_steps()

    assert again.ends == {"deployed"}
    # The new one, and the denied one until it is read.
    assert again.xcoms["decide_training"]["detail"].startswith("2 untrained images")
    assert effects(digits, "CreateProjectVersion") == 2


def reported(report: CheckReport) -> dict[str, str]:
    """Give the reason for every key that a check's report names."""
    return {key.removeprefix(FOLDER): reason for reason, keys in report.examples.items() for key in keys}


def test_one_image_only_is_nothing_to_do_and_the_note_says_why(digits: LocalAws) -> None:
    put_images(digits, 1, labels=["rows"])

    run = train_by_steps({"minimum_untrained_images": 1})

    assert (run.state, run.ends) == ("success", {"nothing_to_do"})
    assert "1 left out: its label has fewer than two usable images" in str(run.note)
    assert effects(digits, "CreateProject") == 0


def test_a_refused_version_is_not_trained_again_when_one_more_image_arrives(
    digits: LocalAws, variables: Variables
) -> None:
    """The retrain loop: images of a refused version stayed untrained, so that every poll paid for another training."""
    variables.set(minimum_f1_score=1.0)
    put_images(digits, 0)
    for number in range(12):
        for turn, label in enumerate(("heads", "tails")):
            put(digits, f"{label}/{number}.png", picture("rows", 1000 + 2 * number + turn))

    refused = train_by_steps()
    put(digits, "heads/one more.png", picture("rows", 2000))
    again = train_by_steps()

    assert (refused.ends, again.ends) == ({"gate_failed"}, {"nothing_to_do"})
    assert "1 untrained images of 25, a training needs 10" in str(again.note)
    assert effects(digits, "CreateProjectVersion") == 1
    assert record(digits, "live") is None


def refused_images(aws: LocalAws, run: Run) -> dict[str, Any]:
    """Give what the record of the version that a run trained says of images that Custom Labels refused."""
    return dict(record(aws, f"versions/{run.xcoms['claim_training']['version_name']}")["refused_images"])


@pytest.mark.matrix
def test_an_image_that_only_custom_labels_refuses_is_named_and_left_out_from_then_on(
    digits: LocalAws, variables: Variables
) -> None:
    put_images(digits, 12)
    put(digits, "rows/damaged.png", damaged_png())

    run = train_by_steps()

    uri = f"s3://{BUCKET}/{FOLDER}rows/damaged.png"
    assert run.ends == {"deployed"}
    assert "Custom Labels did not use 1 of 25 images" in str(run.note)
    assert record(digits, "last_run/digits_train")["facts"]["Not used by Custom Labels"] == (
        f"1 of 25 images, with ERROR_INVALID_IMAGE: {uri}"
    )
    assert refused_images(digits, run) == {
        "lines": 25,
        "refused": 1,
        "codes": {"ERROR_INVALID_IMAGE": 1},
        "examples": [uri],
    }

    variables.set(minimum_untrained_images=1)
    idle = train_by_steps()
    put(digits, "rows/one more.png", picture("rows", 900))
    again = train_by_steps()

    assert idle.ends == {"nothing_to_do"}
    assert "0 untrained images of" in idle.xcoms["decide_training"]["detail"]
    assert again.xcoms["prepare_images"]["snapshot"]["left_out"] == [[LeftOut.REFUSED, 1]]
    assert refused_images(digits, again)["refused"] == 0


def test_a_training_that_fails_for_its_images_names_them_and_the_next_one_does_without(digits: LocalAws) -> None:
    put_images(digits, 12)
    for number in range(9):
        put(digits, f"rows/damaged {number}.png", damaged_png(number))

    failed = train_by_steps()
    again = train_by_steps()

    assert failed.failed == {"training_is_done"}
    assert "ERROR_TOO_MANY_INVALID_ROWS_IN_MANIFEST" in str(failed.note)
    assert "Custom Labels did not use 9 of 33 images, with ERROR_INVALID_IMAGE" in str(failed.note)
    assert f"{FOLDER}rows/damaged" in str(failed.note)
    assert refused_images(digits, failed)["refused"] == 9
    assert (again.ends, again.xcoms["prepare_images"]["snapshot"]["images"]) == ({"deployed"}, 24)
