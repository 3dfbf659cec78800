"""Defects of earlier loops of this kind, each in a test that is named after it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from custom_labels.core.settings import load_project, read_settings
from custom_labels.datasets.images import LeftOut
from custom_labels.datasets.snapshot import ImageSnapshot
from custom_labels.datasets.snapshot_records import count_images
from custom_labels.s3.store import S3Store
from tests.faults.bucket import put
from tests.kit.snapshots import write_snapshot
from tests.kit.support import BUCKET, picture, put_images, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws


def counted(*, trained: str | None = None) -> ImageSnapshot:
    return count_images(S3Store(BUCKET), as_of=soon(), trained=trained)


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=5)


def test_folder_markers_do_not_count_as_images(aws: LocalAws) -> None:
    """Folders made in the S3 console counted as untrained images, and set off trainings."""
    put_images(aws, 3)
    for folder in ("rows/", "columns/", "columns/deeper/", "nobody/"):
        put(aws, folder, b"")

    snapshot = counted()

    assert (snapshot.images, snapshot.untrained) == (6, 6)
    assert dict(snapshot.left_out)[LeftOut.FOLDER_MARKER] == 4


def test_a_nested_image_has_the_label_of_its_first_folder(aws: LocalAws) -> None:
    """The folder next to the file became the label, so that 'rows/2026/a.png' made a label '2026'."""
    put_images(aws, 3)
    put(aws, "rows/2026/november/a.png", picture("rows", 50))

    assert {count.label: count.images for count in counted().labels} == {"columns": 3, "rows": 4}


@pytest.mark.parametrize("name", ["rows/readme.txt", "rows/.DS_Store", "columns/Thumbs.db", "columns/png.json"])
def test_a_file_that_is_no_image_does_not_count(aws: LocalAws, name: str) -> None:
    """Whatever lay in a label's folder went into the manifest, where it made the training fail."""
    put_images(aws, 3)
    put(aws, name, b"no image")

    assert counted().images == 6


def test_a_replaced_image_is_seen(aws: LocalAws) -> None:
    """Images were known by their keys alone, so that one corrected in place was never trained on."""
    put_images(aws, 3)
    trained, _ = write_snapshot(S3Store(BUCKET), soon())
    put(aws, "rows/0001.png", picture("rows", 50))

    now = counted(trained=trained.digest)

    assert (now.images, now.untrained) == (6, 1)
    assert now.digest != trained.digest


def test_deleted_images_do_not_hide_new_ones(aws: LocalAws) -> None:
    """Untrained images were a difference of two counts, in which a deleted image cancelled a new one."""
    keys = put_images(aws, 4)
    trained, _ = write_snapshot(S3Store(BUCKET), soon())
    s3(aws).delete_object(Bucket=BUCKET, Key=keys[0])
    put(aws, "rows/new.png", picture("rows", 50))

    now = counted(trained=trained.digest)

    assert (now.images, now.untrained) == (8, 1)


@pytest.mark.parametrize("text", ["True", "true", "TRUE", " true ", "1", "yes", "on"])
def test_a_switch_is_on_however_it_is_spelled(text: str) -> None:
    """Only 'True' was understood, and every other spelling switched training off without a word."""
    settings = read_settings(load_project("digits"), {"digits__enable_automatic_training": text}.get)

    assert settings.enable_automatic_training is True


@pytest.mark.parametrize("text", ["False", "false", "FALSE", "0", "no", "off"])
def test_a_switch_is_off_however_it_is_spelled(text: str) -> None:
    """'false' was a text that is not empty, and so it was on."""
    settings = read_settings(load_project("digits"), {"digits__enable_automatic_training": text}.get)

    assert settings.enable_automatic_training is False
