"""What the Airflow UI shows as the documentation of the sampling DAG."""

from __future__ import annotations

AUDIT_DOC = """
### {project}: how often is the live model right?

Shows people every n-th detection since the last sample, **whatever its confidence**, and counts how often the model was
right. The confidence that a model gives itself says nothing about images it is sure of and wrong about; this does.

| what | where |
|---|---|
| accuracy by version and label, with a 95 % interval and F1 | `audit/accuracy.json`, `registry/versions/` |
| the samples | `audit/samples/` |
| how far the log of detections was gone through | `audit/cursor.json` |

**How a run ends** (also its note, an SNS message and `registry/last_run/{project}_sample_for_audit.json`)

| outcome | meaning |
|---|---|
| `sampling_is_off` | Variable `{project}__enable_automatic_human_sampling` is off |
| `nothing_to_sample` | fewer detections than `{project}__human_sampling_interval` since the last sample |
| `sampled` | samples were drawn, their reviews are opened within the day's budget |
| `live_accuracy_low` | the share of right ones is below `{project}__minimum_live_accuracy` |

An alert needs `{project}__minimum_audit_answers` answers about the live version, and is sent again only when there are
new ones. A sample is a review of its own, opened before those of doubtful images and in no order that the model has a
say in, and it does not show the model's guess, which would draw people to it. So an image that is sampled and in doubt
is shown twice: the answers to doubts come by doubt and budget, and are no sample. Samples that have no answer (yet)
count as others that the model was equally in doubt or sure of.

Sampled images enter training only with `{project}__train_on_audit_samples`, those in doubt by their other review. The
period is `{project}__automatic_human_sampling_frequency`, in minutes.
"""
