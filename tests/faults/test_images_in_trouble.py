"""A folder full of trouble beside good images: the good ones are trained on, the bad ones reported and left alone."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from custom_labels.domain.images import LeftOut
from tests.dags.running import Variables, record, train
from tests.faults.bucket import FOLDER, images, manifest, put
from tests.support import BUCKET, effects, put_images, shape_png

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.slow

MEGABYTE = 1024 * 1024


def jpeg(seed: int) -> bytes:
    out = io.BytesIO()
    Image.open(io.BytesIO(shape_png("circle", seed))).save(out, "JPEG")
    return out.getvalue()


def ten_pixels() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (10, 96), "red").save(out, "PNG")
    return out.getvalue()


# Two drawings of one shape differ, so that what is to be the same is drawn once.
COPIED, CONTESTED = shape_png("square", 600), shape_png("cross", 600)

STRANGE = [
    "circle/with two spaces.png",
    "circle/\"double\" and 'single'.png",
    "circle/100%41.png",
    "circle/a+b&c=d?e#f.png",
    "circle/kāķis 猫 🐈.png",
    "circle/up/../down.png",
    "circle/a//b.png",
    "circle/deep/er/and deeper.PNG",
    "circle/photo.JPEG",
]
"""Good images whose keys have what breaks careless code."""

BAD = {
    "circle/notes.txt": (b"nothing to see", LeftOut.OTHER_FILE),
    "circle/text.png": (b"no picture at all", LeftOut.FORMAT),
    "circle/gif.png": (b"GIF89a" + bytes(100), LeftOut.FORMAT),
    "circle/corrupt.png": (shape_png("circle", 501)[:60] + bytes(500), LeftOut.CORRUPT),
    "circle/cut.jpg": (jpeg(500)[:-400], LeftOut.CORRUPT),
    "circle/ten pixels.png": (ten_pixels(), LeftOut.TOO_SMALL),
    "circle/empty.png": (b"", LeftOut.FOLDER_MARKER),
    "circle/": (b"", LeftOut.FOLDER_MARKER),
    "nobody/": (b"", LeftOut.FOLDER_MARKER),
    "stray.png": (shape_png("circle", 503), LeftOut.NO_LABEL),
    "circle/heavy.png": (shape_png("circle", 504) + bytes(16 * MEGABYTE), LeftOut.TOO_HEAVY),
    "square/copy 2.png": (COPIED, LeftOut.DUPLICATE),
    "circle/in both.png": (CONTESTED, LeftOut.CONFLICT),
    "square/in both.png": (CONTESTED, LeftOut.CONFLICT),
}
"""Bad objects, each with the reason for which it must be left out."""


def put_trouble(aws: LocalAws) -> dict[str, str]:
    """Put ten good images a label, the strange keys and the bad objects; give the good ones' labels by source-ref."""
    good = [key.removeprefix(FOLDER) for key in put_images(aws, 10)]
    for seed, name in enumerate(STRANGE, start=100):
        put(aws, name, jpeg(seed) if name.endswith("JPEG") else shape_png("circle", seed))
    put(aws, "square/copy 1.png", COPIED)
    for name, (body, _) in BAD.items():
        put(aws, name, body)
    return {f"s3://{BUCKET}/{FOLDER}{name}": name.split("/")[0] for name in [*good, *STRANGE, "square/copy 1.png"]}


def test_good_images_are_trained_on_and_bad_ones_reported_when_they_lie_together(
    digits: LocalAws, variables: Variables
) -> None:
    good = put_trouble(digits)
    before = images(digits)

    run = train()

    assert (run.state, run.ends) == ("success", {"deployed"})
    made = run.xcoms["build_manifests"]
    assert manifest(digits, made["train_uri"]) | manifest(digits, made["test_uri"]) == good
    assert not manifest(digits, made["train_uri"]).keys() & manifest(digits, made["test_uri"]).keys()
    assert reported(run.xcoms["check_images"]["report"]) == {name: reason for name, (_, reason) in BAD.items()}
    assert images(digits) == before

    put(digits, "circle/0001.png", shape_png("circle", 900))
    variables.set(minimum_untrained_images=1)
    again = train()

    assert again.ends == {"deployed"}
    assert again.xcoms["take_snapshot"]["untrained"] == 1
    assert effects(digits, "CreateProjectVersion") == 2


def reported(report: dict[str, dict[str, list[str]]]) -> dict[str, str]:
    """Give the reason for every key that a check's report names."""
    return {key.removeprefix(FOLDER): reason for reason, keys in report["examples"].items() for key in keys}


def test_one_image_only_is_nothing_to_do_and_the_note_says_why(digits: LocalAws) -> None:
    put_images(digits, 1, shapes=["circle"])

    run = train({"minimum_untrained_images": 1})

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
            put(digits, f"{label}/{number}.png", shape_png("circle", 1000 + 2 * number + turn))

    refused = train()
    put(digits, "heads/one more.png", shape_png("circle", 2000))
    again = train()

    assert (refused.ends, again.ends) == ({"gate_failed"}, {"nothing_to_do"})
    assert "1 untrained images of 25, a training needs 10" in str(again.note)
    assert effects(digits, "CreateProjectVersion") == 1
    assert record(digits, "live") is None
