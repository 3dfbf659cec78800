"""What the Airflow UI shows as the documentation of the detect DAG."""

from __future__ import annotations

DETECT_DOC = """
### {project}: detect

Puts every image below `s3://{bucket}/{prefix}images_for_detection/` to the version that serves, and writes one result
each: `detections/<image>/<ETag>/<version>.json`. A detection whose confidence is below its minimum becomes a request
for review; reviews are opened within the day's budget. The rest waits, up to `{project}__maximum_waiting_reviews` and
for `{project}__review_waiting_days`; what is dropped is in the run's outcome.

It runs within seconds when S3 announces an image (SQS queue `queues.detections` of the project file), when another
version goes into service, and every `{project}__detection_poll_frequency` minutes. All runs but those that the queue
triggers also list images without a result, so that nothing depends on an event.

**How a run ends** (also the run's note, an SNS message and `registry/last_run/{project}_detect.json`)

| outcome | meaning |
|---|---|
| `detected` | every image has its result |
| `nothing_to_detect` | every image has its result already |
| `nothing_serves` | no version is RUNNING, and why it was not started; images and messages wait |
| `detection_trouble` | images cannot be read or failed, or messages are no events of the bucket; examples are in it |
| a failed run | the live version did not answer for half an hour, or a task failed; the next run finds what is left |

**A live version that is stopped** - by the cost guard, or by a person - is started when images wait for it, if
`{project}__start_when_images_wait` is on and `{project}__service_window` is open.

**What becomes of an image that fails**: one that Custom Labels cannot read, or that is empty, gets a result that says
so, however it is named. Files of another kind by their names are counted. For any other
reason its message stays in the queue; at its third delivery it goes to `queues.dead_letters`, with the `reason`.

**By hand**: trigger it with *Trigger*; it looks for images without a result. `maximum_images` bounds the run.

**Pace**: `{project}__detections_per_unit_second` times the inference units of the live version, shared by
`detection_workers` tasks in `detection_pool`; refused calls make it slower for a while. A run may be cleared or killed
at any point: an image has one result a version, and one review.
"""
