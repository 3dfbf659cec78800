"""What the Airflow UI shows as the documentation of the bootstrap DAG."""

from __future__ import annotations

BOOTSTRAP_DOC = """
### {project}: make what can be made, check the rest

Trigger it once when a project is new, and again whenever `review` in its file, the task page or the number of reviewers
changes. It may be run as often as you like: what is there is adopted.

**It makes** the Custom Labels project `{project}`; the page on which people review and its flows at Amazon A2I, named
by a hash of their content, since A2I cannot change either. Flows that are replaced stay in `registry/review.json`, so
that reviews opened with them are still harvested.

**It checks** - and never changes - all settings, the bucket `s3://{bucket}/{prefix}` (read, write, CORS for the worker
portal), the SNS topic, the queues, the review role, the workteam and its flows, and what feeds the queues: the bucket's
notifications, a topic or an EventBridge rule that they go by, and the rule that announces finished reviews. A
notification without the inbox as its prefix is wrong: it announces what the project writes itself. It renders the page
once for each kind of question with an image of the project (or one of its own, `registry/bootstrap.png`), and reads the
image by the page's link. Whatever the project file does not name is not looked at. All of it is looked at before the
task `check_everything` fails, with every problem and its way out in one message.
`include/infra/custom-labels-project.yaml` makes everything but the workteam.

**Pools** can be seen by the scheduler alone, which never starts a task whose pool is missing. So `use_pool` and
`use_detection_pool` take a slot of those that the project file names, and what waits a minute for one is a problem that
`check_everything` names; the run then goes on as soon as the pool is added, or ends after two hours. On every run of
this package the scheduler notes which tasks wait for a pool that is missing.

**The page** shows the image, the labels and "None of the above", the instructions of the project file, and what the
model says with its confidence - but not in an audit, which the guess would sway. A2I documents ten categories at most
for its image classifier; its samples pass more. Name a copy of
`plugins/custom_labels/review/backends/a2i/image_review.liquid.html` as `template` in `review` to change the page.

**How a run ends**: `ready`, or failed.
"""
