"""The import rule inside a room refuses what it is there to refuse."""

from __future__ import annotations

import pytest
from grimp import ImportGraph

from tests.kit.room_contract import RoomContract

RULE, RECORD, TASK = "lib.room.rule", "lib.room.some_records", "lib.room.some_tasks"
OTHER = "lib.other.more_tasks"


def broken(importer: str, imported: str) -> list[str]:
    graph = ImportGraph()
    for module in (RULE, RECORD, TASK, OTHER, "lib.s3.store", "airflow"):
        graph.add_module(module)
    graph.add_import(importer=importer, imported=imported)
    options = {
        "rooms": ["lib.room", "lib.other"],
        "records": ["*_records"],
        "tasks": ["*_tasks"],
        "not_for_rules": ["lib.s3"],
        "not_for_records": ["airflow"],
    }
    contract = RoomContract("rules <- records <- tasks", {"root_packages": ["lib"]}, options)
    found: list[str] = contract.check(graph, verbose=False).metadata["broken"]
    return found


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        (RULE, RECORD),
        (RULE, TASK),
        (RULE, OTHER),
        (RULE, "lib.s3.store"),
        (RULE, "airflow"),
        (RECORD, TASK),
        (RECORD, OTHER),
        (RECORD, "airflow"),
    ],
)
def test_an_import_of_a_kind_above_is_found(importer: str, imported: str) -> None:
    assert [line.split(" imports ")[1] for line in broken(importer, imported)] == [imported]


@pytest.mark.parametrize(
    ("importer", "imported"),
    [(RECORD, RULE), (TASK, RULE), (TASK, RECORD), (TASK, OTHER), (TASK, "airflow"), (RECORD, "lib.s3.store")],
)
def test_an_import_of_its_own_kind_or_of_one_below_is_allowed(importer: str, imported: str) -> None:
    assert broken(importer, imported) == []
