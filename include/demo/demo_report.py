"""What the report of every demo has: the claims and whether they hold, what to look at, and the same as JSON."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from include.demo.checks import Check
from include.demo.runs import Run


@dataclass(frozen=True, kw_only=True)
class DemoReport(ABC):
    """What a demo did.

    :param examined: what is counted on images that no training ever sees, in words.
    :param compared: what the F1 scores may be compared with, if anything.
    :param urls: what to look at, by name.
    :param seconds: from the start of the demo to the end of the story.
    """

    examined: str
    compared: str
    checks: tuple[Check, ...]
    runs: tuple[Run, ...]
    urls: Mapping[str, str]
    seconds: float

    @property
    def problems(self) -> list[str]:
        """The claims that do not hold."""
        return [check.claim for check in self.checks if not check.holds]

    @property
    def closed(self) -> bool:
        """Whether the loop closed: each claim holds."""
        return bool(self.checks) and not self.problems

    @abstractmethod
    def story(self) -> dict[str, Any]:
        """Give what only this demo tells as JSON types."""

    @abstractmethod
    def show(self, console: Console) -> None:
        """Print it."""

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON types."""
        return {
            "closed": self.closed,
            "problems": self.problems,
            "seconds": round(self.seconds, 1),
            **self.story(),
            "checks": [asdict(check) for check in self.checks],
            "runs": [run.to_json() for run in self.runs],
            "urls": dict(self.urls),
        }

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(self.to_json(), indent=2) + "\n", encoding="utf-8")

    def show_what_to_look_at(self, console: Console) -> None:
        """Print the addresses, and how long it took."""
        console.print("\n[bold]To look at[/bold]")
        for name, url in self.urls.items():
            console.print(f"  {name:<16}{url}", soft_wrap=True)
        console.print(f"\nAll of it took {self.seconds // 60:.0f} min {self.seconds % 60:.0f} s.")
