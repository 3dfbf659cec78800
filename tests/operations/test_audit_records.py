"""Samples are drawn once each, wherever a run was killed, and joined with what people said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.aws.predictions import Box, DetectedLabel
from custom_labels.core.codec import to_json
from custom_labels.core.names import review_name
from custom_labels.detection.detection import Decision
from custom_labels.detection.detection_records import write_log
from custom_labels.operations import audit_records
from custom_labels.operations.audit import AuditSample, Stratum
from custom_labels.operations.audit_records import draw, measure, save_draw
from custom_labels.review.harvest_records import HARVESTED
from custom_labels.s3.line_files import write_lines
from custom_labels.s3.store import ObjectChanged, ObjectExists, S3Store
from tests.detection.test_log_records import detection
from tests.kit.support import BUCKET, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws


@pytest.fixture
def store(aws: LocalAws) -> S3Store:
    s3(aws).create_bucket(Bucket=BUCKET)
    return S3Store(BUCKET)


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=1)


def logged(store: S3Store, start: int, count: int) -> None:
    write_log(store, f"run-{start}", [detection(f"{number:04d}.png") for number in range(start, start + count)])


def sampled(store: S3Store, interval: int) -> list[str]:
    """Draw and keep, as a run does; give the images."""
    drawn = draw(store, interval, soon())
    save_draw(store, drawn, [sample(each.key) for each in drawn.sampled])
    return [each.key for each in drawn.sampled]


def sample(key: str, version: str = "v1", label: str | None = "rows", *, is_doubtful: bool = False) -> AuditSample:
    name = review_name("digits", key, "e", 1, audit=True)
    return AuditSample(name, f"s3://{BUCKET}/{key}", version, label, 90.0, is_doubtful)


def harvested(store: S3Store, name: str, *answers: tuple[str, str, str | None], round_: int = 1) -> None:
    lines: list[dict[str, Any]] = [
        {
            "request": {"name": review_name("digits", key, "e", round_, audit=True)},
            "agreement": agreement,
            "label": label,
        }
        for key, agreement, label in answers
    ]
    write_lines(store, f"{HARVESTED}2026-11-21/{name}.jsonl", lines)


def test_every_nth_detection_is_drawn_across_files_and_runs(store: S3Store) -> None:
    logged(store, 1, 5)
    first = sampled(store, 3)
    logged(store, 6, 2)
    second = sampled(store, 3)
    logged(store, 8, 7)

    assert [first, second, sampled(store, 3)] == [["0003.png"], ["0006.png"], ["0009.png", "0012.png"]]


def test_more_detections_than_any_page_of_a_database_holds_are_counted(store: S3Store) -> None:
    """Sampling asked a database for so many rows in one answer, which never came for large intervals."""
    for start in range(0, 2400, 200):
        logged(store, start, 200)

    assert sampled(store, 1500) == ["1499.png"]
    assert draw(store, 1500, soon()).cursor.seen == 900


def test_a_draw_that_was_not_kept_is_drawn_again(store: S3Store) -> None:
    logged(store, 1, 4)
    killed = draw(store, 2, soon())

    again = draw(store, 2, soon())

    assert (again.name, again.sampled) == (killed.name, killed.sampled)
    save_draw(store, again, [])
    with pytest.raises((ObjectChanged, ObjectExists)):
        save_draw(store, replace(killed, after=replace(killed.after, seen=1)), [])


def test_an_image_that_cannot_be_read_is_no_detection(store: S3Store) -> None:
    write_log(store, "run", [replace(detection("a.png"), decision=Decision.UNREADABLE), detection("b.png")])

    assert sampled(store, 1) == ["b.png"]


def test_one_run_draws_no_more_than_it_can_hold(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_records, "MAXIMUM_SAMPLES", 2)
    logged(store, 1, 5)

    assert [sampled(store, 1) for _ in range(4)] == [
        ["0001.png", "0002.png"],
        ["0003.png", "0004.png"],
        ["0005.png"],
        [],
    ]


def test_answers_make_an_accuracy_a_version_and_a_label(store: S3Store) -> None:
    samples = [
        sample("right.png"),
        sample("wrong.png"),
        sample("tie.png"),
        sample("open.png"),
        sample("nothing.png", label=None, is_doubtful=True),
        sample("other.png", version="v2", label="columns"),
    ]
    write_lines(store, f"{audit_records.SAMPLES}00000000.jsonl", [to_json(each) for each in samples])
    harvested(store, "one", ("right.png", "agreed", "rows"), ("wrong.png", "agreed", "columns"))
    harvested(store, "two", ("tie.png", "disagreed", None), ("nothing.png", "none_fits", None))
    harvested(store, "three", ("other.png", "agreed", "columns"), ("unknown.png", "agreed", "rows"))

    found = {(one.version_name, one.is_overall, one.label): one for one in measure(store)}

    counts = {key: (one.sampled, one.answered, one.right) for key, one in found.items()}
    assert counts == {
        ("v1", True, None): (5, 3, 2),
        ("v1", False, "rows"): (4, 2, 1),
        ("v1", False, None): (1, 1, 1),
        ("v2", True, None): (1, 1, 1),
        ("v2", False, "columns"): (1, 1, 1),
    }
    assert found["v1", True, None].strata == (Stratum(False, 4, 2, 1), Stratum(True, 1, 1, 1))
    assert found["v1", True, None].share == pytest.approx(0.8 * 0.5 + 0.2 * 1)


def test_an_answer_of_a_further_round_settles_a_tie(store: S3Store) -> None:
    write_lines(store, f"{audit_records.SAMPLES}00000000.jsonl", [to_json(sample("tie.png"))])
    harvested(store, "one", ("tie.png", "disagreed", None))
    harvested(store, "two", ("tie.png", "agreed", "rows"), round_=2)

    assert measure(store)[0].right == 1


def test_samples_of_boxes_are_judged_by_the_boxes_that_people_drew(store: S3Store) -> None:
    bee, wasp = DetectedLabel("bee", 90, Box(0.1, 0.1, 0.2, 0.2)), DetectedLabel("wasp", 80, Box(0.6, 0.6, 0.2, 0.2))
    keys = ("right.png", "half.png", "nothing.png", "open.png")
    samples = [replace(sample(key, label="bee"), found=(bee, wasp)) for key in keys]
    write_lines(store, "audit/samples/00000000.jsonl", map(to_json, samples))
    drawn = [
        {"label": label, "left": place, "top": place, "width": 20, "height": 20, "confidence": 1}
        for label, place in (("bee", 10), ("wasp", 60))
    ]
    answers: list[dict[str, Any]] = [
        {"agreement": "agreed", "boxes": drawn},
        {"agreement": "agreed", "boxes": drawn[:1]},
        {"agreement": "none_fits", "labels": ["the label of images that show none"]},
    ]
    common = {"label": None, "size": {"width": 100, "height": 100, "depth": 3}}
    ledger = [
        {"request": {"name": review_name("digits", key, "e", 1, audit=True)}, **common, **answer}
        for key, answer in zip(keys, answers, strict=False)
    ]
    write_lines(store, f"{HARVESTED}2026-11-21/one.jsonl", ledger)

    overall, *by_label = measure(store)

    assert (overall.sampled, overall.answered, overall.right) == (4, 3, 1)
    assert [(each.label, each.sampled, each.answered, each.right) for each in by_label] == [
        ("bee", 4, 3, 2),
        ("wasp", 4, 3, 1),
    ]
