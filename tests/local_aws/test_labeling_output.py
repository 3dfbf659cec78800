"""What labeling jobs write: each worker's answers, and what these come to, by the kind of task."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local_aws.labeling_support import INITIAL, Jobs, page
from tests.local_aws.support import BUCKET, Aws, wait_for

COMMON = {"human-annotated", "creation-date", "job-name", "type"}
BOX = {"label": "dots", "left": 10, "top": 12, "width": 30, "height": 20}
OLD = {
    "old": {
        "image_size": [{"width": 96, "height": 96, "depth": 3}],
        "annotations": [{"class_id": 0, "left": 10, "top": 12, "width": 30, "height": 20}],
    },
    "old-metadata": {"class-map": {"0": "dots"}, "type": "groundtruth/object-detection"},
}


@pytest.fixture
def jobs(aws: Aws) -> Jobs:
    return Jobs(aws)


def uri(line: dict[str, Any]) -> str:
    return str(line["source-ref"])


def test_one_label_is_an_index_with_its_name(jobs: Jobs) -> None:
    jobs.aws.control.workforce(seconds=0)
    jobs.create(lines=jobs.lines("bars", extra="kept"))
    jobs.becomes("Completed")
    (line,) = jobs.output()
    assert (line["label"], line["number"], line["extra"]) == (1, 0, "kept")
    metadata = line["label-metadata"]
    assert {*metadata} == COMMON | {"class-name", "confidence"}
    assert (metadata["class-name"], metadata["type"]) == ("bars", "groundtruth/image-classification")
    assert (metadata["human-annotated"], metadata["job-name"]) == ("yes", "labeling-job/job")
    assert "T" in metadata["creation-date"]


def test_each_worker_is_on_record_and_the_most_win(jobs: Jobs) -> None:
    jobs.aws.control.workforce(seconds=0, error_rate=0.3, seed=4)
    jobs.create(lines=jobs.lines(*["dots"] * 12), NumberOfHumanWorkersPerDataObject=3)
    jobs.becomes("Completed")
    shares = set()
    for index, line in enumerate(jobs.output()):
        said = [answer["answerContent"]["crowd-image-classifier"]["label"] for answer in jobs.responses(index)]
        assert len({answer["workerId"] for answer in jobs.responses(index)}) == 3
        metadata = line["label-metadata"]
        assert 2 * said.count(metadata["class-name"]) > 3
        shares.add(metadata["confidence"])
    assert shares >= {0.67, 1.0}


def test_several_labels_are_indices_with_a_map(jobs: Jobs) -> None:
    lines = jobs.lines("dots", "bars", "dots")
    truth = {uri(lines[0]): ["dots", "bars"], uri(lines[1]): ["bars"]}
    jobs.aws.control.workforce(seconds=0, truth=truth)
    jobs.create(kind="ImageMultiClassMultiLabel", lines=lines)
    jobs.becomes("Completed")
    both, one, none = jobs.output()
    assert (both["label"], one["label"], none["label"]) == ([0, 1], [1], [])
    metadata = both["label-metadata"]
    assert metadata["class-map"] == {"0": "dots", "1": "bars"}
    assert metadata["confidence-map"] == {"0": 1.0, "1": 1.0}
    assert metadata["type"] == "groundtruth/image-classification-multilabel"


def test_boxes_are_pixels_with_the_size_of_the_image(jobs: Jobs) -> None:
    lines = jobs.lines("dots", "bars")
    jobs.aws.control.workforce(seconds=0, truth={uri(lines[0]): [BOX], uri(lines[1]): []})
    jobs.create(kind="BoundingBox", lines=lines, NumberOfHumanWorkersPerDataObject=2)
    jobs.becomes("Completed")
    drawn, empty = jobs.output()
    assert drawn["label"] == {
        "image_size": [{"width": 96, "height": 96, "depth": 3}],
        "annotations": [{"class_id": 0, "left": 10, "top": 12, "width": 30, "height": 20}],
    }
    assert drawn["label-metadata"]["objects"] == [{"confidence": 1.0}]
    assert drawn["label-metadata"]["class-map"] == {"0": "dots"}
    assert (empty["label"]["annotations"], empty["label-metadata"]["objects"]) == ([], [])
    assert "adjustment-status" not in drawn["label-metadata"]


@pytest.mark.parametrize(("top", "status"), [(12, "unadjusted"), (40, "adjusted")])
def test_adjustment_says_whether_anything_was_changed(jobs: Jobs, top: int, status: str) -> None:
    lines = jobs.lines("dots", **OLD)
    jobs.aws.control.workforce(seconds=0, truth={uri(lines[0]): [{**BOX, "top": top}]})
    jobs.create(kind="AdjustmentBoundingBox", lines=lines, template=page("boundingBox", more=INITIAL))
    jobs.becomes("Completed")
    (line,) = jobs.output()
    assert line["old"] == OLD["old"]
    assert line["label"]["annotations"][0]["top"] == top
    assert line["label-metadata"]["adjustment-status"] == status


def test_verification_is_a_verdict(jobs: Jobs) -> None:
    jobs.aws.control.workforce(seconds=0)
    jobs.create(kind="VerificationBoundingBox", lines=jobs.lines("dots", **OLD))
    jobs.becomes("Completed")
    (line,) = jobs.output()
    assert (line["label"], line["label-metadata"]["type"]) == (0, "groundtruth/label-verification")


def test_image_fails_when_the_page_names_its_element_otherwise(jobs: Jobs) -> None:
    jobs.aws.control.workforce(seconds=0)
    jobs.create(lines=jobs.lines("dots"), template=page(name="shown"))
    jobs.becomes("Completed")
    (line,) = jobs.output()
    assert "has no 'crowd-image-classifier'" in line["label-metadata"]["failure-reason"]
    assert jobs.responses(0)[0]["answerContent"] == {"shown": {"label": "dots"}}


def test_image_fails_when_nobody_finishes_it_in_time(jobs: Jobs) -> None:
    jobs.aws.control.workforce(seconds=0, workers=1)
    jobs.create(lines=jobs.lines("dots"), NumberOfHumanWorkersPerDataObject=2)
    wait_for(lambda: jobs.aws.control.workforce_state()["answered"], 1)
    jobs.aws.control.durations(job_stop=0)
    jobs.sagemaker.stop_labeling_job(LabelingJobName="job")
    jobs.becomes("Stopped")
    assert len(jobs.responses(0)) == 1
    assert "label" not in jobs.output()[0]


def test_consolidated_annotation_is_written_beside_the_answers(jobs: Jobs) -> None:
    jobs.aws.control.workforce(seconds=0)
    jobs.create(lines=jobs.lines("dots"))
    jobs.becomes("Completed")
    prefix = "labeled/job/annotations/consolidated-annotation/consolidation-response/iteration-1/"
    assert jobs.aws.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["KeyCount"] == 1
