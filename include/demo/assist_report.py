"""The end of the demo of label assist: a column a version, what people had to do, and the same as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from include.demo.assist_story import Learned, proposed
from include.demo.checks import Check
from include.demo.runs import Run


@dataclass(frozen=True)
class AssistReport:
    """What the demo did.

    :param learned: one version after the other.
    :param examined: what is counted on images that no training ever sees, in words.
    :param compared: what the F1 scores may be compared with, if anything.
    :param urls: what to look at, by name.
    :param seconds: from the start of the demo to the end of the story.
    """

    learned: tuple[Learned, ...]
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
        """Whether each claim holds."""
        return bool(self.checks) and not self.problems

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON types."""
        proposals, confirmed = proposed(self.learned)
        return {
            "closed": self.closed,
            "problems": self.problems,
            "seconds": round(self.seconds, 1),
            "versions": [{**asdict(each), "unseen_f1": round(each.examined.f1, 4)} for each in self.learned],
            "proposals": proposals,
            "confirmed": confirmed,
            "checks": [asdict(check) for check in self.checks],
            "runs": [run.to_json() for run in self.runs],
            "urls": dict(self.urls),
        }

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(self.to_json(), indent=2) + "\n", encoding="utf-8")

    def show(self, console: Console) -> None:
        """Print the table, what people had to do, and the addresses."""
        console.print()
        console.print(_table(self.learned, self.examined))
        proposals, confirmed = proposed(self.learned)
        share = f" ({confirmed / proposals:.0%})" if proposals else ""
        asked = sum(each.round.get("asked", 0) for each in self.learned)
        console.print(f"\nPeople were asked about {asked} images.", soft_wrap=True)
        console.print(f"Of {proposals} proposals they only had to confirm {confirmed}{share}.", soft_wrap=True)
        if self.compared:
            console.print(f"[dim]{self.compared}[/dim]", soft_wrap=True)
        console.print("\n[bold]To look at[/bold]")
        for name, url in self.urls.items():
            console.print(f"  {name:<16}{url}", soft_wrap=True)
        console.print(f"\nAll of it took {self.seconds // 60:.0f} min {self.seconds % 60:.0f} s.")


def _table(learned: tuple[Learned, ...], examined: str) -> Table:
    title = "What label assist did"
    table = Table(title=title, title_justify="left", title_style="bold", show_edge=False, pad_edge=False)
    table.add_column("")
    for number in range(len(learned)):
        table.add_column(f"After round {number}" if number else "First version", justify="right")
    rows = {
        "Its name ends in": [each.version.name.rsplit("-", 1)[-1] for each in learned],
        "Trained on / tested on": [
            f"{each.version.training_images} / {each.version.testing_images}" for each in learned
        ],
        "F1 on its own test images": ["-" if each.version.f1 is None else f"{each.version.f1:.3f}" for each in learned],
        examined.capitalize(): [f"{each.examined.known} of {each.examined.shown}" for each in learned],
        "F1 on these": [f"{each.examined.f1:.3f}" for each in learned],
        "Shown to people with its proposals": [_number(each, "ended") for each in learned],
        "   kept as proposed": [_number(each, "kept") for each in learned],
        "   corrected": [_number(each, "corrected") for each in learned],
        "   without a proposal": [_number(each, "unproposed") for each in learned],
        "Proposals confirmed": [_confirmed(each) for each in learned],
    }
    for name, words in rows.items():
        table.add_row(name, *words)
    return table


def _number(learned: Learned, name: str) -> str:
    return str(learned.progress[name]) if learned.progress else "-"


def _confirmed(learned: Learned) -> str:
    done = learned.progress
    return f"{done['confirmed']} of {done['proposals']}" if done else "-"
