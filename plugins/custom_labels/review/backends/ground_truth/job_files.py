"""What lies in the bucket for a project's labeling jobs: what each reads and writes, and which job has which review."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from custom_labels.core.codec import from_json
from custom_labels.core.keys import LABELING_JOBS, LABELING_OUTPUT, LABELING_REVIEWS
from custom_labels.core.records import Record
from custom_labels.review.backends.ground_truth.job import Batch
from custom_labels.review.review import ReviewRequest
from custom_labels.s3.line_files import list_keys, read_lines, read_records, write_lines
from custom_labels.s3.store import S3Store

THREADS = 8
_REMEMBERED = 100
"""Manifests that are kept in memory."""
_RESPONSE = re.compile(
    rf"{re.escape(LABELING_OUTPUT)}([^/]+)/annotations/worker-response/iteration-\d+/(\d+)/[^/]+\.json"
)
"""Where Ground Truth writes what each person said of an image: its place in the manifest is the folder's name. Read in
public programs that use it; the guide names the folder and not what is in it."""


@dataclass(frozen=True)
class ResponseKey:
    """Where the answers to one review are: the job, and the review's place in its manifest, from 0."""

    job: str
    index: int


@dataclass(frozen=True)
class CancelledReviews:
    """Reviews of a job that nobody waits for any more."""

    names: tuple[str, ...] = ()


class JobFiles:
    """The files of one project's jobs."""

    def __init__(self, store: S3Store) -> None:
        self.store = store
        self.requests = lru_cache(_REMEMBERED)(self._read_requests)

    @property
    def output(self) -> str:
        """The ``s3://`` URI that jobs write below."""
        return self.store.uri(LABELING_OUTPUT).rstrip("/")

    def uri(self, job: str, name: str) -> str:
        """Give the ``s3://`` URI of a file that a job reads."""
        return self.store.uri(f"{LABELING_JOBS}{job}/{name}")

    def write(self, job: str, batch: Batch, template: str) -> None:
        """Write what a job reads; the same batch and settings give the same files."""
        folder = f"{LABELING_JOBS}{job}/"
        write_lines(self.store, f"{folder}input.manifest", batch.lines())
        categories = json.dumps(batch.category_file(), ensure_ascii=False).encode()
        self.store.call("put_object", f"{folder}categories.json", Body=categories, ContentType="application/json")
        page = template.encode()
        self.store.call("put_object", f"{folder}page.liquid.html", Body=page, ContentType="text/html")

    def claim(self, names: Iterable[str], job: str) -> None:
        """Record that a job asks these reviews, before it is created: so that no other job asks them again."""
        claim = json.dumps({"job": job}).encode()
        with ThreadPoolExecutor(THREADS) as pool:
            written = pool.map(
                lambda name: self.store.call("put_object", f"{LABELING_REVIEWS}{name}.json", Body=claim), names
            )
            list(written)

    def claims(self, names: Collection[str]) -> dict[str, str]:
        """Give the job of each review that has one."""
        found = read_records(self.store, LABELING_REVIEWS, sorted(names)) if names else {}
        return {name: str(record["job"]) for name, record in found.items()}

    def _read_requests(self, job: str) -> tuple[ReviewRequest, ...]:
        file = read_lines(self.store, f"{LABELING_JOBS}{job}/input.manifest")
        return tuple(from_json(ReviewRequest, line["review"]) for line in file.records) if file else ()

    def cancelled(self, job: str) -> frozenset[str]:
        """Name the reviews of a job that were cancelled."""
        record = self._cancelled(job).read(self.store)
        return frozenset(record.names) if record else frozenset()

    def cancel(self, job: str, names: Iterable[str]) -> None:
        """Record that reviews of a job are cancelled."""

        def more(present: CancelledReviews | None) -> CancelledReviews:
            return CancelledReviews(tuple(sorted({*(present.names if present else ()), *names})))

        self._cancelled(job).change(self.store, more)

    def _cancelled(self, job: str) -> Record[CancelledReviews]:
        return Record(f"{LABELING_JOBS}{job}/cancelled.json", CancelledReviews)

    def responses(self, job: str) -> dict[int, str]:
        """Find the answers that a job has written: relative keys by the places of the reviews in its manifest."""
        folder = f"{LABELING_OUTPUT}{job}/annotations/worker-response/"
        keys = (key for page in list_keys(self.store, folder) for key in page)
        return {place.index: key for key in keys if (place := response_place(key))}

    def output_lines(self, job: str) -> tuple[Mapping[str, Any], ...]:
        """Read a job's output manifest; there are no lines before it is written."""
        file = read_lines(self.store, self.output_key(job))
        return file.records if file else ()

    def output_key(self, job: str) -> str:
        """Give the key of a job's output manifest."""
        return f"{LABELING_OUTPUT}{job}/manifests/output/output.manifest"

    def read_answers(self, key: str) -> Sequence[Any]:
        """Read what each person said of one image."""
        content, _ = self.store.read_json(key)
        answers = content.get("answers") if isinstance(content, dict) else None
        return answers if isinstance(answers, list) else []


def response_place(key: str) -> ResponseKey | None:
    """Say whose answers a key, relative to the project's prefix, holds; ``None`` for another file of a job."""
    hit = _RESPONSE.fullmatch(key)
    return ResponseKey(hit[1], int(hit[2])) if hit else None


def job_of_output(key: str) -> str | None:
    """Name the job that a key, relative to the project's prefix, is written by; ``None`` for any other key."""
    job, slash, _ = key.removeprefix(LABELING_OUTPUT).partition("/")
    return job if slash and key.startswith(LABELING_OUTPUT) else None
