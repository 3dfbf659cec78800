"""What the Airflow UI shows as the documentation of the scale DAG."""

from __future__ import annotations

SCALE_DOC = """
### {project}: change the inference units of the live version

Change the Variables `{project}__minimum_inference_units` and `{project}__maximum_inference_units`, which every later
start heeds, then trigger this DAG; its Params of the same names are for one run only. Where the live version runs with
other units it is stopped, started with the wanted ones, and asked about known images. AWS changes units no other way.

**Nothing serves meanwhile**, usually for some minutes; images wait and are labelled later. There is no way without that
for one and the same version: two versions can run side by side, one version runs once. Where it must not be, change the
Variables and roll back twice, the second time to this version by its name, with a place of the quota free and
`keep_replaced_hours` at 0: each version starts with the new units while the other one serves.

**How a run ends** is what task `finish` returns (also the run's note, an SNS message and
`registry/last_run/{project}_scale.json`)

| outcome | meaning |
|---|---|
| `scaled` | the version runs with other units; for how long nothing served |
| `nothing_to_scale` | it runs as wanted, or does not run and starts with them the next time |
| a failed run | it serves with the units that it had, started again by task `restart_live` |

If `restart_live` fails as well, nothing serves: do what AWS's words ask for, then trigger this DAG again.
"""
