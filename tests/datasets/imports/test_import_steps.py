"""Imports on the embedded AWS, step by step: what is taken from where, what is there already, what is in conflict."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.core.outcome import NewImages, Outcome
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.imports import source_records
from custom_labels.datasets.imports.import_tasks import inspect_batch, plan_import, take_batch
from custom_labels.datasets.imports.import_work import ImportPlan
from custom_labels.datasets.project_snapshot_records import count_project
from custom_labels.errors import ImportRefused, SettingError
from tests.kit.annotation_lines import boxes_line, labels_line, native_line
from tests.kit.import_runs import REPLACED, SKIPPED, TAKEN, THERE, import_by_steps, import_context
from tests.kit.pictures import png
from tests.kit.step_runs import passed
from tests.kit.support import BUCKET, rekognition, s3, wait_until

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

OTHER = "somebody-elses-images"
ONE, SEVERAL, BOXES = (
    ProjectTask.IMAGE_CLASSIFICATION,
    ProjectTask.MULTI_LABEL_CLASSIFICATION,
    ProjectTask.OBJECT_DETECTION,
)
FOLDERS = "images_labeled_by_folder/"
NO_DATASET = "arn:aws:rekognition:us-east-1:123456789012:project/theirs/dataset/train/1700000000001"


@pytest.fixture
def buckets(airflow_db: None, aws: LocalAws) -> LocalAws:
    for name in (BUCKET, OTHER):
        s3(aws).create_bucket(Bucket=name)
    return aws


def put(aws: LocalAws, key: str, number: int, bucket: str = OTHER) -> str:
    s3(aws).put_object(Bucket=bucket, Key=key, Body=png(number, (128, 96)), ContentType="image/png")
    return f"s3://{bucket}/{key}"


def put_lines(aws: LocalAws, key: str, *lines: dict[str, Any] | str, bucket: str = OTHER) -> str:
    body = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    s3(aws).put_object(Bucket=bucket, Key=key, Body=body.encode())
    return f"s3://{bucket}/{key}"


def keys(aws: LocalAws, prefix: str = "") -> list[str]:
    found = s3(aws).list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return [each["Key"] for each in found]


def labels(aws: LocalAws) -> list[str]:
    return [key.split("/")[1] for key in keys(aws, FOLDERS)]


def lines(aws: LocalAws) -> list[dict[str, Any]]:
    found = []
    for key in keys(aws, "annotations/imported/"):
        body = s3(aws).get_object(Bucket=BUCKET, Key=key)["Body"].read()
        found += [json.loads(line) for line in body.splitlines()]
    return found


def skipped(aws: LocalAws) -> list[dict[str, str]]:
    found = []
    for key in keys(aws, "imports/"):
        if "/skipped/" in key:
            body = s3(aws).get_object(Bucket=BUCKET, Key=key)["Body"].read()
            found += [json.loads(line) for line in body.splitlines()]
    return found


# -- folders -------------------------------------------------------------------------------------------


def test_folders_of_another_bucket_become_labels(buckets: LocalAws) -> None:
    for number, key in enumerate(("cat/1.png", "cat/deep/2.png", "dog/1.png", "dog/2.png")):
        put(buckets, f"old/{key}", number)
    put(buckets, "old/readme.txt", 7)
    put(buckets, "old/loose.png", 8)

    done = import_by_steps(import_context(source=f"s3://{OTHER}/old/"))

    assert labels(buckets) == ["cat", "cat", "dog", "dog"]
    assert done.fates == {TAKEN: 4, SKIPPED: 2}
    assert done.codes == {"OTHER_FILE": 1, "NOT_ANNOTATED": 1}
    assert done.report.counts.labels == {"cat": 2, "dog": 2}
    assert (done.outcome.outcome, done.outcome.choice) == (Outcome.IMPORTED, NewImages.SOME)
    assert "4 images taken" in done.outcome.detail
    assert {each["where"] for each in skipped(buckets)} == {"readme.txt", "loose.png"}
    ctx = import_context()
    assert count_project(ctx.store, ONE, as_of=ctx.run.as_of).images == 4


def test_a_second_import_takes_only_what_is_new(buckets: LocalAws) -> None:
    put(buckets, "old/cat/1.png", 1)
    import_by_steps(import_context(source=f"s3://{OTHER}/old/"))
    put(buckets, "old/cat/2.png", 2)
    put(buckets, "old/cat/again.png", 1)

    done = import_by_steps(import_context(source=f"s3://{OTHER}/old/"))

    assert done.fates == {TAKEN: 1, THERE: 2}
    assert len(keys(buckets, FOLDERS)) == 2
    again = import_by_steps(import_context(source=f"s3://{OTHER}/old/"))
    assert (again.outcome.outcome, again.outcome.choice) == (Outcome.NOTHING_TO_IMPORT, NewImages.NONE)


def test_a_source_of_which_nothing_can_be_used_is_trouble(buckets: LocalAws) -> None:
    source = put_lines(buckets, "output.manifest", "no line", labels_line("dog", source_ref=f"s3://{OTHER}/gone.png"))

    done = import_by_steps(import_context(source=source))

    assert (done.outcome.outcome, done.outcome.choice) == (Outcome.IMPORT_TROUBLE, NewImages.NONE)
    assert done.codes == {"ERROR_INVALID_JSON_LINE": 1, "IMAGE_NOT_FOUND": 1}
    assert done.outcome.facts["Skipped, IMAGE_NOT_FOUND"] == 1


def test_a_dry_run_says_what_would_be_taken_and_takes_nothing(buckets: LocalAws) -> None:
    put(buckets, "old/cat/1.png", 1)

    done = import_by_steps(import_context(source=f"s3://{OTHER}/old/", dry_run=True))

    assert done.fates == {TAKEN: 1}
    assert "1 image would be taken" in done.outcome.detail
    assert done.outcome.choice is NewImages.NONE
    assert done.report.is_dry_run
    assert keys(buckets, FOLDERS) == []


@pytest.mark.parametrize(
    ("on_conflict", "fates", "there"),
    [("keep", {SKIPPED: 1, TAKEN: 1}, ["cat", "dog"]), ("replace", {REPLACED: 1, TAKEN: 1}, ["dog", "dog"])],
)
def test_an_image_with_another_label_is_a_conflict(
    buckets: LocalAws, on_conflict: str, fates: dict[str, int], there: list[str]
) -> None:
    put(buckets, f"{FOLDERS}cat/mine.png", 1, BUCKET)
    put(buckets, "old/dog/theirs.png", 1)
    put(buckets, "old/dog/new.png", 2)

    done = import_by_steps(import_context(source=f"s3://{OTHER}/old/", on_conflict=on_conflict))

    assert done.fates == fates
    assert labels(buckets) == there
    aside = [key.split("/")[-2:] for key in keys(buckets, "images_replaced/")]
    assert aside == ([["cat", "mine.png"]] if on_conflict == "replace" else [])


def test_an_image_that_a_killed_run_has_copied_and_not_moved_is_still_replaced(buckets: LocalAws) -> None:
    put(buckets, "old/dog/theirs.png", 1)
    import_by_steps(import_context(source=f"s3://{OTHER}/old/"))
    put(buckets, f"{FOLDERS}cat/mine.png", 1, BUCKET)
    put(buckets, f"{FOLDERS}bird/mine.png", 1, BUCKET)

    done = import_by_steps(import_context(source=f"s3://{OTHER}/old/", on_conflict="replace"))

    assert done.fates == {REPLACED: 1}
    assert labels(buckets) == ["dog"]
    assert len(keys(buckets, "images_replaced/")) == 2


def test_a_label_that_is_replaced_by_one_for_the_same_image_can_be_taken_again(buckets: LocalAws) -> None:
    mine = put(buckets, f"{FOLDERS}cat/mine.png", 1, BUCKET)
    source = put_lines(buckets, "output.manifest", labels_line("dog", source_ref=mine))
    ctx = import_context(source=source, on_conflict="replace")
    plan = passed(ImportPlan, plan_import.function(ctx))
    inspect_batch.function(ctx, plan.batches[0], plan)
    first = take_batch.function(ctx, plan.batches[0], plan)

    again = take_batch.function(ctx, plan.batches[0], plan)

    assert first == again
    assert labels(buckets) == ["dog"]


def test_a_conflict_may_fail_the_run_before_anything_is_taken(buckets: LocalAws) -> None:
    put(buckets, f"{FOLDERS}cat/mine.png", 1, BUCKET)
    put(buckets, "old/dog/theirs.png", 1)
    put(buckets, "old/dog/new.png", 2)

    with pytest.raises(ImportRefused, match=r"1 images .*theirs.png.*'on_conflict' is 'fail'"):
        import_by_steps(import_context(source=f"s3://{OTHER}/old/", on_conflict="fail"))

    assert labels(buckets) == ["cat"]


def test_labels_are_renamed_merged_and_dropped(buckets: LocalAws) -> None:
    for number, name in enumerate(("Cats", "kitten", "blurred", "dog")):
        put(buckets, f"old/{name}/1.png", number)
    mapping = {"Cats": "cat", "kitten": "cat", "blurred": None}

    done = import_by_steps(import_context(source=f"s3://{OTHER}/old/", label_mapping=mapping))

    assert labels(buckets) == ["cat", "cat", "dog"]
    assert done.codes == {"DROPPED_LABELS": 1}


# -- manifests -----------------------------------------------------------------------------------------


def test_images_of_a_manifest_are_copied_and_their_lines_name_the_copies(buckets: LocalAws) -> None:
    theirs, mine = put(buckets, "a.png", 1), put(buckets, "images/b.png", 2, BUCKET)
    source = put_lines(
        buckets,
        "output.manifest",
        boxes_line(theirs, [("Echo", 1.5, 2, 30, 40)], size=(128, 96)),
        boxes_line(mine, [("Echo", 1, 2, 30, 40), ("Dot", 5, 5, 20, 20)], size=(128, 96)),
        boxes_line(f"s3://{OTHER}/gone.png", size=(128, 96)),
        "no line",
    )

    done = import_by_steps(import_context(BOXES, source=source))

    assert done.fates == {TAKEN: 2, SKIPPED: 2}
    assert done.codes == {"ERROR_INVALID_JSON_LINE": 1, "IMAGE_NOT_FOUND": 1}
    assert done.report.counts.labels == {"Dot": 1, "Echo": 2}
    written = {line["source-ref"]: line for line in lines(buckets)}
    (copy,) = keys(buckets, "images_imported/")
    assert set(written) == {f"s3://{BUCKET}/{copy}", mine}
    said = written[f"s3://{BUCKET}/{copy}"]
    assert said["bounding-box"]["annotations"] == [{"class_id": 0, "top": 2, "left": 1.5, "width": 30, "height": 40}]
    assert said["bounding-box-metadata"]["objects"] == [{"confidence": 0.9}]
    assert said["bounding-box-metadata"]["creation-date"] == "2026-01-31T12:00:00"
    ctx = import_context(BOXES)
    assert count_project(ctx.store, BOXES, as_of=ctx.run.as_of).images == 2


def test_several_labels_and_the_labels_of_boxes_are_taken(buckets: LocalAws) -> None:
    first, second, third = (put(buckets, f"{name}.png", number) for number, name in enumerate("abc"))
    source = put_lines(
        buckets,
        "output.manifest",
        labels_line("ball", "net", source_ref=first),
        native_line(second, {"ball": 0.7}),
        boxes_line(third, [("Echo", 1, 2, 30, 40), ("Echo", 50, 2, 30, 40)], size=(128, 96)),
    )

    done = import_by_steps(import_context(SEVERAL, source=source))

    assert done.fates == {TAKEN: 3}
    assert done.report.counts.labels == {"Echo": 1, "ball": 2, "net": 1}
    confidences = {
        line["label0-metadata"]["class-name"]: line["label0-metadata"]["confidence"] for line in lines(buckets)
    }
    assert confidences == {"ball": 0.7, "Echo": 0.9} or confidences["Echo"] == 0.9


def test_a_manifest_becomes_folders_where_a_project_has_one_label_an_image(buckets: LocalAws) -> None:
    first, second = (put(buckets, f"{name}.png", number) for number, name in enumerate("ab"))
    source = put_lines(
        buckets, "output.manifest", labels_line("ball", source_ref=first), labels_line("ball", "net", source_ref=second)
    )

    done = import_by_steps(import_context(source=source))

    assert labels(buckets) == ["ball"]
    assert done.codes == {"SEVERAL_LABELS": 1}


@pytest.mark.parametrize(("answer", "fates"), [("good", {TAKEN: 1}), ("bad", {SKIPPED: 1})])
def test_of_verified_labels_those_count_that_people_found_right(
    buckets: LocalAws, answer: str, fates: dict[str, int]
) -> None:
    verdict = {
        "check": 0,
        "check-metadata": {
            "class-name": answer,
            "type": "groundtruth/label-verification",
            "confidence": 0.9,
            "human-annotated": "yes",
            "creation-date": "2026-02-01T12:00:00",
            "job-name": "labeling-job/check",
        },
    }
    line = {**boxes_line(put(buckets, "a.png", 1), size=(128, 96)), **verdict}

    done = import_by_steps(import_context(BOXES, source=put_lines(buckets, "output.manifest", line)))

    assert done.fates == fates
    assert done.codes == ({} if answer == "good" else {"NOT_VERIFIED": 1})


def test_of_adjusted_boxes_the_later_ones_count(buckets: LocalAws) -> None:
    image = put(buckets, "a.png", 1)
    adjusted = boxes_line(
        image, [("Echo", 5, 5, 20, 20)], name="adjusted", size=(128, 96), created="2026-02-01T00:00:00"
    )
    adjusted["adjusted-metadata"]["adjustment-status"] = "adjusted"
    line = {**boxes_line(image, [("Echo", 1, 1, 9, 9)], size=(128, 96)), **adjusted}

    import_by_steps(import_context(BOXES, source=put_lines(buckets, "output.manifest", line)))

    (written,) = lines(buckets)
    assert written["bounding-box"]["annotations"] == [{"class_id": 0, "top": 5, "left": 5, "width": 20, "height": 20}]


@pytest.mark.parametrize(("on_conflict", "left"), [("keep", 10), ("replace", 50)])
def test_other_boxes_of_an_image_are_a_conflict_even_if_they_are_older(
    buckets: LocalAws, on_conflict: str, left: int
) -> None:
    mine = put(buckets, "images/b.png", 2, BUCKET)
    kept = boxes_line(mine, [("Echo", 10, 2, 30, 40)], size=(128, 96), created="2026-06-01T00:00:00")
    put_lines(buckets, "annotations/mine.manifest", kept, bucket=BUCKET)
    older = boxes_line(mine, [("Echo", 50, 2, 30, 40)], size=(128, 96), created="2026-01-01T00:00:00")
    source = put_lines(buckets, "output.manifest", older)

    done = import_by_steps(import_context(BOXES, source=source, on_conflict=on_conflict))

    assert done.fates == ({SKIPPED: 1} if on_conflict == "keep" else {REPLACED: 1})
    same = import_by_steps(import_context(BOXES, source=put_lines(buckets, "same.manifest", kept)))
    assert same.fates == ({THERE: 1} if on_conflict == "keep" else {SKIPPED: 1})
    assert [line["bounding-box"]["annotations"][0]["left"] for line in lines(buckets)] == ([50] if left == 50 else [])


# -- a dataset of Custom Labels, and CSV ---------------------------------------------------------------


def test_a_dataset_of_another_project_is_taken(buckets: LocalAws) -> None:
    manifest = [labels_line(name, source_ref=put(buckets, f"{name}.png", number)) for number, name in enumerate("ab")]
    put_lines(buckets, "train.manifest", *manifest)
    client = rekognition(buckets)
    project = client.create_project(ProjectName="theirs")["ProjectArn"]
    place: Any = {"GroundTruthManifest": {"S3Object": {"Bucket": OTHER, "Name": "train.manifest"}}}
    arn = client.create_dataset(ProjectArn=project, DatasetType="TRAIN", DatasetSource=place)["DatasetArn"]
    wait_until(lambda: client.describe_dataset(DatasetArn=arn)["DatasetDescription"]["Status"] == "CREATE_COMPLETE")

    done = import_by_steps(import_context(source=arn))

    assert done.report.kind == "dataset"
    assert labels(buckets) == ["a", "b"]


def test_csv_names_images_and_labels(buckets: LocalAws) -> None:
    for number, name in enumerate(("one.png", "two.png")):
        put(buckets, f"shop/photos/{name}", number)
    source = put_lines(buckets, "shop/labels.csv", "one.png,mug", "two.png,mug,blue", "three.png,mug", "one.png")

    done = import_by_steps(import_context(source=source))

    assert labels(buckets) == ["mug"]
    assert done.codes == {"IMAGE_NOT_FOUND": 1, "NOT_ANNOTATED": 1, "SEVERAL_LABELS": 1}


def test_csv_has_boxes_in_pixels(buckets: LocalAws) -> None:
    put(buckets, "shop/one.png", 1)
    rows = (
        "image,label,left,top,width,height",
        "one.png,mug,1,2,30,40",
        "one.png,mug,a,2,3,4",
        "one.png,pot,9,9,500,9",
    )
    source = put_lines(buckets, "shop/boxes.csv", *rows)

    done = import_by_steps(import_context(BOXES, source=source))

    assert done.codes == {"ERROR_INVALID_BOUNDING_BOX": 1, "INVALID_ENTRY": 1}
    (line,) = lines(buckets)
    assert line["bounding-box"]["image_size"] == [{"width": 128, "height": 96, "depth": 3}]
    assert line["bounding-box-metadata"]["class-map"] == {"0": "mug"}


# -- what is asked -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "Param 'source' is empty"),
        ({"source": "images/"}, "expected s3://"),
        ({"source": f"s3://{OTHER}/nothing/"}, "there is nothing below it"),
        ({"source": f"s3://{OTHER}/old/", "kind": "dataset"}, "a dataset is named by its ARN"),
        ({"source": f"s3://{OTHER}/old/", "label_mapping": {"cat": 7.5}}, "'label_mapping' has 7.5"),
        ({"source": NO_DATASET}, "Param 'source' is .* does not list its entries: .*ResourceNotFound"),
        ({"source": NO_DATASET, "kind": "csv"}, "the ARN of a dataset, and the Param 'kind' is 'csv'"),
        ({"source": f"s3://{OTHER}/loose/"}, "name it by the Param 'kind'"),
        ({"source": "s3://no-such-bucket-anywhere/old/"}, "no-such-bucket-anywhere"),
    ],
)
def test_what_cannot_be_imported_is_said(buckets: LocalAws, params: dict[str, Any], words: str) -> None:
    put(buckets, "old/cat/1.png", 1)
    put(buckets, "loose/1.png", 1)

    with pytest.raises(Exception, match=words):
        plan_import.function(import_context(**params))


def test_a_file_behind_very_many_images_says_what_they_are(buckets: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_records, "_LOOKED_AT", 2)
    images = [put(buckets, f"old/images/{name}.png", number) for number, name in enumerate("abc")]
    put_lines(buckets, "old/output.manifest", *(labels_line("ball", source_ref=image) for image in images))

    done = import_by_steps(import_context(source=f"s3://{OTHER}/old/"))

    assert done.report.kind == "manifest"
    assert (labels(buckets), done.codes) == (["ball"] * 3, {})


def test_mapping_file_beside_the_project_file(
    buckets: LocalAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    from custom_labels.datasets.imports import mapping_file

    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "digits.yaml").write_text("Cats: cat\nkitten: dog\n")
    monkeypatch.setattr(mapping_file, "projects_dir", lambda: tmp_path)
    put(buckets, "old/Cats/1.png", 1)
    put(buckets, "old/kitten/1.png", 2)

    import_by_steps(import_context(source=f"s3://{OTHER}/old/", label_mapping={"kitten": "cat"}))

    assert labels(buckets) == ["cat", "cat"]
    (tmp_path / "labels" / "digits.yaml").write_text("Cats: [cat]\n")
    with pytest.raises(SettingError, match=r"digits\.yaml has a list of 1"):
        plan_import.function(import_context(source=f"s3://{OTHER}/old/"))
