"""The file of labels beside a project's file: under which names the labels of sources are taken."""

from __future__ import annotations

from custom_labels.core.settings import projects_dir
from custom_labels.core.yaml_files import read_yaml_mapping
from custom_labels.datasets.imports.mapping import LabelMapping

FOLDER = "labels"
"""Folder of these files in that of the project files, where each file is a project."""


def read_mapping_file(project: str) -> LabelMapping:
    """Read the file of a project; an empty mapping where it has none.

    :raises SettingError: it is no such mapping.
    """
    path = projects_dir() / FOLDER / f"{project}.yaml"
    try:
        found = read_yaml_mapping(path)
    except FileNotFoundError:
        return LabelMapping()
    return LabelMapping.parse(found, str(path))
