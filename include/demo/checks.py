"""The claims of the demo, each held against what AWS and Airflow say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from custom_labels.core.outcome import Outcome
from include.demo.evidence import AUDIT, DOUBT, Batch
from include.demo.local_cloud import ModelVersion
from include.demo.predict_caller import Calls, Posted
from include.demo.runs import Run

DEPLOYED = Outcome.DEPLOYED.words.capitalize()


@dataclass(frozen=True)
class Check:
    """One claim about the loop, and whether AWS or Airflow confirms it."""

    claim: str
    holds: bool


def check_version(number: int, run: Run, versions: Mapping[str, ModelVersion], serving: str) -> list[Check]:
    """Check that a run put the newest version into service.

    :param number: how many versions there must be.
    :param versions: all versions at AWS, the newest first.
    :param serving: name of the version in ``registry/live.json``.
    """
    newest = next(iter(versions.values()), None)
    name = newest.name if newest else "(there is none)"
    return [
        Check(f"Airflow: the run says '{DEPLOYED}'", run.note.startswith(f"{DEPLOYED}:")),
        Check(f"AWS: {number} trained so far, not one more", len(versions) == number),
        Check(f"AWS: {name} is RUNNING", newest is not None and newest.status == "RUNNING"),
        Check(f"S3: registry/live.json names {name}", newest is not None and serving == newest.name),
    ]


def check_swap(run: Run, versions: Mapping[str, ModelVersion], before: ModelVersion) -> list[Check]:
    """Check that a version replaced the one before, that it is better, and that nobody but an event asked for it."""
    newest = next(iter(versions.values()))
    old, new = before.f1 or 0.0, newest.f1 or 0.0
    replaced = versions.get(before.name)
    return [
        Check(f"Airflow: {run.dag_id} was triggered by an event, by no user", run.triggered_by_event),
        Check(
            f"AWS: {before.name}, which it replaced, is STOPPED", replaced is not None and replaced.status == "STOPPED"
        ),
        Check(f"AWS: F1 rose from {old:.3f} to {new:.3f}", new > old),
    ]


def check_decision(decision: Mapping[str, Any]) -> list[Check]:
    """Check that a version was judged beside the one that served, on the same images, and that every gate held."""
    images = (decision.get("same_images") or {}).get("images", 0)
    gates = decision.get("gates", ())
    return [
        Check(f"S3: both versions were judged on the same {images} test images", images > 0),
        Check(f"S3: every gate held ({len(gates)})", bool(gates) and all(gate["passed"] for gate in gates)),
    ]


def check_predict_api(before: Posted, calls: Calls, replaced: str, serving: str) -> list[Check]:
    """Check that the predict API followed the swap while it ran on, and refuses what is no image.

    :param before: what it answered before the swap, when the version ``replaced`` served.
    :param serving: name of the version in ``registry/live.json``.
    """
    raw, in_json = calls.raw, calls.in_json
    return [
        Check(
            f"Predict API: it answered by {before.version} before", (before.status, before.version) == (200, replaced)
        ),
        Check(
            f"Predict API: it answers by {raw.version} now, without a restart",
            (raw.status, raw.version) == (200, serving) and serving != replaced,
        ),
        Check(
            "Predict API: an image has the same predictions as bytes and in JSON",
            "predictions" in raw.body and raw.body == in_json.body,
        ),
        Check(
            "Predict API: text is refused with 415, and bytes that are no image with 400",
            (calls.wrong_type.status, calls.no_image.status) == (415, 400),
        ),
    ]


def check_costs(months: Sequence[Mapping[str, Any]], versions: Mapping[str, ModelVersion]) -> list[Check]:
    """Check that the ledger of costs knows every version, and that nothing runs but the one that serves.

    :param months: the ledgers of all months.
    """
    counted = {name for month in months for name in month["versions"]}
    total = sum(month["total_usd"] for month in months)
    running = [version.name for version in versions.values() if version.status == "RUNNING"]
    return [
        Check(f"S3: the ledger has both versions and comes to {total:.2f} USD", counted == set(versions)),
        Check("AWS: one version runs, not one more", len(running) == 1),
    ]


def check_detection(run: Run, batch: Batch, version: str) -> list[Check]:
    """Check that each image was put to the version once."""
    found = Counter(result.name for result in batch.results)
    by = {result.version_name for result in batch.results}
    return [
        Check(f"Airflow: {run.dag_id} was triggered by an event, by no user", run.triggered_by_event),
        Check(f"S3: {batch.size} images, one result each", found == Counter(batch.truth.keys())),
        Check(f"S3: every result is by {version}", by == {version}),
    ]


def check_reviews(run: Run, batch: Batch, queued: Mapping[str, int], wrong: int | None, place: str) -> list[Check]:
    """Check that people were asked once about each image and purpose, and that each answer is filed where it belongs.

    :param queued: messages left in each queue, those included that a consumer holds; the claim is that there are none.
    :param wrong: wrong answers that the simulated people say they gave, ``None`` for people of flesh and blood.
    :param place: the review backend.
    """
    asked = Counter((review.name, review.purpose) for review in batch.reviews)
    for_doubt = sum(review.purpose == DOUBT for review in batch.reviews)
    audits = [review for review in batch.reviews if review.purpose == AUDIT]
    left = ", ".join(f"{name} {number}" for name, number in queued.items())
    checks = [
        Check(f"Airflow: {run.dag_id} was triggered by an event, by no user", run.triggered_by_event),
        Check(f"{place}: {for_doubt} reviews for {batch.doubtful} doubtful results", for_doubt == batch.doubtful),
        Check(f"{place}: {len(audits)} reviews of samples, doubtful or not", bool(audits)),
        Check(
            f"{place}: at most one review an image for its doubt, and one as a sample",
            max(asked.values(), default=0) == 1,
        ),
        Check(f"{place}: all are completed", all(review.is_completed for review in batch.reviews)),
        Check(
            f"S3: {batch.to_be_filed().total()} doubtful images filed, each once, {batch.reading.filed}",
            batch.filed() == batch.to_be_filed(),
        ),
        Check(f"SQS: messages left: {left}", not any(queued.values())),
    ]
    if wrong is not None:
        checks.append(
            Check(
                f"{place}: {batch.wrong_answers} answers are not the truth, as people erred",
                batch.wrong_answers == wrong,
            )
        )
    return checks


def check_improvement(doubt: Sequence[float], accuracy: Sequence[float | None]) -> list[Check]:
    """Check that the second version doubts less than the first, and that people find it right more often.

    :param doubt: share of its images that each version sent to people, 0 to 1.
    :param accuracy: each version's live accuracy by the audit, 0 to 1; ``None`` where there is none.
    """
    before, after = (share or 0.0 for share in accuracy)
    return [
        Check(
            f"S3: the share of images sent to people fell from {doubt[0]:.0%} to {doubt[1]:.0%}", doubt[1] < doubt[0]
        ),
        Check(f"Audit: live accuracy rose from {before:.1%} to {after:.1%}", None not in accuracy and after > before),
    ]
