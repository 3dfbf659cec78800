"""The end of the demo: the table, the messages that were sent, and the same as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from include.demo.rounds import Round


@dataclass(frozen=True)
class Report:
    """What the demo did.

    :param messages: subjects of the SNS messages, in order of arrival.
    :param urls: what to look at, by name.
    :param seconds: from the start of the demo to the end of the last round.
    """

    rounds: tuple[Round, ...]
    messages: tuple[str, ...]
    urls: dict[str, str]
    seconds: float

    @property
    def problems(self) -> list[str]:
        """The claims that do not hold."""
        return [f"round {each.number}: {c.claim}" for each in self.rounds for c in each.checks if not c.holds]

    @property
    def closed(self) -> bool:
        """Whether the loop closed: each claim of each round holds."""
        return bool(self.rounds) and not self.problems

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON types."""
        return {
            "closed": self.closed,
            "problems": self.problems,
            "seconds": round(self.seconds, 1),
            "rounds": [each.to_json() for each in self.rounds],
            "messages": list(self.messages),
            "urls": self.urls,
        }

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(self.to_json(), indent=2) + "\n", encoding="utf-8")

    def show(self, console: Console) -> None:
        """Print the table, the messages and the addresses."""
        console.print()
        console.print(summary_table(self.rounds))
        console.print("\n[bold]Messages sent to SNS[/bold]")
        for subject in self.messages:
            console.print(f"  {subject}", markup=False, soft_wrap=True)
        console.print("\n[bold]To look at[/bold]")
        for name, url in self.urls.items():
            console.print(f"  {name:<16}{url}", soft_wrap=True)


def summary_table(rounds: Sequence[Round]) -> Table:
    """Give one column a round, one row a fact."""
    table = Table(title="What the loop did", title_justify="left", title_style="bold", show_edge=False, pad_edge=False)
    table.add_column("")
    for each in rounds:
        table.add_column(f"Round {each.number}", justify="right")
    for name, values in _rows(rounds):
        if name:
            table.add_row(name, *values)
        else:
            table.add_section()
    return table


def _rows(rounds: Sequence[Round]) -> list[tuple[str, list[str]]]:
    versions = [each.version for each in rounds]
    labels = sorted({label for version in versions if version for label in version.labels})
    return [
        ("Images in the bucket", [f"{each.images} (+{each.added})" for each in rounds]),
        ("Labels", [str(len(version.labels)) if version else "-" for version in versions]),
        ("Trained on / tested on", [f"{v.training_images} / {v.testing_images}" if v else "-" for v in versions]),
        ("Training, seconds", [str(v.training_seconds) if v else "-" for v in versions]),
        ("Run of the DAG, seconds", [f"{each.seconds:.0f}" for each in rounds]),
        ("Run ended as", [each.ended_as for each in rounds]),
        ("", []),
        ("F1 on the test images", [_score(version.f1 if version else None) for version in versions]),
        *((f"   {label}", [_score(v.labels.get(label) if v else None) for v in versions]) for label in labels),
        ("Unseen digits named right", [f"{each.known} of {each.shown}" for each in rounds]),
        ("", []),
        ("Version, its name ends in", [_short(version.name if version else "") for version in versions]),
        ("Serving, by live.json", [_short(each.serving) for each in rounds]),
        ("Stopped", [", ".join(map(_short, each.stopped)) or "-" for each in rounds]),
    ]


def _score(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _short(version_name: str) -> str:
    """Shorten a version's name to what no two share: the start of its snapshot's digest."""
    return version_name.rsplit("-", 1)[-1] or "-"
