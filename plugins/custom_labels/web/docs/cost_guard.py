"""What the Airflow UI shows as the documentation of the cost guard."""

from __future__ import annotations

COST_GUARD_DOC = """
### {project}: the cost guard

A version is billed by the minute while it is RUNNING, asked or not. This DAG looks every
`{project}__cost_guard_poll_frequency` minutes at what runs. It asks AWS and the registry only, so that it works
whatever became of the other DAGs.

| what it finds | what it does |
|---|---|
| a version that runs and does not serve | stops it, unless it was replaced less than `keep_replaced_hours` ago |
| one that this registry does not know | notifies of it once, and never touches it |
| the live version, without a detection for `{project}__idle_stop_hours` | stops it |
| the live version, without a detection for `{project}__idle_alert_hours` | says so, and again at twice the time |
| the live version, outside of `{project}__service_window` | stops it, and starts it when the window opens |
| the live version, stopped by a person | leaves it |
| the live version, stopped to make room by a run that died | starts it |
| a deployment under way | leaves everything until it has ended, or its lock's lease has |

With `{project}__start_when_images_wait` the detect DAG starts a stopped live version when images wait and the window
is open.

It takes the deployment lock only where something is to be done, and inspects all anew under it.

**Costs**: each record in `registry/versions/` gets its `cost`, that of a version which runs once a day;
`registry/costs/<month>.json` is the ledger of a month (UTC), written at every look: training, serving, reviews, with
the date of the prices (`prices.yaml`). When a version ran is in `registry/serving/`. A stop that nobody recorded is
counted from when the version was last seen running, so that the ledger errs low by less than the time between two
polls. Counted are the units that a version was started with: AWS does not say how many more it runs where
`{project}__maximum_inference_units` lets it scale. S3, SQS and what you pay your people are not in it.

**Retention** (`{project}__keep_versions`, off by default): older trained versions are deleted at AWS, never the live
one, its predecessor, one that runs, or one of an open training. Their records stay, and so do snapshots; manifests that
no remaining version was trained on go.

Every end says what runs, what that costs a day, since when the live version was not asked (by `{project}_detect`; what
other programs ask it is not seen), and what the month cost so far.

**How a run ends** (also its note, an SNS message and `registry/last_run/{project}_cost_guard.json`)

| outcome | meaning |
|---|---|
| `guarded` | something was stopped, started or deleted, or a version runs that nobody knows |
| `nothing_to_guard` | nothing was to be stopped, started or deleted, or a deployment is under way |
| `live_version_idle` | nobody asked the live version for `{project}__idle_alert_hours`: what it costs a day |
| `budget_exceeded` | the month costs more than `{project}__monthly_budget_usd`; notified again at each quarter more |
| a failed run | something could not be stopped, started or deleted; all else was done, and the next look tries again |
"""
