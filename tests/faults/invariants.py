"""What must be so after a run was killed, wherever that was, and run again."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.kit.dag_runs import record, statuses
from tests.kit.detect_runs import count_messages, read, results
from tests.kit.detect_runs import keys as keys_below
from tests.kit.harvests import copies, fates, ledger, lines
from tests.kit.support import BUCKET, client, effects, picture, s3
from tests.kit.teardown_runs import models, review_set_up

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

DOUBTFUL, ANSWERED = 3, 3
"""How many images the scenarios of detection and harvest begin with."""

UNLABELLED = 4
OTHER_BUCKET = "somebody-elses-images"
IMPORTED_BOX = ("bee", 10, 20, 30, 40)

LOCKS = {"registry/lock.json", "registry/deployment_lock.json"}
LONG_AGO = "2020-01-01T00:00:00+00:00"
"""To where the clock of a dead run's locks is turned back."""
IMAGE_FOLDERS = ("images_labeled_by_folder/", "images_for_detection/", "images/", "annotations/")


def all_objects(aws: LocalAws) -> dict[str, str]:
    """Give the ETag of every object of the bucket, by its key."""
    pages = s3(aws).get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    return {entry["Key"]: entry["ETag"] for page in pages for entry in page.get("Contents", [])}


def no_image_lost(aws: LocalAws, before: Mapping[str, Any]) -> None:
    """Every image is still where it was."""
    images = {key: etag for key, etag in before.items() if key.startswith(IMAGE_FOLDERS)}

    assert images
    assert images.items() <= all_objects(aws).items()


def one_round(aws: LocalAws, before: Mapping[str, Any]) -> None:
    """One version was trained, paid and started, and serves."""
    trained(aws, before, rounds=1)


def two_rounds(aws: LocalAws, before: Mapping[str, Any]) -> None:
    """The second version serves, the first has stopped."""
    trained(aws, before, rounds=2)


def trained(aws: LocalAws, before: Mapping[str, Any], rounds: int) -> None:
    """So many sets of images were trained, once each, and the last of the versions serves alone."""
    found = statuses(aws)
    live = record(aws, "live")
    attempts = record(aws, "trainings")["attempts"]

    no_image_lost(aws, before)
    assert effects(aws, "CreateProjectVersion") == len(found) == rounds
    assert max(Counter(name.rpartition("-")[2] for name in found).values()) == 1, f"a digest was trained twice: {found}"
    assert live["version_name"] == max(found)
    assert found == {name: "RUNNING" if name == live["version_name"] else "STOPPED" for name in found}
    assert [attempt["state"] for attempt in attempts] == ["deployed"] * rounds
    assert {name: record(aws, f"versions/{name}")["status"] for name in found} == found
    locks_given_back(aws)


def locks_given_back(aws: LocalAws) -> None:
    """No lock is held, but by the dead run where the next had no need of it: its lease has run out."""
    locks = [record(aws, key.removeprefix("registry/").removesuffix(".json")) for key in LOCKS]

    assert [lock["owner"] for lock in locks if lock and lock["owner"] and lock["expires_at"] != LONG_AGO] == []


def former_version_serves(aws: LocalAws, before: Mapping[str, Any]) -> None:
    """The former version serves alone, and nothing was trained for it."""
    no_image_lost(aws, before)
    assert record(aws, "live")["version_name"] == "v1"
    assert statuses(aws) == {"v1": "RUNNING", "v2": "STOPPED"}
    assert effects(aws, "CreateProjectVersion") == 2
    locks_given_back(aws)


def nothing_is_left(aws: LocalAws, before: Mapping[str, Any]) -> None:
    """AWS has nothing of the project, every image, label and record stays, and nothing serves by the records."""
    gone_from_aws(aws)
    no_image_lost(aws, before)
    assert before.keys() <= all_objects(aws).keys()
    assert record(aws, "live") == {}
    assert [record(aws, f"versions/{name}")["deleted_at"] is not None for name in ("v1", "v2")] == [True, True]


def no_object_is_left(aws: LocalAws, before: Mapping[str, Any]) -> None:
    """AWS has nothing of the project, and of its objects only those stay that say so."""
    gone_from_aws(aws)
    ours = {"registry/project.json", "registry/trainings.json", "registry/last_run/digits_teardown.json"}
    # What the tests put beside the project's folders.
    others = {key for key in before if key.startswith(("train.", "test."))}
    assert all_objects(aws).keys() - LOCKS == ours | others


def gone_from_aws(aws: LocalAws) -> None:
    """AWS lists nothing of the project, each thing was deleted once, and no training begins."""
    names = ("DeleteProject", "DeleteProjectVersion", "DeleteDataset")
    assert models(aws) == review_set_up(aws) == []
    assert [effects(aws, name) for name in names] == [1, 2, 2]
    assert record(aws, "trainings")["torn_down"]["ended_at"]
    locks_given_back(aws)


def every_image_detected(aws: LocalAws, before: Mapping[str, Any]) -> None:
    """One result an image and version, one review an image, and no message is left."""
    detected_and_asked(aws, before, loops(aws))


def every_image_in_one_job(aws: LocalAws, before: Mapping[str, Any]) -> None:
    """Likewise, and one labeling job asks all of them."""
    (job,) = jobs(aws)
    detected_and_asked(aws, before, job)


def detected_and_asked(aws: LocalAws, before: Mapping[str, Any], asked: list[str]) -> None:
    """One result an image and version, one of these reviews an image, and no message is left."""
    found = [(each["key"], each["etag"], each["version_name"]) for each in results(aws)]

    no_image_lost(aws, before)
    assert len(found) == len(set(found)) == DOUBTFUL
    assert len(asked) == len(set(asked)) == DOUBTFUL
    assert keys_below(aws, "reviews/waiting/") == []
    assert count_messages(aws) == 0


def every_image_asked_about(aws: LocalAws, before: Mapping[str, Any]) -> None:
    """One review an image, nothing that counts as a detection, trainings may begin again, and the assist has ended."""
    assists = [json.loads(read(aws, key)) for key in keys_below(aws, "label_assist/") if key.endswith("/assist.json")]
    newest = max(assists, key=lambda each: str(each["name"]))
    asked = loops(aws)

    no_image_lost(aws, before)
    assert len(asked) == len(set(asked)) == UNLABELLED
    assert [each["asked"] for each in newest["rounds"]] == [UNLABELLED]
    assert newest["ended"] == "nobody gave a label that can be trained on"
    assert keys_below(aws, "detections/") == keys_below(aws, "reviews/waiting/") == []
    assert keys_below(aws, "detection_work/") == []
    assert json.loads(read(aws, "registry/trainings.json"))["hold"] is None


def every_answer_harvested(aws: LocalAws, before: Mapping[str, Any]) -> None:
    """One copy an image, one line a review in the ledger, one further round."""
    harvested_once(aws, before, loops(aws))


def every_answer_of_a_job_harvested(aws: LocalAws, before: Mapping[str, Any]) -> None:
    """Likewise, and the further round is one labeling job more."""
    found = jobs(aws)
    assert sorted(map(len, found)) == [1, 1, ANSWERED]
    harvested_once(aws, before, [name for job in found for name in job])


def harvested_once(aws: LocalAws, before: Mapping[str, Any], asked: list[str]) -> None:
    """One copy an image, one line a review in the ledger, one further round among these reviews."""
    no_image_lost(aws, before)
    assert copies(aws) == ["rows"] * ANSWERED
    assert sorted(fates(aws)) == ["asked_again"] + ["copied"] * ANSWERED
    assert len({line["review"] for line in ledger(aws)}) == ANSWERED + 1
    assert len(asked) == len(set(asked)) == ANSWERED + 2
    assert keys_below(aws, "reviews/waiting/") == []


def every_box_harvested(aws: LocalAws, before: Mapping[str, Any]) -> None:
    """One copy an image, lines of annotations about each that all say the same, and one further round."""
    annotated = {
        line["source-ref"]: line["bounding-box"]["annotations"] for line in lines(aws, "annotations/reviewed/")
    }
    box = {"class_id": 0, "left": 10, "top": 20, "width": 30, "height": 40}

    no_image_lost(aws, before)
    assert sorted(annotated.values(), key=len) == [[], *[[box]] * ANSWERED]
    assert set(annotated) == {f"s3://{BUCKET}/{key}" for key in keys_below(aws, "images_reviewed/")}
    assert sorted(fates(aws)) == ["asked_again"] + ["copied"] * (ANSWERED + 1)
    assert len({line["review"] for line in ledger(aws)}) == ANSWERED + 2
    assert len(loops(aws)) == len(set(loops(aws))) == ANSWERED + 3
    assert keys_below(aws, "reviews/waiting/") == []


def every_question_answered(aws: LocalAws, before: Mapping[str, Any]) -> None:
    """Each review has its one answer on record, and none is open any more."""
    asked = {key.rpartition("/")[2] for key in before if key.startswith("reviews/airflow_page/open/")}
    ended = [json.loads(read(aws, key)) for key in keys_below(aws, "reviews/airflow_page/ended/")]

    no_image_lost(aws, before)
    assert len(asked) == ANSWERED
    assert {f"{review['request']['name']}.json" for review in ended} == asked
    assert [(review["status"], review["answer"]["chosen"]) for review in ended] == [("completed", ["rows"])] * ANSWERED
    assert keys_below(aws, "reviews/airflow_page/open/") == []


def imported_images() -> dict[str, bytes]:
    """Give the images of the scenarios of imports, by their keys in the source."""
    return {
        f"{label}/{name}.png": picture(label, number)
        for number, (label, name) in enumerate((("columns", "a"), ("columns", "b"), ("rows", "c")))
    }


def every_image_imported(aws: LocalAws, before: Mapping[str, Any]) -> None:
    """Each image is in its label's folder once; what had another label was moved aside, and no content is lost."""
    found = {key.removeprefix("images_labeled_by_folder/"): etag for key, etag in _below(aws, "images_labeled").items()}
    aside = _below(aws, "images_replaced/")

    assert sorted(re.sub("-[0-9a-f]{12}", "", key) for key in found) == sorted(imported_images())
    assert set(before.values()) <= {*found.values(), *aside.values()}
    assert {key.partition("/rows/")[2] for key in aside} == {"mine.png"}
    reports = [json.loads(read(aws, key)) for key in keys_below(aws, "imports/") if key.endswith("/report.json")]
    assert {code for report in reports for code in report["counts"]["codes"]} == set()


def every_line_imported(aws: LocalAws, before: Mapping[str, Any]) -> None:
    """Each image has its copy, and the line that counts about each is that of the source."""
    newest: dict[str, dict[str, Any]] = {}
    for line in lines(aws, "annotations/"):
        at = line["bounding-box-metadata"]["creation-date"]
        newest[line["source-ref"]] = max(newest.get(line["source-ref"], {"at": ""}), {"at": at, **line}, key=_at)
    label, left, top, width, height = IMPORTED_BOX
    box = {"class_id": 0, "top": top, "left": left, "width": width, "height": height}
    copies_of = {f"s3://{BUCKET}/{key}" for key in keys_below(aws, "images_imported/")}

    no_image_lost(aws, before)
    assert len(copies_of) == len(imported_images())
    assert newest.keys() == {*copies_of, f"s3://{BUCKET}/images_labeled_by_folder/rows/mine.png"}
    assert [line["bounding-box"]["annotations"] for line in newest.values()] == [[box]] * len(newest)
    assert {line["bounding-box-metadata"]["class-map"]["0"] for line in newest.values()} == {label}


def _at(line: Mapping[str, Any]) -> str:
    return str(line["at"])


def _below(aws: LocalAws, prefix: str) -> dict[str, str]:
    return {key: etag for key, etag in all_objects(aws).items() if key.startswith(prefix)}


def jobs(aws: LocalAws) -> list[list[str]]:
    """Name the reviews that each labeling job asks."""
    found = client(aws, "sagemaker").list_labeling_jobs()["LabelingJobSummaryList"]
    manifests = [job["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"] for job in found]
    return [
        [line["review"]["name"] for line in lines(aws, manifest.removeprefix(f"s3://{BUCKET}/"))]
        for manifest in manifests
    ]


def loops(aws: LocalAws) -> list[str]:
    """Name every human loop of the project."""
    runtime = client(aws, "sagemaker-a2i-runtime")
    flows = client(aws, "sagemaker").list_flow_definitions()["FlowDefinitionSummaries"]
    since = datetime(2020, 1, 1, tzinfo=UTC)
    return [
        loop["HumanLoopName"]
        for flow in flows
        for loop in runtime.list_human_loops(FlowDefinitionArn=flow["FlowDefinitionArn"], CreationTimeAfter=since)[
            "HumanLoopSummaries"
        ]
    ]
