"""The points at which runs are killed: right before and right after each call that changes something at AWS.

A point is named by the call: its operation, what it is about, and the how-manieth of its kind it is. What differs from
run to run is a ``*`` in the name: moments and digests. The calls of each scenario are on record in ``points/``, from
which the matrix is made before any test runs; ``make crash-points`` writes them anew after the DAGs have changed.

Where several threads make calls at once, their order is a matter of chance: there a name is still met, and what the
other threads have done by then differs from run to run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "points"
_VARYING = re.compile(r"\d{4}/\d{2}/\d{2}/[^/]+|\d{8}T\d{6}|\d{4}-\d{2}-\d{2}|[0-9a-f]{10,}|\d{6,}")


@dataclass(frozen=True)
class Call:
    """One of the calls that a run makes.

    :param operation: ``service.Operation``.
    :param subject: a glob on what it is about.
    :param nth: counts the calls of the run that operation and subject fit, from 1.
    """

    operation: str
    subject: str
    nth: int

    @classmethod
    def parse(cls, line: str) -> Call:
        """Read the name of a call."""
        operation, rest = line.split(" ", 1)
        subject, nth = rest.rsplit(" ", 1)
        return cls(operation, subject, int(nth))

    def __str__(self) -> str:
        """Give its name."""
        return f"{self.operation} {self.subject} {self.nth}"

    def fault(self, side: str) -> dict[str, Any]:
        """Give the embedded AWS's fault that holds it.

        :param side: ``before`` its effect or ``after``.
        """
        return {"operation": self.operation, "subject": self.subject, "nth": self.nth, "kind": f"hold_{side}"}


def name_calls(changes: Iterable[Mapping[str, Any]]) -> list[Call]:
    """Name the calls of a run, in their order, from what the embedded AWS has on record."""
    seen: list[tuple[str, str]] = []
    calls = []
    for change in changes:
        operation, subject = change["operation"], change["subject"]
        seen.append((operation, subject))
        glob = re.sub(r"\*[*-]*\*", "*", _VARYING.sub("*", subject))
        calls.append(Call(operation, glob, sum(other == operation and fnmatchcase(it, glob) for other, it in seen)))
    return calls


def read_calls(scenario: str) -> list[Call]:
    """Read the changing calls that a scenario is known to make."""
    return [Call.parse(line) for line in _lines(f"{scenario}.txt")]


def read_operations(scenario: str) -> list[str]:
    """Read the operations that a scenario is known to use, reading ones too."""
    return _lines(f"{scenario}.operations.txt")


def write(scenario: str, calls: Iterable[Call], operations: Iterable[str]) -> None:
    """Put the calls and operations of a scenario on record."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{scenario}.txt").write_text("".join(f"{call}\n" for call in calls), encoding="utf-8")
    text = "".join(f"{operation}\n" for operation in operations)
    (FOLDER / f"{scenario}.operations.txt").write_text(text, encoding="utf-8")


def _lines(name: str) -> list[str]:
    file = FOLDER / name
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []
