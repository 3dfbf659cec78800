"""When S3 objects were last modified, as a test wants it: so that a bucket has a past."""

from __future__ import annotations

from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from include.local_aws.objects import ACCOUNT
from include.local_aws.settings import SettingError

_MEMBERS = ("bucket", "key", "last_modified")


class Dates:
    """Sets the LastModified of objects that are there; one that is written later has the time of its writing."""

    def __init__(self) -> None:
        self._changed = 0

    def set(self, rules: list[Any]) -> None:
        """Set the dates of the objects whose bucket and key match, the last rule that does counts."""
        self._changed = 0
        moments = [_moment(rule) for rule in rules]
        for rule, moment in zip(rules, moments, strict=True):
            self._apply(rule, moment)

    def to_json(self) -> dict[str, int]:
        """Say how many objects the last change was about."""
        return {"changed": self._changed}

    def _apply(self, rule: dict[str, Any], moment: datetime) -> None:
        from moto.s3.models import s3_backends

        buckets = s3_backends[ACCOUNT]["aws"].buckets
        for bucket in [found for name, found in buckets.items() if fnmatchcase(name, rule["bucket"])]:
            for key in [found for name, found in bucket.keys.items() if fnmatchcase(name, rule["key"])]:
                key.last_modified = moment
                self._changed += 1


def _moment(rule: Any) -> datetime:
    """Read the time of a rule."""
    if not isinstance(rule, dict) or sorted(rule) != sorted(_MEMBERS):
        raise SettingError(f"A date is {rule!r}: expected an object with {', '.join(_MEMBERS)}.")
    try:
        moment = datetime.fromisoformat(rule["last_modified"])
    except (TypeError, ValueError):
        moment = None
    if moment is None or moment.tzinfo is None:
        raise SettingError(
            f"'last_modified' of the date is {rule['last_modified']!r}: expected ISO 8601 with a time zone, such as "
            "2026-10-05T00:00:00+00:00."
        )
    return moment
