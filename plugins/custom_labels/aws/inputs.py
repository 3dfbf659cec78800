"""What every task checks of its inputs: that none is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from custom_labels.errors import NotDecided


def require_inputs(task_id: str, inputs: Mapping[str, Any]) -> None:
    """Make sure that no input of a task is missing.

    :param inputs: values that earlier tasks returned, by the names of the parameters; of a list, each entry counts.
    :raises NotDecided: one is ``None``.
    """
    missing = [name for name, value in inputs.items() if value is None or (isinstance(value, list) and None in value)]
    if missing:
        names = ", ".join(f"'{name}'" for name in missing)
        raise NotDecided(
            f"Task '{task_id}' got nothing for {names}: the task that returns it "
            "was marked by hand, skipped, or did not run. Nothing was changed. Clear the upstream task that has no "
            "'return_value' under XCom, with the tasks downstream of it."
        )
