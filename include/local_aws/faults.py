"""Injected trouble for every service: throttling, errors, lost responses, slowness, held calls and denied buckets."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from include.local_aws.settings import SettingError, json_object, optional_count

KINDS = ("throttle", "error", "lost_response", "slow", "hold_before", "hold_after")
HOLDS = ("hold_before", "hold_after")
_LOOK_SECONDS = 0.01


@dataclass(frozen=True)
class Fault:
    """One rule of trouble.

    Parameters: `operation` is a glob on 'service.Operation', `kind` one of KINDS, `share` the part of the
    calls that are hit (0 to 1), `times` limits the hits to the first n, `seconds` is the delay of 'slow',
    `subject` is a glob on what the call is about, `nth` which of the calls a hold waits for.
    """

    operation: str
    kind: str
    share: float = 1.0
    times: int | None = None
    seconds: float = 0.0
    subject: str = "*"
    nth: int = 1

    @classmethod
    def from_json(cls, value: object) -> Fault:
        """Read one rule; raises SettingError with what is wrong."""
        fields = json_object(value, "fault", {"operation", "kind", "share", "times", "seconds", "subject", "nth"})
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
            subject=str(fields.get("subject", "*")),
            nth=optional_count(fields.get("nth"), "fault", "nth") or 1,
        )


@dataclass(frozen=True)
class Denial:
    """Refuse S3 operations on a bucket, or on objects in it; all but `code`, S3's error code, are globs."""

    bucket: str
    operation: str = "s3.*"
    key: str = "*"
    code: str = "AccessDenied"

    @classmethod
    def from_json(cls, value: object) -> Denial:
        """Read one denial; raises SettingError with what is wrong."""
        fields = json_object(value, "denial", {"bucket", "operation", "key", "code"})
        if "bucket" not in fields:
            raise SettingError("The denial names no 'bucket'; use '*' for all.")
        return cls(**{name: str(field) for name, field in fields.items()})

    def refuses(self, bucket: str, operation: str, key: str) -> bool:
        """Say whether it is about this call; one about some objects says nothing of calls without a key."""
        pairs = ((bucket, self.bucket), (operation, self.operation), (key, self.key))
        return all(fnmatchcase(value, pattern) for value, pattern in pairs)


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

    def strikes(self, operation: str, subject: str) -> bool:
        """Say whether the rule hits this call, and count it."""
        spent = self.fault.times is not None and self.hits >= self.fault.times
        meant = fnmatchcase(operation, self.fault.operation) and fnmatchcase(subject, self.fault.subject)
        if spent or not meant:
            return False
        if self.random.random() >= self.fault.share:
            return False
        self.hits += 1
        return True


class Held:
    """The calls that a hold keeps waiting, until it is lifted or nobody waits for their answers any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lifted = threading.Event()
        self._calls: list[dict[str, str]] = []

    def wait(self, call: dict[str, str], is_client_gone: Callable[[], bool]) -> bool:
        """Keep a call waiting; returns whether its client is still there.

        Parameters: `call` is what is shown of it, `is_client_gone` is asked again and again.
        """
        with self._lock:
            lifted = self._lifted
            self._calls.append(call)
        while not is_client_gone() and not lifted.wait(_LOOK_SECONDS):
            pass
        with self._lock:
            self._calls = [other for other in self._calls if other is not call]
        return not is_client_gone()

    def let_go(self) -> None:
        """Let every call that is held now go on."""
        with self._lock:
            lifted, self._lifted = self._lifted, threading.Event()
        lifted.set()

    def to_json(self) -> list[dict[str, str]]:
        """Return the calls that are held, the first first."""
        with self._lock:
            return list(self._calls)


class Faults:
    """The rules in force."""

    def __init__(self, seed: int, faults: list[Fault] | None = None) -> None:
        self._seed = seed
        self._initial = list(faults or [])
        self._lock = threading.Lock()
        self.held = Held()
        self._rules: list[_Live] = []
        self._holding = False
        self._denials: list[Denial] = []
        self.set_faults(self._initial)

    def set_faults(self, faults: list[Fault]) -> None:
        """Replace the rules; their counts and random numbers start anew, and what is held goes on."""
        self.held.let_go()
        with self._lock:
            self._holding = False
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

    def strike(self, operation: str, subject: str = "", *, changes: bool = True) -> Trouble:
        """Decide what befalls a call of 'service.Operation': delays add up, the first failure wins.

        Once a hold has met its call, every other call that `changes` something is held before its effect.
        """
        delay, kind = 0.0, None
        with self._lock:
            for rule in self._rules:
                if not self._is_asked(rule.fault.kind, kind, changes=changes):
                    continue
                if not rule.strikes(operation, subject):
                    continue
                if rule.fault.kind == "slow":
                    delay += rule.fault.seconds
                elif rule.fault.kind not in HOLDS:
                    kind = rule.fault.kind
                elif rule.hits >= rule.fault.nth:
                    kind = rule.fault.kind if rule.hits == rule.fault.nth else "hold_before"
                    self._holding = True
            if self._holding and changes and kind is None:
                kind = "hold_before"
        return Trouble(delay, kind)

    @staticmethod
    def _is_asked(rule: str, kind: str | None, *, changes: bool) -> bool:
        if rule in HOLDS and not changes:
            return False
        return kind is None or rule == "slow"

    def denial(self, bucket: str | None, operation: str, key: str = "") -> Denial | None:
        """Return why 's3.Operation' is refused on a bucket or an object in it, None if it is not."""
        if bucket is None:
            return None
        return next((denial for denial in self._denials if denial.refuses(bucket, operation, key)), None)
