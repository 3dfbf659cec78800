"""The demo's project file with another review backend: the shipped one, of which one word is changed."""

from __future__ import annotations

from pathlib import Path

import yaml

from include.demo.errors import DemoError


def write_with_backend(shipped: Path, folder: Path, backend: str) -> str:
    """Write a copy of a project file that names another review backend; all else is as it was, comments too.

    :param folder: gets the copy, under the file's own name.
    :param backend: as ``review.backend`` names it.
    :return: the line that was changed, as it is now, without the spaces around it.
    :raises DemoError: the file has no ``review.backend``.
    """
    text = shipped.read_text(encoding="utf-8")
    found = _value_of(yaml.compose(text, yaml.SafeLoader), "review", "backend")
    if not isinstance(found, yaml.ScalarNode):
        raise DemoError(f"{shipped} has no 'review.backend', which the demo would change to '{backend}'. Restore it.")
    start, end = found.start_mark.index, found.end_mark.index
    changed = f"{text[:start]}{backend}{text[end:]}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / shipped.name).write_text(changed, encoding="utf-8")
    return changed.splitlines()[found.start_mark.line].strip()


def _value_of(node: yaml.Node | None, *names: str) -> yaml.Node | None:
    for name in names:
        pairs = node.value if isinstance(node, yaml.MappingNode) else ()
        node = next((value for key, value in pairs if key.value == name), None)
    return node
