"""What is kept of human sampling: how far the log of detections was gone through, the samples, and their answers."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, fields
from datetime import datetime

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.names import review_subject
from custom_labels.detection.detection import Decision, Detection
from custom_labels.detection.detection_records import LogPosition, read_log
from custom_labels.operations.audit import (
    Accuracy,
    AccuracyFile,
    AuditAnswer,
    AuditSample,
    Stratum,
    every_nth,
    is_all_right,
    judge_sample,
)
from custom_labels.review.harvest_records import read_ledger
from custom_labels.review.review import Agreement
from custom_labels.s3.line_files import read_folder, write_lines
from custom_labels.s3.store import S3Store

CURSOR = "audit/cursor.json"
SAMPLES = "audit/samples/"
ACCURACY = "audit/accuracy.json"

Counts = tuple[int, int, int]
"""Samples, those of them that are answered, those of them that were right."""
MAXIMUM_SAMPLES = 1000
"""Samples drawn by one run at most; the next one goes on behind them."""


@dataclass(frozen=True)
class Cursor:
    """How far the log was gone through.

    :param position: behind the last detection that was counted, ``None`` at the log's beginning.
    :param seen: detections counted since the last sample.
    :param draws: how often samples were drawn; names the next file of samples.
    """

    position: LogPosition | None = None
    seen: int = 0
    draws: int = 0


@dataclass(frozen=True)
class Draw:
    """The detections that one run samples.

    :param cursor: the one that the draw began at, and ``etag`` its object's; ``after`` is the one behind it.
    :param detections: how many were gone through.
    """

    cursor: Cursor
    etag: str | None
    after: Cursor
    sampled: tuple[Detection, ...]
    detections: int

    @property
    def name(self) -> str:
        """Name the draw; a repeated one has the same name."""
        return f"{self.cursor.draws:08d}"


def draw(store: S3Store, interval: int, until: datetime) -> Draw:
    """Pick every n-th detection behind the cursor; nothing is written.

    Images that Custom Labels could not read are no detections.

    :param until: detections logged from then on are left to the next run.
    """
    value, etag = store.read_json(CURSOR)
    cursor = from_json(Cursor, value) if value else Cursor()
    position, seen, count = cursor.position, cursor.seen, 0
    sampled: list[Detection] = []
    log = (entry for entry in read_log(store, cursor.position, until) if entry[1].decision is not Decision.UNREADABLE)
    for (position, detection), is_marked, seen in every_nth(log, interval, seen=cursor.seen):  # noqa: B007
        count += 1
        if is_marked:
            sampled.append(detection)
            if len(sampled) == MAXIMUM_SAMPLES:
                break
    after = Cursor(position, seen, cursor.draws + bool(sampled))
    return Draw(cursor, etag, after, tuple(sampled), count)


def save_draw(store: S3Store, drawn: Draw, samples: Iterable[AuditSample]) -> None:
    """Record a draw's samples, then move the cursor behind it.

    Their reviews must have been asked for before: a run that is killed in between draws the same samples again.

    :raises ObjectChanged: another run moved the cursor meanwhile; likewise ``ObjectExists``.
    """
    if drawn.sampled:
        write_lines(store, f"{SAMPLES}{drawn.name}.jsonl", (to_json(sample) for sample in samples))
    if drawn.after != drawn.cursor:
        store.write_if_unchanged(CURSOR, to_json(drawn.after), drawn.etag)


def read_accuracy(store: S3Store) -> AccuracyFile | None:
    """Read how often each version was right by the last count; ``None`` before the first."""
    value, _ = store.read_json(ACCURACY)
    return from_json(AccuracyFile, value) if value else None


def write_accuracy(store: S3Store, accuracy: AccuracyFile) -> None:
    """Write it."""
    store.write_json(ACCURACY, to_json(accuracy))


def measure(store: S3Store) -> list[Accuracy]:
    """Join all samples with their answers, and count right ones, a version and what it had predicted.

    A sample without an answer that people agree on is counted as sampled only. A temporary SQLite file joins them, so
    that memory does not grow with the reviews of years.

    :return: for each version, sorted by name, the overall accuracy first, then one for each label it had predicted.
    """
    counts: dict[tuple[str, str | None, bool], dict[bool, Counts]] = {}
    with closing(sqlite3.connect("")) as database:
        database.executescript(
            "CREATE TABLE sample (subject PRIMARY KEY, text);CREATE TABLE answer (subject PRIMARY KEY, text);"
        )
        database.executemany("INSERT OR REPLACE INTO sample VALUES (?, ?)", _samples(store))
        database.executemany("INSERT OR REPLACE INTO answer VALUES (?, ?)", _answers(store))
        for sampled, answered in database.execute(
            "SELECT sample.text, answer.text FROM sample LEFT JOIN answer USING (subject)"
        ):
            sample = from_json(AuditSample, json.loads(sampled))
            answer = from_json(AuditAnswer, json.loads(answered)) if answered else None
            verdicts = {(label, False): is_right for label, is_right in judge_sample(sample, answer).items()}
            for key, is_right in {(None, True): is_all_right(sample, answer), **verdicts}.items():
                strata = counts.setdefault((sample.version_name, *key), {})
                before = strata.get(sample.is_doubtful, (0, 0, 0))
                strata[sample.is_doubtful] = (before[0] + 1, before[1] + bool(answer), before[2] + is_right)
    accuracies = (
        Accuracy(version, label, is_overall, tuple(Stratum(doubt, *strata[doubt]) for doubt in sorted(strata)))
        for (version, label, is_overall), strata in counts.items()
    )
    return sorted(
        accuracies, key=lambda one: (one.version_name, not one.is_overall, one.label is None, one.label or "")
    )


def _samples(store: S3Store) -> Iterator[tuple[str, str]]:
    for file in read_folder(store, SAMPLES):
        for sample in file.records:
            yield review_subject(sample["review"]), json.dumps(sample)


def _answers(store: S3Store) -> Iterator[tuple[str, str]]:
    for file in read_ledger(store):
        for line in file.records:
            if line["agreement"] in {Agreement.AGREED, Agreement.NONE_FITS}:
                # Of an image that shows nothing the ledger may have the label for such images, which nobody predicted.
                names = [each.name for each in fields(AuditAnswer)] if line["agreement"] == Agreement.AGREED else []
                answer = {name: line[name] for name in names if name in line}
                yield review_subject(line["request"]["name"]), json.dumps(answer)
