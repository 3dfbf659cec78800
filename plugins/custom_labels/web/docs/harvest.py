"""What the Airflow UI shows as the documentation of the harvest DAG."""

from __future__ import annotations

HARVEST_DOC = """
### {project}: harvest the answers of people

Finds the reviews that have ended, reads what people said, and copies each image on which they agree to
`s3://{bucket}/{prefix}images_labeled_by_folder/<label>/`. The original stays where it is. When enough labelled images
came in, it triggers `{project}_train`.

It runs when messages wait in the queue of finished reviews, and every `{project}__harvest_poll_frequency` minutes,
when it lists all reviews since `reviews/watermark.json`, so that none is lost with a message.

**What becomes of an image** (`reviews/harvested/<day>/`, a line for each review, says it with all votes)

| fate | when |
|---|---|
| `copied` | `review_quorum` people agree, and more than half of all who answered |
| `asked_again` | they disagree, or nobody answered: one more person is asked |
| `undecided` | that was round `maximum_review_rounds` |
| `technical_failure` | the review failed before anybody could answer: the same people are asked again |
| `given_up` | likewise for the third time, while other reviews worked |
| `recorded` | it was only sampled (`train_on_audit_samples`) |
| `replaced`, `gone` | the image is not the one any more that people saw |
| `no_folder` | the label can be no folder's name |
| `lost` | the review holds no question of this project |

A person has one vote on an image, in however many rounds. "None of the above" counts like a label: such images go to
`reviews/none_of_the_above/`, to the label of that name if the version has one, or to the folder of the label
`none_of_the_above_label`. Where a folder exists whose name is the same to a person, images go there.

**When reviews fail** - a broken page, a role that may not read - that is no answer: it costs no round, and the day's
budget is given back. If all do, no more are opened (`reviews/halt.json`) but a probe after ten minutes, and after
pauses that are doubled up to six hours. A probe that works, or flows that `{project}_bootstrap` made anew, end that,
and all that failed are asked again.

**How a run ends**: `harvested`, `review_trouble` (reviews fail, and why) or `nothing_to_harvest`, also in the run's
note and in `registry/last_run/{project}_harvest_reviews.json`. Before that it opens the reviews that wait, within
`daily_review_budget`. What waits longer than `review_waiting_days`, or is beyond `maximum_waiting_reviews` and least
doubtful, is dropped; the outcome says how many were.

**By hand**: trigger it with *Trigger*. `from_the_beginning` looks at all reviews there ever were, should the ledger or
the watermark have been lost. A run may be cleared or killed at any point: an image has one copy, a review one end.
"""
