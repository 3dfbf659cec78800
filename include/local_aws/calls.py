"""Count the calls of each operation: how many came, which errors they got, how many had an effect."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any


class Calls:
    """Counts since the start or the last clear."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Start counting anew."""
        with self._lock:
            self._calls: Counter[str] = Counter()
            self._effects: Counter[str] = Counter()
            self._errors: dict[str, Counter[str]] = {}

    def record(self, operation: str, error: str | None, *, effect: bool) -> None:
        """Count one call of 'service.Operation'.

        `effect` says whether the service did what was asked: true for a lost response too.
        """
        with self._lock:
            self._calls[operation] += 1
            self._effects[operation] += effect
            if error is not None:
                self._errors.setdefault(operation, Counter())[error] += 1

    def put_back(self, counts: dict[str, Any]) -> None:
        """Count on from what :meth:`to_json` returned."""
        with self._lock:
            self._calls = Counter({name: count["calls"] for name, count in counts.items()})
            self._effects = Counter({name: count["effects"] for name, count in counts.items()})
            self._errors = {name: Counter(count["errors"]) for name, count in counts.items() if count["errors"]}

    def to_json(self) -> dict[str, Any]:
        """Return {operation: {"calls": n, "errors": {code: n}, "effects": n}}."""
        with self._lock:
            return {
                operation: {
                    "calls": count,
                    "errors": dict(self._errors.get(operation, {})),
                    "effects": self._effects[operation],
                }
                for operation, count in sorted(self._calls.items())
            }
