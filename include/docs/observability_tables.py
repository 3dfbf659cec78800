"""What is sent to metrics, and which data each task reads and writes."""

from __future__ import annotations

from collections.abc import Iterable

from custom_labels.core.metrics import EventCounter, Gauge
from custom_labels.web.assets import Data
from custom_labels.web.data_flow import FLOWS
from include.docs.tables import table


def metrics() -> str:
    """Give a table of all metrics."""
    return table(
        ("`custom_labels.`", "kind", "unit", "tags besides `project`", "what", "sent by"),
        (
            (
                f"`{each.value.name}`",
                kind,
                each.value.unit,
                _named(each.value.tags),
                each.value.meaning,
                each.value.sent,
            )
            for kind, metrics in (("gauge", Gauge), ("counter", EventCounter))
            for each in metrics
        ),
    )


def lineage() -> str:
    """Give a table of the inlets and outlets of each task."""
    return table(
        ("DAG", "task", "reads", "writes"),
        (
            (kind, f"`{task}`", _named(map(_place, flow.reads)), _named(map(_place, flow.writes)))
            for kind, tasks in FLOWS.items()
            for task, flow in tasks.items()
        ),
    )


def _place(data: Data) -> str:
    return str(data.value).rstrip("/")


def _named(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
