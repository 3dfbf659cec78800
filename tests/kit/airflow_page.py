"""A project whose reviews are asked on Airflow's own page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.core.settings import Project, load_project, projects_dir
from custom_labels.review.backends.airflow_page.backend import AirflowReviewBackend
from tests.kit.review_project import make_store, set_up_surroundings

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws


def on_airflow_page(
    folder: Path, monkeypatch: pytest.MonkeyPatch, part: Mapping[str, Any] | None = None, **more: Any
) -> Project:
    """Write the project's file with Airflow as its review backend, and let it count from now on.

    :param part: what it says to that backend.
    :param more: other lines of the file; ``lifetime_hours`` is one of the reviews'.
    """
    text = (projects_dir() / "digits.yaml").read_text()
    lines = "".join(f"    {name}: {value}\n" for name, value in (part or {}).items())
    lines = (f"  airflow:\n{lines}" if lines else "") + f"  lifetime_hours: {more.pop('lifetime_hours', 240)}\n"
    text = text.replace("  backend: a2i\n", f"  backend: airflow\n{lines}")
    (folder / "digits.yaml").write_text("".join([text, *(f"{name}: {value}\n" for name, value in more.items())]))
    monkeypatch.setenv("CUSTOM_LABELS_PROJECTS_DIR", str(folder))
    return load_project("digits")


def set_up_page(aws: LocalAws, project: Project) -> AirflowReviewBackend:
    """Make what the project has at AWS, and its backend."""
    set_up_surroundings(aws)
    return AirflowReviewBackend(project, make_store(project))
