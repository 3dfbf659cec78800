"""What the Airflow UI shows as the documentation of the train DAG."""

from __future__ import annotations

TRAIN_DOC = """
### {project}: train, judge, swap

Counts the labelled images under `s3://{bucket}/{prefix}images_labeled_by_folder/<label>/`. When enough of them are in
no trained snapshot yet, it checks them, writes the TRAIN and TEST manifests, trains a Custom Labels version, and - if
every gate holds - starts it, puts known images to it, moves `registry/live.json` to it and, `drain_seconds` later,
stops the version that it replaces or keeps it for `keep_replaced_hours`.

**How a run ends** (also the run's note, an SNS message and `registry/last_run/{project}_train.json`)

| branch | meaning |
|---|---|
| `training_is_off` | Variable `{project}__enable_automatic_training` is off |
| `nothing_to_do` | too few new images, or exactly these images were tried before |
| `gate_failed` | trained, but a gate does not hold, such as `minimum_f1_score`; the live version stays |
| `rejected` | a person rejected it, or nobody answered in time; the live version stays, the images count as tried |
| `deployed` | the new version serves |
| a failed run | training failed, or a task did; the live version stays, a version that was started is stopped |

**Fair judgement**: `gates` are conditions on F1, precision or recall, of all labels or one, absolute or relative to the
live version. For the relative ones task `compare_with_champion` puts the new version's test images, at most
`maximum_comparison_images`, to the live version while it runs, so that both are judged on the same images; the new
version's own answers are in its evaluation and cost nothing. Images that were deleted or replaced since count for
neither. Where the live version does not run, or `compare_with_champion` is off, each version's own evaluation counts.
Task `judge` writes `registry/decisions/<version>.json` and a page beside it, with every gate, the images whose verdict
changed and the confusion matrices: link *Decision record* on the task.

**Approval**: with `require_approval` on, task `approve_version` waits for a person, who sees the decision in short and
a link to the whole of it, under *Required Actions*. It takes no worker slot. No answer within `approval_timeout_hours`
is a rejection. Who answered is in `registry/versions/`. No other training of this project begins meanwhile;
`{project}_rollback` does not wait for it. A run that resumes one that died asks again only if nobody has answered.

**Where no further model may run**, a run fails and says so; with `when_quota_is_full` at `stop_then_start` it stops the
live version first, and nothing serves until the new one runs. If that fails, task `restart_live` starts the live one
again, and the message says for how long nothing served.

**By hand**: trigger it with *Trigger*. `even_if_training_is_off` overrides the switch, `force` trains images that were
tried before - which is paid again.

**Settings** are Airflow Variables `{project}__<setting>` over the project file `include/projects/{project}.yaml`; the
period is `{project}__automatic_training_poll_frequency`, in minutes. A run may be cleared or killed at any point: it
never trains the same images twice.
"""
