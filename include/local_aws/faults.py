"""Injected trouble: throttling, server errors, lost responses, slowness and denied buckets, for every service."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from include.local_aws.operations import Operation
from include.local_aws.settings import SettingError, json_object, optional_count

KINDS = ("throttle", "error", "lost_response", "slow")


@dataclass(frozen=True)
class Fault:
    """One rule of trouble.

    Parameters: `operation` is a glob on 'service.Operation', `kind` one of KINDS, `share` the part of the
    calls that are hit (0 to 1), `times` limits the hits to the first n, `seconds` is the delay of 'slow'.
    """

    operation: str
    kind: str
    share: float = 1.0
    times: int | None = None
    seconds: float = 0.0

    @classmethod
    def from_json(cls, value: object) -> Fault:
        """Read one rule; raises SettingError with what is wrong."""
        fields = json_object(value, "fault", {"operation", "kind", "share", "times", "seconds"})
        kind = fields.get("kind")
        if kind not in KINDS:
            raise SettingError(f"Fault kind {kind!r} is unknown: allowed are {', '.join(KINDS)}.")
        share, seconds = fields.get("share", 1.0), fields.get("seconds", 0.0)
        if not isinstance(share, (int, float)) or not 0 <= share <= 1:
            raise SettingError(f"'share' of the fault is {share!r}: expected a number from 0 to 1.")
        if not isinstance(seconds, (int, float)) or seconds < 0:
            raise SettingError(f"'seconds' of the fault is {seconds!r}: expected 0 or more.")
        return cls(
            operation=str(fields.get("operation", "*")),
            kind=kind,
            share=float(share),
            times=optional_count(fields.get("times"), "fault"),
            seconds=float(seconds),
        )


@dataclass(frozen=True)
class Denial:
    """Refuse S3 operations on a bucket with AccessDenied; both are globs."""

    bucket: str
    operation: str = "s3.*"

    @classmethod
    def from_json(cls, value: object) -> Denial:
        """Read one denial; raises SettingError with what is wrong."""
        fields = json_object(value, "denial", {"bucket", "operation"})
        if "bucket" not in fields:
            raise SettingError("The denial names no 'bucket'; use '*' for all.")
        return cls(str(fields["bucket"]), str(fields.get("operation", "s3.*")))


@dataclass(frozen=True)
class Trouble:
    """What befalls one call: a delay in seconds, and the kind of failure if any."""

    delay: float = 0.0
    kind: str | None = None


@dataclass
class _Live:
    """A rule in use, with its own random numbers so that rules do not disturb each other."""

    fault: Fault
    random: random.Random
    hits: int = field(default=0)

    def strikes(self, operation: str) -> bool:
        """Say whether the rule hits this call, and count it."""
        spent = self.fault.times is not None and self.hits >= self.fault.times
        if spent or not fnmatchcase(operation, self.fault.operation):
            return False
        if self.random.random() >= self.fault.share:
            return False
        self.hits += 1
        return True


class Faults:
    """The rules in force."""

    def __init__(self, seed: int, faults: list[Fault] | None = None) -> None:
        self._seed = seed
        self._initial = list(faults or [])
        self._lock = threading.Lock()
        self._rules: list[_Live] = []
        self._denials: list[Denial] = []
        self.set_faults(self._initial)

    def set_faults(self, faults: list[Fault]) -> None:
        """Replace the rules; their counts and random numbers start anew."""
        with self._lock:
            self._rules = [
                # Not for secrets: a seeded generator is what makes a faulty run repeatable.
                _Live(fault, random.Random(f"{self._seed}/{n}"))  # noqa: S311
                for n, fault in enumerate(faults)
            ]

    def set_denials(self, denials: list[Denial]) -> None:
        """Replace the denied buckets."""
        self._denials = list(denials)

    def reset(self) -> None:
        """Go back to the rules of the start."""
        self.set_faults(self._initial)
        self.set_denials([])

    @property
    def faults(self) -> list[dict[str, Any]]:
        """The rules, each with its number of hits."""
        with self._lock:
            return [{**vars(rule.fault), "hits": rule.hits} for rule in self._rules]

    @property
    def denials(self) -> list[dict[str, Any]]:
        """The denied buckets."""
        return [dict(vars(denial)) for denial in self._denials]

    def strike(self, operation: str) -> Trouble:
        """Decide what befalls a call of 'service.Operation': delays add up, the first failure wins."""
        delay, kind = 0.0, None
        with self._lock:
            for rule in self._rules:
                if kind is not None and rule.fault.kind != "slow":
                    continue
                if not rule.strikes(operation):
                    continue
                if rule.fault.kind == "slow":
                    delay += rule.fault.seconds
                else:
                    kind = rule.fault.kind
        return Trouble(delay, kind)

    def denies(self, operation: Operation) -> bool:
        """Say whether an S3 call is refused."""
        return operation.bucket is not None and self.denies_bucket(operation.bucket, operation.full_name)

    def denies_bucket(self, bucket: str, operation: str) -> bool:
        """Say whether 's3.Operation' is refused on `bucket`."""
        return any(
            fnmatchcase(bucket, denial.bucket) and fnmatchcase(operation, denial.operation) for denial in self._denials
        )
