"""How a labeling job goes on by itself: it begins, shows images to workers, keeps what they say, and ends."""

from __future__ import annotations

import datetime as dt
import json
import time
from typing import Any

from include.local_aws.human_review.endings import human_answer, send_event
from include.local_aws.human_review.labeling.consolidation import CannotConsolidate, consolidate
from include.local_aws.human_review.labeling.inputs import InputError, read_labels, read_lines, read_template
from include.local_aws.human_review.labeling.state import ENDED, LabelingJob, LabelingObject
from include.local_aws.human_review.state import Region
from include.local_aws.human_review.templates import TemplateError, split_s3_uri
from include.local_aws.objects import ObjectDenied, ObjectMissing

LONGEST_LIFE = 2_592_000
"""TaskAvailabilityLifetimeInSeconds of private workers, at most and where it is not given (SageMaker API reference)."""
_MOST_AT_ONCE = 1000
_DETAIL_TYPE = "SageMaker Ground Truth Labeling Job State Change"


def begin(region: Region, job: LabelingJob) -> None:
    """Read what the job was given and show the first images to workers, or fail the job."""
    if job.status != "Initializing":
        return
    try:
        job.template, job.labels = read_template(region, job), read_labels(region, job)
        lines = read_lines(region, job)
        bucket, _ = split_s3_uri(f"{job.folder}/manifests")
        region.objects.check_writable(bucket)
    except (InputError, ObjectMissing, ObjectDenied) as error:
        end(region, job, "Failed", str(error))
        return
    job.objects = [_make_object(region, job, index, line) for index, line in enumerate(lines)]
    _change(job, "InProgress")
    go_on(region, job)


def go_on(region: Region, job: LabelingJob) -> None:
    """Show as many images as may be shown at once; end the job where nothing is left or enough is labeled."""
    if job.status != "InProgress":
        return
    at_once = job.config.get("MaxConcurrentTaskCount", _MOST_AT_ONCE)
    shown = sum(each.is_open for each in job.objects)
    while shown < at_once and job.opened < len(job.objects) and not _has_enough(job):
        item = job.objects[job.opened]
        job.opened += 1
        shown += _open(region, item)
    if all(each.is_done for each in job.objects):
        end(region, job, "Completed")
    elif _has_enough(job):
        end(region, job, "Stopped")


def stopped(region: Region, job: LabelingJob) -> None:
    """End a job that is Stopping."""
    if job.status == "Stopping":
        end(region, job, "Stopped")


def end(region: Region, job: LabelingJob, status: str, reason: str | None = None) -> None:
    """Bring a job to its last status: write the output manifest, then send the event.

    Whatever workers said before is written; images that nobody labeled are in the manifest as they came.
    """
    for item in job.objects:
        if item.is_open:
            _close(region, item)
    if job.objects:
        uri = f"{job.folder}/manifests/output/output.manifest"
        try:
            _write(region, uri, "".join(f"{json.dumps(_output_line(item))}\n" for item in job.objects))
            job.output_uri = uri
        except (ObjectMissing, ObjectDenied) as error:
            status, reason = "Failed", f"ClientError: Could not write {uri}: {error}"
    job.failure_reason = reason
    _change(job, status)
    send_event(region, _DETAIL_TYPE, job.arn, {"LabelingJobStatus": job.status})


def _make_object(region: Region, job: LabelingJob, index: int, line: dict[str, Any]) -> LabelingObject:
    # A '/' is in no name of a loop, so that the two share the portal.
    name = f"{job.name}/{index}"
    item = LabelingObject(**region.identity("labeling-job", name), job=job, index=index, line=line)
    item.on_answer = lambda: _answered(region, item)
    region.objects_of_jobs[name] = item
    return item


def _open(region: Region, item: LabelingObject) -> bool:
    """Show an image to workers, or fail it if its page cannot be rendered; say whether it is shown."""
    try:
        item.page(region)
    except TemplateError as error:
        item.failure = f"ClientError: The worker page cannot be rendered: {error}"
        return False
    item.is_open = True
    region.active_work[item.name] = item
    lifetime = item.job.config.get("TaskAvailabilityLifetimeInSeconds", LONGEST_LIFE)
    region.transitions.schedule("task expiry", lifetime, lambda: _expire(region, item))
    return True


def _answered(region: Region, item: LabelingObject) -> None:
    if len(item.answers) < item.task_count:
        return
    try:
        item.label, item.metadata = consolidate(region, item)
    except CannotConsolidate as error:
        item.failure = str(error)
    _close(region, item)
    go_on(region, item.job)


def _expire(region: Region, item: LabelingObject) -> None:
    if item.is_open and item.job.status not in ENDED:
        item.failure = "ClientError: The task was not completed within TaskAvailabilityLifetimeInSeconds."
        _close(region, item)
        go_on(region, item.job)


def _close(region: Region, item: LabelingObject) -> None:
    """Take an image from the portal, and write what workers said of it and what it comes to."""
    item.is_open = False
    item.job.modified = time.time()
    region.active_work.pop(item.name, None)
    if not item.answers:
        return
    stamp = f"{dt.datetime.now(dt.UTC):%Y-%m-%d_%H:%M:%S}.json"
    folder = f"{item.job.folder}/annotations"
    said = {"answers": [human_answer(region, answer) for answer in item.answers.values()]}
    try:
        _write(region, f"{folder}/worker-response/iteration-1/{item.index}/{stamp}", json.dumps(said))
        if item.label is not None:
            content = {item.job.attribute: item.label, f"{item.job.attribute}-metadata": item.metadata}
            entry = {"datasetObjectId": str(item.index), "consolidatedAnnotation": {"content": content}}
            uri = f"{folder}/consolidated-annotation/consolidation-response/iteration-1/{item.index}-{stamp}"
            _write(region, uri, json.dumps([entry]))
    except (ObjectMissing, ObjectDenied) as error:
        item.label, item.failure = None, f"ClientError: Could not write the annotation: {error}"


def _output_line(item: LabelingObject) -> dict[str, Any]:
    attribute = item.job.attribute
    if item.label is not None:
        return {**item.line, attribute: item.label, f"{attribute}-metadata": item.metadata}
    if item.failure is not None:
        metadata = {"failure-reason": item.failure, "job-name": f"labeling-job/{item.job.name}"}
        return {**item.line, f"{attribute}-metadata": metadata}
    return item.line


def _has_enough(job: LabelingJob) -> bool:
    """Say whether one of the StoppingConditions is met while something is left to label."""
    conditions = job.details.get("StoppingConditions", {})
    labeled = job.labeled
    percent = 100 * labeled / len(job.objects)
    return bool(
        labeled >= conditions.get("MaxHumanLabeledObjectCount", len(job.objects) + 1)
        or percent >= conditions.get("MaxPercentageOfInputDatasetLabeled", 101)
    )


def _change(job: LabelingJob, status: str) -> None:
    job.status, job.modified = status, time.time()


def _write(region: Region, uri: str, text: str) -> None:
    region.objects.write(*split_s3_uri(uri), text.encode())
