"""YAML files that people write, read so that whatever is wrong with one is an error that names it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from custom_labels.errors import SettingError

WAY_OUT = "Correct the file."


class _Loader(yaml.SafeLoader):
    """PyYAML takes the last of two equal keys without a word; here it is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        lines: dict[str, int] = {}
        for key, _ in node.value:
            # Before merge keys (<<) are resolved, which may repeat what they are beaten by.
            if not isinstance(key, yaml.ScalarNode):
                continue
            line = key.start_mark.line + 1
            if key.value in lines:
                raise SettingError(f"the key '{key.value}' is there twice, in lines {lines[key.value]} and {line}")
            lines[key.value] = line
        return super().construct_mapping(node, deep)


def read_yaml_mapping(path: Path) -> dict[str, Any]:
    """Read a YAML file that holds fields with values.

    :raises FileNotFoundError: there is no such file.
    :raises SettingError: it cannot be read, is not UTF-8, no YAML, empty, or anything but fields with values.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    except FileNotFoundError:
        raise
    except OSError as error:
        raise SettingError(f"{path} cannot be read: {error}. Make it a file that Airflow may read.") from error
    except UnicodeDecodeError as error:
        raise SettingError(
            f"{path} is not UTF-8: {error.reason} {error.object[error.start]:#04x} at byte {error.start}. Save it as "
            "UTF-8."
        ) from error
    except SettingError as error:
        raise SettingError(f"In {path} {error}. {WAY_OUT}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SettingError(f"{path} is no YAML: {error}. {WAY_OUT}") from error
    if content is None:
        raise SettingError(f"{path} is empty: expected fields with values, such as 'name: value'. {WAY_OUT}")
    if not isinstance(content, dict):
        kind = "a list" if isinstance(content, list) else "plain text"
        raise SettingError(
            f"{path} is {kind}, {str(content)[:60]!r}: expected fields with values, such as 'name: value'. {WAY_OUT}"
        )
    return {str(key): value for key, value in content.items()}
