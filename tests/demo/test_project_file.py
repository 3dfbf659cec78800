"""The demo's project file with another review backend: the shipped one, but for a word."""

from __future__ import annotations

from pathlib import Path

import pytest

from custom_labels.core.settings import PROJECTS_DIR_VARIABLE, load_project
from custom_labels.review.backends.label_studio.project_file import LabelStudioPart
from include.demo.digits import DigitsMaterial
from include.demo.errors import DemoError
from include.demo.logo_scenes import LogoScenes
from include.demo.project_file import write_with_backend
from tests.conftest import ROOT


@pytest.mark.parametrize("material", [DigitsMaterial, LogoScenes], ids=["digits", "logos"])
def test_one_line_changes_the_backend_of_a_shipped_project(
    material: type[DigitsMaterial] | type[LogoScenes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = ROOT / material.project_files / f"{material.project}.yaml"
    line = write_with_backend(shipped, tmp_path, "label_studio")

    before, after = (path.read_text().splitlines() for path in (shipped, tmp_path / shipped.name))
    assert [new.strip() for old, new in zip(before, after, strict=True) if old != new] == [line]
    monkeypatch.setenv(PROJECTS_DIR_VARIABLE, str(tmp_path))
    review = load_project(material.project).review
    assert review is not None
    assert isinstance(review.part, LabelStudioPart)


@pytest.mark.parametrize("text", ["", "bucket: a\n", "review: x\n", "review:\n  title: x\n"])
def test_a_file_without_a_backend_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(DemoError, match=r"a\.yaml has no 'review\.backend'"):
        write_with_backend(tmp_path / "a.yaml", tmp_path / "made", "label_studio")
