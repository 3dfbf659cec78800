"""A folder full of trouble beside good images: the good ones are trained on, the bad ones reported and left alone."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from custom_labels.domain.images import LeftOut
from tests.dags.running import Variables, record, train
from tests.faults.bucket import images, manifest, put
from tests.support import BUCKET, FOLDER, effects, picture, put_images

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


def put_trouble(aws: LocalAws) -> dict[str, str]:
    """Put ten good images a label, the strange keys and the bad objects; give the good ones' labels by source-ref."""
    good = [key.removeprefix(FOLDER) for key in put_images(aws, 10)]
    for seed, name in enumerate(STRANGE, start=100):
        put(aws, name, picture("rows", seed, "JPEG" if name.endswith("JPEG") else "PNG"))
    put(aws, "columns/copy 1.png", COPIED)
    for name, (body, _) in BAD.items():
        put(aws, name, body)
    return {f"s3://{BUCKET}/{FOLDER}{name}": name.split("/")[0] for name in [*good, *STRANGE, "columns/copy 1.png"]}


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

    put(digits, "rows/0001.png", picture("rows", 900))
    variables.set(minimum_untrained_images=1)
    again = train()

    assert again.ends == {"deployed"}
    assert again.xcoms["take_snapshot"]["untrained"] == 1
    assert effects(digits, "CreateProjectVersion") == 2


def reported(report: dict[str, dict[str, list[str]]]) -> dict[str, str]:
    """Give the reason for every key that a check's report names."""
    return {key.removeprefix(FOLDER): reason for reason, keys in report["examples"].items() for key in keys}


def test_one_image_only_is_nothing_to_do_and_the_note_says_why(digits: LocalAws) -> None:
    put_images(digits, 1, labels=["rows"])

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
            put(digits, f"{label}/{number}.png", picture("rows", 1000 + 2 * number + turn))

    refused = train()
    put(digits, "heads/one more.png", picture("rows", 2000))
    again = train()

    assert (refused.ends, again.ends) == ({"gate_failed"}, {"nothing_to_do"})
    assert "1 untrained images of 25, a training needs 10" in str(again.note)
    assert effects(digits, "CreateProjectVersion") == 1
    assert record(digits, "live") is None
