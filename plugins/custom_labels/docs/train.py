"""What the Airflow UI shows as the documentation of the train DAG."""

from __future__ import annotations

TRAIN_DOC = """
### {project}: train, judge, swap

Counts the labelled images under `s3://{bucket}/{prefix}images_labeled_by_folder/<label>/`. When enough of them are in
no trained snapshot yet, it checks them, writes the TRAIN and TEST manifests, trains a Custom Labels version, and - if
its F1 reaches `minimum_f1_score` - starts it, puts known images to it, moves `registry/live.json` to it and stops the
version that it replaces.

**How a run ends** (also the run's note, an SNS message and `registry/last_run/{project}_train.json`)

| branch | meaning |
|---|---|
| `training_is_off` | Variable `{project}__enable_automatic_training` is off |
| `nothing_to_do` | too few new images, or exactly these images were tried before |
| `gate_failed` | trained, but its F1 is below `minimum_f1_score`; the live version stays |
| `deployed` | the new version serves |
| a failed run | training failed, or a task did; the live version stays, a version that was started is stopped |

**By hand**: trigger it with *Trigger*. `even_if_training_is_off` overrides the switch, `force` trains images that were
tried before - which is paid again.

**Settings** are Airflow Variables `{project}__<setting>` over the project file `include/projects/{project}.yaml`; the
period is `{project}__automatic_training_poll_frequency`, in minutes. A run may be cleared or killed at any point: it
never trains the same images twice.
"""
