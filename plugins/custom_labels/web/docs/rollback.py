"""What the Airflow UI shows as the documentation of the rollback DAG."""

from __future__ import annotations

ROLLBACK_DOC = """
### {project}: put an earlier version back into service

Trigger it by hand. Without Params it puts back the version that the live one replaced; `version` names another one of
`registry/versions/`, `reason` goes on record with your name.

It takes the same steps as a deployment after a training: start (seconds, if `keep_replaced_hours` kept the version
running), known images, the pointer by compare-and-set, `drain_seconds` for calls that are under way, then the replaced
version is stopped or kept. It does not wait for a training that is under way: it takes the deployment lock only.
A version that was rolled back from comes back only if you name it.

**How a run ends** is what task `finish` returns (also the run's note, an SNS message and
`registry/last_run/{project}_rollback.json`)

| outcome | meaning |
|---|---|
| `rolled_back` | the earlier version serves |
| `nothing_to_roll_back` | there is no predecessor, it was rolled back from, or the named version serves already |
| a failed run | the version is unknown or deleted, does not start or answers wrongly; the live version stays |

With `when_quota_is_full` at `stop_then_start` and no free place the live version is stopped first. If the other one
does not come up then, task `restart_live` starts the live one again; should that fail as well, nothing serves until
you clear it.

The version that was rolled back from is not deployed again by itself; new images train a new one.
"""
