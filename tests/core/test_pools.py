"""The pools that project files name, and the slots that each of them needs."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from custom_labels.core.pools import named_pools, needed_pools
from custom_labels.core.settings import Project


def project(name: str, **fields: Any) -> Project:
    return Project(name=name, bucket=f"bucket-of-{name}", **fields)


@pytest.mark.parametrize(
    ("projects", "slots"),
    [
        ([{}], {}),
        ([{"pool": "calls"}], {"calls": 2}),
        ([{"pool": "calls", "detection_pool": "asks", "detection_workers": 5}], {"asks": 5, "calls": 2}),
        ([{"pool": "one", "detection_pool": "one", "detection_workers": 3}], {"one": 5}),
        ([{"pool": "calls"}, {"pool": "calls"}], {"calls": 2}),
        ([{"detection_pool": "asks", "detection_workers": 4}, {"detection_pool": "asks"}], {"asks": 6}),
    ],
    ids=[
        "Airflow's own",
        "calls to Custom Labels",
        "a pool each",
        "one for both",
        "projects share the account's quota",
        "projects have versions of their own",
    ],
)
def test_a_pool_has_the_slots_of_those_who_share_it(projects: list[dict[str, Any]], slots: dict[str, int]) -> None:
    needed = needed_pools(project(f"p{number}", **fields) for number, fields in enumerate(projects))

    assert {name: pool.slots for name, pool in needed.items()} == slots
    assert list(needed) == sorted(needed)


def test_pools_are_named_by_the_fields_of_the_file() -> None:
    assert named_pools(project("p", pool="default_pool", detection_pool="asks")) == {"detection_pool": "asks"}


def test_the_command_is_one_that_a_shell_takes_whatever_the_pool_is_called() -> None:
    (pool,) = needed_pools([project("p", pool="it's; rm -rf /")]).values()

    assert shlex.split(pool.command) == ["airflow", "pools", "set", "it's; rm -rf /", "2", pool.description]
