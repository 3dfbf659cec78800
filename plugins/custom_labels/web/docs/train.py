"""What the Airflow UI shows as the documentation of the train DAG."""

from __future__ import annotations

TRAIN_DOC = """
### {project}: train, judge, swap

Counts the labelled images under `s3://{bucket}/{prefix}images_labeled_by_folder/<label>/`. When enough of them are in
no trained snapshot yet, it checks them, writes the TRAIN and TEST manifests, trains a Custom Labels version, and - if
every gate holds - starts it, puts known images to it, moves `registry/live.json` to it and, `drain_seconds` later,
stops the version that it replaces or keeps it for `keep_replaced_hours`.

**How a run ends** is what task `finish` returns (also the run's note, an SNS message and
`registry/last_run/{project}_train.json`)

| outcome | meaning |
|---|---|
| `training_is_off` | Variable `{project}__enable_automatic_training` is off |
| `nothing_to_do` | too few new images, or exactly these images were tried before |
| `planned` | a dry run: its note says what would happen, `plan` in the XCom of task `decide_training` says all of it |
| `trained` | a version was only measured: by a backfill, or of older images than the one that serves |
| `gate_failed` | trained, but a gate does not hold, such as `minimum_f1_score`; the live version stays |
| `rejected` | a person rejected it, or nobody answered in time; the live version stays, the images count as tried |
| `deployed` | the new version serves |
| a failed run | training failed, or a task did; the live version stays, a version that was started is stopped |

**Fair judgement**: `gates` are conditions on F1, precision or recall, of all labels or one, absolute or relative to the
live version. For the relative ones task `evaluate` puts the new version's test images, at most
`maximum_comparison_images`, to the live version while it runs, so that both are judged on the same images; the new
version's own answers are in its evaluation and cost nothing. Images that were deleted or replaced since count for
neither. Where the live version does not run, or the setting `compare_with_champion` is off, each version's own
evaluation counts. Task `judge_version` writes `registry/decisions/<version>.json` and a page beside it, with every
gate, the images whose verdict changed and the confusion matrices: link *Decision record* on the task.

**Approval**: with `require_approval` on, task `approve_version` waits for a person, who sees the decision in short and
a link to the whole of it, under *Required Actions*. It takes no worker slot. No answer within `approval_timeout_hours`
is a rejection. Who answered is in `registry/versions/`. No other training of this project begins meanwhile;
`{project}_rollback` does not wait for it. A run that resumes one that died asks again only if nobody has answered.
To mark the task as success is no answer: nothing is deployed or rejected, the run fails, and the next one asks again.

**Where no further model may run**, a run fails and says so; with `when_quota_is_full` at `stop_then_start` it stops the
live version first, and nothing serves until the new one runs. If that fails, task `restart_live` starts the live one
again, and the message says for how long nothing served.

**The plan**: before anything is paid, task `prepare_images` says in its log and in `plan` of its XCom what the training
will do and why: images by label, new, changed, removed and left out ones, the split, what speaks against the images,
the gates, and the hours and cost that past trainings let expect.

**By hand**: trigger it with *Trigger*. `dry_run` only says the plan and changes nothing, neither in S3 nor at AWS; it
reads the images that were never checked. `even_if_training_is_off` overrides the switch, `force` trains images that
were tried before - which is paid again.

**Backfill**: `airflow backfill create --dag-id {project}_train --from-date ... --to-date ...`, or the button, trains
one version an interval on the images that were there at its end and were not replaced or deleted since. An interval is
as long as the DAG's period; with `--dag-run-conf '{{"backfill_every_days": 7}}'` one interval a week, the one in which
Monday begins (UTC), is trained and the others end at once in `nothing_to_do`. The runs train one after the other,
in whatever order they get the project's lock, and wait for it without end. Images that were trained before, whatever
came of it, are not trained again. Nothing is judged or deployed unless the conf says `"deploy": true`; a later run
deploys the version of exactly its images without training them again. What a backfill's dead run began is measured by
the next run of the schedule. `registry/learning_curve.svg` is drawn anew whenever a version was measured or judged.

**Settings** are Airflow Variables `{project}__<setting>` over the project file `include/projects/{project}.yaml`; the
period is `{project}__automatic_training_poll_frequency`, in minutes. A run may be cleared or killed at any point: it
never trains the same images twice.
"""
