"""The Airflow pools that project files name, and how many slots each of them needs."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from custom_labels.core.settings import Project

ALWAYS_THERE = "default_pool"
"""The pool that every Airflow has."""
TRAININGS_AT_ONCE = 2
"""Trainings that an AWS account runs at once unless its quota was raised (Custom Labels' guidelines and quotas)."""


@dataclass(frozen=True)
class NeededPool:
    """A pool as it has to be.

    :param slots: how many tasks of it may run at once.
    """

    name: str
    slots: int
    description: str

    @property
    def command(self) -> str:
        """The command of Airflow's CLI that adds the pool."""
        return f"airflow pools set {shlex.quote(self.name)} {self.slots} {shlex.quote(self.description)}"


def named_pools(project: Project) -> dict[str, str]:
    """Give the pools that a project file names, by its fields; the one that Airflow always has is left out."""
    pools = {"pool": project.pool, "detection_pool": project.detection_pool}
    return {field: name for field, name in pools.items() if name != ALWAYS_THERE}


def needed_pools(projects: Iterable[Project]) -> dict[str, NeededPool]:
    """Give every pool that some projects name, by its name, in order.

    The tasks that call Custom Labels share the account's quota, so projects that share their pool need no more slots.
    Those that ask a live version share that version's rate, so each project's ``detection_workers`` need theirs.
    """
    slots: dict[str, tuple[bool, int]] = {}
    for project in projects:
        for field, name in named_pools(project).items():
            calling, asking = slots.get(name, (False, 0))
            workers = project.detection_workers if field == "detection_pool" else 0
            slots[name] = (calling or field == "pool", asking + workers)
    return {
        name: NeededPool(name, calling * TRAININGS_AT_ONCE + asking, _describe(calling, asking))
        for name, (calling, asking) in sorted(slots.items())
    }


def _describe(calling: bool, asking: int) -> str:
    uses = ["call Custom Labels; an account may run two trainings at once"] if calling else []
    uses += ["ask the live version; as many as detection_workers of the projects"] if asking else []
    return f"Tasks that {', or that '.join(uses)}"
