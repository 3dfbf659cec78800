"""Names that are derived, never random, so that a retry finds what an earlier try made."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_NOT_ALLOWED = re.compile(r"[^a-zA-Z0-9_.\-]+")


def version_name(project: str, when: datetime, digest: str) -> str:
    """Derive a version's name from its project, the run's logical date and the snapshot's digest.

    VersionName is 1-255 characters of ``[a-zA-Z0-9_.\\-]`` (Rekognition API reference).

    :param when: the run's logical date, or the moment it was triggered where it has none.
    :param digest: the snapshot's digest, in hexadecimal.
    """
    stamp = when.astimezone(UTC).strftime("%Y%m%dT%H%M%S")
    return f"{_NOT_ALLOWED.sub('-', project)[:200]}-{stamp}-{digest[:12]}"
