"""Names that are derived, never random, so that a retry finds what an earlier try made."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime

PROJECT_TAG = "custom-labels-project"
"""Tag of all that is made at AWS for a project, with the project's name; the CloudFormation template sets it too."""
DAG_TAG = "custom-labels"
"""Tag in Airflow of all DAGs of ours."""
PROJECT_FILE = "the project's YAML file"
"""Where a user sets a project's bucket, region and queues, in the words of an error."""
PAGES = "/custom-labels"
"""Where Airflow's API server serves our own pages, below its own address."""
_NOT_ALLOWED = re.compile(r"[^a-zA-Z0-9_.\-]+")


def version_name(project: str, when: datetime, digest: str) -> str:
    """Derive a version's name from its project, the run's logical date and the snapshot's digest.

    VersionName is 1-255 characters of ``[a-zA-Z0-9_.\\-]`` (Rekognition API reference).

    :param when: the run's logical date, or the moment it was triggered where it has none.
    :param digest: the snapshot's digest, in hexadecimal.
    """
    stamp = when.astimezone(UTC).strftime("%Y%m%dT%H%M%S")
    return f"{_NOT_ALLOWED.sub('-', project)[:200]}-{stamp}-{digest[:12]}"


_NOT_IN_REVIEWS = re.compile(r"[^a-z0-9]+")
_HASH_CHARACTERS = 32
_ROUND = "-r"
_ATTEMPT = "x"
LAST_ATTEMPT = 99
"""Names hold no larger number: 63 characters less slug, hash and round leave three."""
_SLUG_CHARACTERS = 24


def slug(project: str) -> str:
    """Give a project's name in the characters of A2I's names: lowercase letters, digits and single dashes."""
    return _NOT_IN_REVIEWS.sub("-", project.lower()).strip("-")[:_SLUG_CHARACTERS].strip("-") or "project"


def review_name(project: str, key: str, etag: str, round_: int, *, audit: bool = False) -> str:
    """Derive a review's name, so that one image is asked about once a round, whoever asks and however often.

    HumanLoopName is 1-63 characters of ``[a-z0-9](-*[a-z0-9])*``, unique in an account and region (A2I runtime API
    reference). The project's whole name goes into the hash.

    :param key: relative to the project's prefix; ``etag`` without quotes.
    :param round_: from 1.
    :param audit: for the review of a sample, which is another question than that of a doubtful detection.
    """
    text = "\0".join((project, key, etag, *(["audit"] if audit else [])))
    return f"{slug(project)}-{hashlib.sha256(text.encode()).hexdigest()[:_HASH_CHARACTERS]}{_ROUND}{round_}"


def review_subject(name: str) -> str:
    """Give what the names of all rounds about one image have in common."""
    return name.rpartition(_ROUND)[0]


def in_round(name: str, round_: int, attempt: int = 1) -> str:
    """Give the name of another round's review about the same image.

    :param attempt: from 1; a review that failed holds its name for ever, so that the next one of its round has another.
    """
    return f"{review_subject(name)}{_ROUND}{round_}{f'{_ATTEMPT}{attempt}' if attempt > 1 else ''}"
