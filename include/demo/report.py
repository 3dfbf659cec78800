"""The end of the demo: the table before and after, the costs, the messages that were sent, and the same as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from include.demo.call_count import CallCount
from include.demo.costs import Prices, Usage, usage_json
from include.demo.demo_report import DemoReport
from include.demo.evidence import DOUBT, Batch
from include.demo.local_cloud import ModelVersion


@dataclass(frozen=True)
class Act:
    """One version, and the batch of images that it was put to.

    :param accuracy: its live accuracy, as ``audit/accuracy.json`` has it.
    :param known: of ``shown`` things on images that no training ever saw, how many it found.
    :param detection: AWS calls of the batch's detection; ``harvest`` those from the first answer to the last copy.
    """

    version: ModelVersion
    batch: Batch
    accuracy: Mapping[str, Any]
    known: int
    shown: int
    usage: Usage
    detection: CallCount
    harvest: CallCount

    @property
    def live_accuracy(self) -> float | None:
        """The share of audited detections that people found right, 0 to 1."""
        share: float | None = self.accuracy.get("share")
        return share

    def to_json(self, prices: Prices) -> dict[str, Any]:
        """Give it as JSON types."""
        return {
            "version": asdict(self.version),
            "images": self.batch.size,
            "doubtful": self.batch.doubtful,
            "right": self.batch.right,
            "reviews": {
                "doubt": self.asked_in_doubt,
                "audit": len(self.batch.reviews) - self.asked_in_doubt,
                "wrong_answers": self.batch.wrong_answers,
            },
            "filed": self.batch.filed().total(),
            "live_accuracy": dict(self.accuracy),
            "unseen": {"right": self.known, "shown": self.shown},
            "aws_calls": {"detection": dict(self.detection.calls), "harvest": dict(self.harvest.calls)},
            "usage": usage_json(self.usage, prices),
        }

    @property
    def asked_in_doubt(self) -> int:
        """Reviews of doubtful detections."""
        return sum(review.purpose == DOUBT for review in self.batch.reviews)


@dataclass(frozen=True, kw_only=True)
class Report(DemoReport):
    """What the demo did.

    :param messages: subjects of the SNS messages, in order of arrival.
    """

    acts: tuple[Act, ...]
    prices: Prices
    messages: tuple[str, ...]

    def story(self) -> dict[str, Any]:
        """Give the versions and what belongs to them as JSON types."""
        return {
            "versions": [act.to_json(self.prices) for act in self.acts],
            "prices": asdict(self.prices),
            "messages": list(self.messages),
        }

    def show(self, console: Console) -> None:
        """Print the table, the costs, the messages and the addresses."""
        console.print()
        console.print(summary_table(self.acts, self.examined, self.prices))
        for note in (*filter(None, [self.compared]), *self.prices.notes()):
            console.print(f"[dim]{note}[/dim]", soft_wrap=True)
        console.print("\n[bold]Messages sent to SNS[/bold]")
        for subject in self.messages:
            console.print(f"  {subject}", markup=False, soft_wrap=True)
        self.show_what_to_look_at(console)


def summary_table(acts: Sequence[Act], examined: str, prices: Prices) -> Table:
    """Give one column a version, one row a fact."""
    table = Table(title="What the loop did", title_justify="left", title_style="bold", show_edge=False, pad_edge=False)
    table.add_column("")
    for name in ("Before: version 1", "After: version 2"):
        table.add_column(name, justify="right")
    for section in _sections(examined, prices):
        for name, word in section:
            table.add_row(name, *map(word, acts))
        table.add_section()
    return table


Row = tuple[str, Callable[[Act], str]]


def _sections(examined: str, prices: Prices) -> tuple[list[Row], ...]:
    return (
        [
            ("Its name ends in", lambda act: act.version.name.rsplit("-", 1)[-1]),
            ("Status at AWS", lambda act: act.version.status),
            ("Labels", lambda act: str(len(act.version.labels))),
            ("Trained on / tested on", lambda act: f"{act.version.training_images} / {act.version.testing_images}"),
            ("F1 on the test images", lambda act: "-" if act.version.f1 is None else f"{act.version.f1:.3f}"),
            (examined.capitalize(), lambda act: f"{act.known} of {act.shown}"),
        ],
        [
            ("New images put to it", lambda act: str(act.batch.size)),
            (
                "Sent to people in doubt",
                lambda act: f"{act.batch.doubtful} ({act.batch.doubtful / act.batch.size:.0%})",
            ),
            ("Filed for the next training", lambda act: str(act.batch.filed().total())),
            ("Live accuracy, by sampling", _accuracy),
            ("   its 95 % interval", _interval),
            (
                "   the truth, which only a demo knows",
                lambda act: f"{act.batch.right / act.batch.size:.1%} of {act.batch.size}",
            ),
        ],
        [
            (
                "Training / serving, seconds",
                lambda act: f"{act.usage.training_seconds:.0f} / {act.usage.serving_seconds:.0f}",
            ),
            ("Reviews", lambda act: str(act.usage.reviews)),
            ("Cost at AWS prices, of these seconds", lambda act: f"${prices.of(act.usage):.2f}"),
            ("   of hours as assumed below", lambda act: f"${prices.assumed(act.usage):.2f}"),
        ],
    )


def _accuracy(act: Act) -> str:
    if act.live_accuracy is None:
        return "-"
    return f"{act.live_accuracy:.1%} of {act.accuracy['answered']}"


def _interval(act: Act) -> str:
    interval = act.accuracy.get("interval")
    return f"{interval[0]:.1%} to {interval[1]:.1%}" if interval else "-"
