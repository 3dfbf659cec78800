"""How many AWS calls a part of the loop makes, as the embedded AWS counts them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from include.local_aws.process import Control

WATCHING = frozenset({"sqs.GetQueueAttributes"})
"""The triggers' looks at their queues: they go by the clock, not by images."""


@dataclass(frozen=True)
class CallCount:
    """Calls of each operation, watching apart."""

    calls: Mapping[str, int]

    @classmethod
    def now(cls, control: Control) -> CallCount:
        """Count all calls since the start of the embedded AWS."""
        return cls({name: counts["calls"] for name, counts in control.calls().items() if name not in WATCHING})

    def since(self, before: CallCount) -> CallCount:
        """Give the calls after an earlier count."""
        rest = {name: count - before.calls.get(name, 0) for name, count in self.calls.items()}
        return CallCount({name: count for name, count in rest.items() if count})

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.calls.values())

    def most(self, number: int = 4) -> str:
        """Name the most frequent ones."""
        first = sorted(self.calls.items(), key=lambda call: (-call[1], call[0]))[:number]
        return ", ".join(f"{name.partition('.')[2]} {count}" for name, count in first)
