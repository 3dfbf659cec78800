"""The end of the demo of label assist: a column a version, what people had to do, and the same as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from include.demo.assist_story import Learned, proposed
from include.demo.demo_report import DemoReport


@dataclass(frozen=True, kw_only=True)
class AssistReport(DemoReport):
    """What the demo did.

    :param learned: one version after the other.
    """

    learned: tuple[Learned, ...]

    def story(self) -> dict[str, Any]:
        """Give the versions and what belongs to them as JSON types."""
        proposals, confirmed = proposed(self.learned)
        return {
            "versions": [{**asdict(each), "unseen_f1": round(each.examined.f1, 4)} for each in self.learned],
            "proposals": proposals,
            "confirmed": confirmed,
        }

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
        self.show_what_to_look_at(console)


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
