"""Where an image comes from: imports by their own steps, folders, the inbox, and what is gone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.core.context import ProjectContext
from custom_labels.core.project_task import ProjectTask
from custom_labels.operations.image_lineage_records import image_lineage
from custom_labels.operations.lineage import Origin, OriginKind
from tests.kit.annotation_lines import boxes_line, labels_line
from tests.kit.import_runs import import_by_steps, import_context
from tests.kit.lineage import BOXES, ONE, SEVERAL
from tests.kit.pictures import png
from tests.kit.support import BUCKET, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

OTHER = "somebody-elses-images"
HOSTILE = "theirs/<b>it's</b>.png"


@pytest.fixture
def buckets(airflow_db: None, aws: LocalAws) -> LocalAws:
    for name in (BUCKET, OTHER):
        s3(aws).create_bucket(Bucket=name)
    return aws


def put(aws: LocalAws, key: str, number: int, bucket: str = OTHER) -> str:
    s3(aws).put_object(Bucket=bucket, Key=key, Body=png(number, (128, 96)))
    return f"s3://{bucket}/{key}"


def origin(ctx: ProjectContext, key: str) -> Origin:
    found = image_lineage(ctx.store, ctx.project, key)
    assert found.troubles == ()
    return found.origin


def one_key(aws: LocalAws, prefix: str) -> str:
    [entry] = s3(aws).list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]
    return entry["Key"]


def test_a_copy_in_its_labels_folder_names_the_import_that_took_it(buckets: LocalAws) -> None:
    source = put(buckets, "old/cat/it's 1.png", 1)
    import_by_steps(import_context(source=f"s3://{OTHER}/old/", dry_run=True))
    done = import_by_steps(import_context(source=f"s3://{OTHER}/old/"))
    import_by_steps(import_context(source=f"s3://{OTHER}/old/"))

    found = origin(import_context(), one_key(buckets, "images_labeled_by_folder/cat/"))

    assert (found.kind, found.by, found.source) == (OriginKind.IMPORT, done.report.name, source)
    assert f"from s3://{OTHER}/old/" in found.sentence


@pytest.mark.parametrize("task", [SEVERAL, BOXES])
def test_images_that_an_import_annotated_name_it_whether_they_were_copied_or_not(
    buckets: LocalAws, task: ProjectTask
) -> None:
    theirs, mine = put(buckets, HOSTILE, 1), put(buckets, "images/b.png", 2, BUCKET)
    lines: list[dict[str, Any]] = [
        boxes_line(uri, size=(128, 96)) if task is BOXES else labels_line("cat", source_ref=uri)
        for uri in (theirs, mine)
    ]
    body = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
    s3(buckets).put_object(Bucket=OTHER, Key="output.manifest", Body=body)
    done = import_by_steps(import_context(task, source=f"s3://{OTHER}/output.manifest"))
    copy = one_key(buckets, "images_imported/")

    for key, source in ((copy, theirs), ("images/b.png", mine)):
        found = origin(import_context(task), key)
        assert (found.kind, found.by, found.source) == (OriginKind.IMPORT, done.report.name, source)


@pytest.mark.parametrize(
    ("key", "kind", "words"),
    [
        ("images_labeled_by_folder/cat/a.png", OriginKind.FOLDER, "found in the folder of 'cat', last modified 2"),
        ("images_labeled_by_folder/cat/a-0123456789ab.png", OriginKind.FOLDER, "found in the folder of 'cat'"),
        ("images_for_detection/a.png", OriginKind.INBOX, "dropped into the inbox, last modified 2"),
        ("images/a.png", OriginKind.FOLDER, "found in the bucket, last modified 2"),
    ],
)
def test_an_image_that_no_record_is_about_is_told_by_its_place(
    buckets: LocalAws, key: str, kind: OriginKind, words: str
) -> None:
    put(buckets, key, 1, BUCKET)

    found = origin(import_context(), key)

    assert found.kind is kind
    assert words in found.sentence


def test_what_is_gone_without_a_record_is_not_known(buckets: LocalAws) -> None:
    assert origin(import_context(ONE), "images/a.png").kind is OriginKind.UNKNOWN


def test_a_file_of_an_import_that_is_damaged_is_named(buckets: LocalAws) -> None:
    put(buckets, "images/a.png", 1, BUCKET)
    key = "annotations/imported/20261121t120000-0123456789ab/0000.manifest"
    s3(buckets).put_object(Bucket=BUCKET, Key=key, Body=b"{")
    ctx = import_context(BOXES)

    found = image_lineage(ctx.store, ctx.project, "images/a.png")

    assert found.origin.kind is OriginKind.UNKNOWN
    assert [key in trouble for trouble in found.troubles] == [True]
