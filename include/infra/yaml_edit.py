"""Changes single values of a YAML file that a person keeps: comments, order and all other values stay as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

Path = tuple[str, ...]
"""Where a value is: the keys on the way to it."""


def with_values(text: str, wanted: Mapping[Path, str]) -> str | None:
    """Give a file's text with other values; ``None`` where they cannot be put in without touching more.

    A key that is missing is added: to the mapping that it belongs into, or with that at the end.

    :param text: YAML with a mapping, which is read without an error.
    """
    ends = "\r\n" if "\r\n" in text else "\n"
    edits: list[tuple[int, int, str]] = []
    added: dict[str, Any] = {}
    root = yaml.compose(text, yaml.SafeLoader)
    for path, value in wanted.items():
        edit = _edit(root, path, value, ends)
        if edit:
            edits.append(edit)
        elif _node(root, path[:1]) is None:
            put(added, path, value)
        else:
            return None
    changed = text
    for start, end, new in sorted(edits, reverse=True):
        changed = changed[:start] + new + changed[end:]
    if added:
        new = yaml.safe_dump(added, sort_keys=False, allow_unicode=True).replace("\n", ends)
        changed = f"{changed.rstrip()}{ends}{new}"
    return changed if _read(changed) == merged(yaml.safe_load(text), wanted) else None


def merged(content: Mapping[str, Any], wanted: Mapping[Path, str]) -> dict[str, Any]:
    """Give the content of a file with other values."""
    made = {key: merged(value, {}) if isinstance(value, dict) else value for key, value in content.items()}
    for path, value in wanted.items():
        put(made, path, value)
    return made


def value_at(content: Any, path: Path) -> Any:
    """Give the value at a path, ``None`` if there is none."""
    for name in path:
        content = content.get(name) if isinstance(content, Mapping) else None
    return content


def put(content: dict[str, Any], path: Path, value: str) -> None:
    """Set a value of nested mappings."""
    for name in path[:-1]:
        inner = content.get(name)
        content[name] = inner if isinstance(inner, dict) else {}
        content = content[name]
    content[path[-1]] = value


def scalar(value: str) -> str:
    """Write a value as YAML, with quotes where it needs them."""
    return yaml.safe_dump([value], default_flow_style=True, width=10**6, allow_unicode=True).strip()[1:-1]


def _edit(root: yaml.Node | None, path: Path, value: str, ends: str) -> tuple[int, int, str] | None:
    """Give where a value's text begins and ends, and what is to be there; ``None`` where it has no mapping yet."""
    found = _node(root, path)
    if found is not None:
        return found.start_mark.index, found.end_mark.index, scalar(value)
    around = _node(root, path[:-1])
    if len(path) < 2 or not isinstance(around, yaml.MappingNode) or not around.value:
        return None
    first = around.value[0][0].start_mark
    return first.index, first.index, f"{path[-1]}: {scalar(value)}{ends}{' ' * first.column}"


def _node(node: yaml.Node | None, path: Path) -> yaml.Node | None:
    for name in path:
        node = next((value for key, value in _pairs(node) if key.value == name), None)
    return node


def _pairs(node: yaml.Node | None) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    yield from node.value if isinstance(node, yaml.MappingNode) else ()


def _read(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None
