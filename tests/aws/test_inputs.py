"""Every operator and step says which of its inputs is missing."""

from __future__ import annotations

from typing import Any

import pytest

from custom_labels.aws.inputs import require_inputs
from custom_labels.errors import NotDecided


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"plan": {}, "arns": ["a"], "count": 0}, None),
        ({"plan": None, "arns": ["a"]}, "Task 'swap' got nothing for 'plan': "),
        ({"plan": {}, "arns": ["a", None]}, "Task 'swap' got nothing for 'arns': "),
        ({"plan": None, "arns": None}, "Task 'swap' got nothing for 'plan', 'arns': "),
    ],
)
def test_a_task_says_what_it_lacks(inputs: dict[str, Any], words: str | None) -> None:
    if words is None:
        require_inputs("swap", inputs)
    else:
        with pytest.raises(NotDecided, match=words):
            require_inputs("swap", inputs)
