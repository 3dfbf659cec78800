"""Build what Amazon MWAA takes: plugins.zip, requirements.txt, startup.sh and the DAG files."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator
from pathlib import Path

from custom_labels.core.settings import PROJECTS_DIR_VARIABLE, Project, projects_dir
from custom_labels.errors import SettingError
from custom_labels.review.backends.workforce import WorkforcePart
from include.deployments.files import write_if_changed, zip_bytes

ROOT = Path(__file__).resolve().parents[2]
PLUGINS, REQUIREMENTS, STARTUP = "plugins.zip", "requirements.txt", "startup.sh"
PROJECTS = "projects"
"""Folder of the project files in plugins.zip: MWAA unpacks that wherever a part of Airflow runs."""
DAGS = "custom_labels_loop"
"""Folder of the DAG files below the environment's own, where others may lie with the same names."""
IGNORED = ".airflowignore"

STARTUP_SCRIPT = f"""\
#!/bin/sh
# Amazon MWAA runs this before each part of Airflow starts; what it exports is in the environment of all of them.
# The project files came with plugins.zip.
export {PROJECTS_DIR_VARIABLE}="${{AIRFLOW_HOME:-/usr/local/airflow}}/plugins/{PROJECTS}"
"""


def build_mwaa(folder: Path, projects: Iterable[Project]) -> dict[str, bool]:
    """Write what an environment needs; a second build of the same files changes nothing.

    :param projects: whose files go along.
    :return: whether a file was written, by its name; the DAG files are one, ``dags``.
    :raises SettingError: a project names a worker task template that is missing, or cannot go along.
    :raises OSError: something cannot be read or written.
    """
    contents = {
        PLUGINS: zip_bytes({**dict(_library()), **dict(_project_files(projects))}),
        REQUIREMENTS: (ROOT / REQUIREMENTS).read_bytes(),
        STARTUP: STARTUP_SCRIPT.encode(),
    }
    written = {name: write_if_changed(folder / name, content) for name, content in contents.items()}
    return {**written, "dags": _write_dags(folder / "dags")}


def _library() -> Iterator[tuple[str, bytes]]:
    """Give every file below plugins/ but byte code and what an editor or the desktop left there."""
    root = ROOT / "plugins"
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != "__pycache__" and not name.startswith(".")]
        for name in names:
            if name == IGNORED or not (name.startswith((".", "~")) or name.endswith((".pyc", "~"))):
                path = Path(folder, name)
                yield path.relative_to(root).as_posix(), path.read_bytes()


def _project_files(projects: Iterable[Project]) -> Iterator[tuple[str, bytes]]:
    """Give the project files, and the worker task templates that they name, each as far from the other as before."""
    for project in projects:
        name = f"{project.name}.yaml"
        yield f"{PROJECTS}/{name}", (projects_dir() / name).read_bytes()
        yield from _template(project)


def _template(project: Project) -> Iterator[tuple[str, bytes]]:
    part = project.review.part if project.review else None
    if not isinstance(part, WorkforcePart) or not part.template:
        return
    where = f"'template' in {project.name}.yaml is '{part.template}'"
    target = posixpath.normpath(f"{PROJECTS}/{part.template}")
    if target.startswith(("/", "../", "custom_labels")) or Path(part.template).is_absolute():
        raise SettingError(
            f"{where}, which plugins.zip cannot hold as far from the project file. Put it beside that, or into a "
            "folder next to its folder, such as '../templates/mine.html'."
        )
    source = part.template_path(project.task)
    if not source.is_file():
        raise SettingError(f"{where}, and {source} is missing. Correct the file, or restore the template.")
    yield target, source.read_bytes()


def _write_dags(folder: Path) -> bool:
    """Write the DAG files; one that is gone from the package goes from the folder too."""
    sources = {path.name: path.read_bytes() for path in (ROOT / "dags").glob("*.py")}
    target = folder / DAGS
    changed = [write_if_changed(target / name, content) for name, content in sorted(sources.items())]
    left = [path for path in target.glob("*.py") if path.name not in sources]
    for path in left:
        path.unlink()
    return any(changed) or bool(left)
