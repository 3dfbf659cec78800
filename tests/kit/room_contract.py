"""The import rule inside a room: rules <- records <- tasks, distinguished by the names of their modules."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

from importlinter import Contract, ContractCheck, fields, output

if TYPE_CHECKING:
    from grimp import ImportGraph

RULES, RECORDS, TASKS = range(3)
KINDS = ("rules", "records", "tasks")


class RoomContract(Contract):
    """A module imports modules of its own kind and of the kinds below it, in its own room and in all others.

    :param rooms: packages whose modules are distinguished.
    :param records: patterns of modules that read and write S3; ``tasks`` those that Airflow runs. All others are rules.
    :param not_for_rules: modules and packages that rules may not import; ``not_for_records`` likewise.
    """

    rooms = fields.ListField(subfield=fields.StringField())
    records = fields.ListField(subfield=fields.StringField())
    tasks = fields.ListField(subfield=fields.StringField())
    not_for_rules = fields.ListField(subfield=fields.StringField())
    not_for_records = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Find every import of a kind above."""
        broken = [
            f"{module} ({KINDS[self._kind(module)]}) imports {imported}"
            for module in sorted(graph.modules)
            if self._is_in_room(module)
            for imported in sorted(graph.find_modules_directly_imported_by(module))
            if self._is_above(imported, self._kind(module))
        ]
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """List them."""
        for line in check.metadata["broken"]:
            output.print_error(line)

    def _is_in_room(self, module: str) -> bool:
        return any(module.startswith(f"{room}.") for room in self._list("rooms"))

    def _kind(self, module: str) -> int:
        if any(fnmatch(module, pattern) for pattern in self._list("tasks")):
            return TASKS
        return RECORDS if any(fnmatch(module, pattern) for pattern in self._list("records")) else RULES

    def _is_above(self, imported: str, kind: int) -> bool:
        if self._is_in_room(imported) and self._kind(imported) > kind:
            return True
        banned = [*self._list("not_for_rules"), *self._list("not_for_records")] if kind == RULES else []
        if kind == RECORDS:
            banned = self._list("not_for_records")
        return any(imported == each or imported.startswith(f"{each}.") for each in banned)

    def _list(self, name: str) -> list[str]:
        value: Any = getattr(self, name)
        return list(value)
