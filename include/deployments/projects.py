"""The project files that a deployment takes along."""

from __future__ import annotations

from collections.abc import Collection

from custom_labels.core.settings import Project, check_project_files, load_project, load_projects, projects_dir
from custom_labels.errors import SettingError


def chosen_projects(names: Collection[str]) -> list[Project]:
    """Load the projects of these names, or all without one.

    :raises SettingError: one is missing or wrong, or there is none at all. Airflow would say the same, but only after
        the deployment.
    """
    if names:
        return [load_project(name) for name in sorted(set(names))]
    check_project_files()
    if not (every := load_projects()):
        raise SettingError(f"There is no project file in {projects_dir()}. Add one (docs/settings.md), then try again.")
    return every
