"""The part 'review' of a project file: which backend is named, and what it is told."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from custom_labels.core.project_task import ProjectTask
from custom_labels.core.review_setup import BackendPart
from custom_labels.core.settings import load_project, projects_dir
from custom_labels.errors import SettingError
from custom_labels.review.backends.a2i.project_file import A2IPart
from custom_labels.review.backends.registry import definition_of


class OwnPart(BackendPart):
    """What a backend of somebody else is told."""

    desk: str = "front"


@pytest.fixture
def own_backend() -> Iterator[None]:
    """A module of another package, which asks for one label an image only."""
    module = ModuleType("acme_reviews")
    why_not = {ProjectTask.OBJECT_DETECTION: "it asks for no boxes; choose another backend"}.get
    module.BACKEND = SimpleNamespace(name="acme", part=OwnPart, why_not=why_not)  # type: ignore[attr-defined]
    sys.modules["acme.reviews"] = module
    yield
    del sys.modules["acme.reviews"]


Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write the project's file with some texts replaced."""
    digits = (projects_dir() / "digits.yaml").read_text()
    monkeypatch.setenv("CUSTOM_LABELS_PROJECTS_DIR", str(tmp_path))

    def written(*changes: tuple[str, str]) -> None:
        text = digits
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "digits.yaml").write_text(text)

    return written


def test_the_part_of_the_backend_is_read() -> None:
    review = load_project("digits").review

    assert review is not None
    assert review.part_of(A2IPart).workteam_arn.endswith("workteam/private-crowd/custom-labels-digits")
    assert definition_of(load_project("digits")).name == "a2i"


@pytest.mark.usefixtures("own_backend")
def test_another_backend_is_one_changed_line(write: Write) -> None:
    """What the file says to Amazon A2I stays in it."""
    write(("backend: a2i", "backend: acme.reviews"))

    review = load_project("digits").review

    assert review is not None
    assert review.part_of(OwnPart).desk == "front"
    assert review.backend == "acme.reviews"


@pytest.mark.usefixtures("own_backend")
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([("backend: a2i", "backend: mturk")], r"'review\.backend' in .*digits.yaml is 'mturk': expected one of a2i"),
        ([("backend: a2i", "backend: no.such.module")], r"'review\.backend' .*No module named 'no'"),
        ([("backend: a2i", "backend: json.decoder")], r"'review\.backend' .*a module with a BACKEND in it"),
        (
            [("role_arn: arn:aws:iam", "role_arn: arn:iam")],
            r"'review\.a2i\.role_arn' .*expected the ARN of a role, arn:",
        ),
        (
            [("    role_arn:", "    role:")],
            r"'review\.a2i\.role_arn' .*Field required.*'review\.a2i\.role' .*not permitted",
        ),
        ([("backend: a2i\n", "backend: acme.reviews\n  acme: {desk: 3}\n")], r"'review\.acme\.desk' .*is 3: .*string"),
        ([("backend: a2i\n", "backend: a2i\n  label_studo: {}\n")], r"'review\.label_studo' .*not permitted"),
        (
            [("backend: a2i\n", "backend: acme.reviews\n"), ("bucket:", "task: object_detection\nbucket:")],
            r"'review\.backend' .*is 'acme\.reviews': it asks for no boxes",
        ),
    ],
    ids=["unknown", "no module", "no backend", "bad ARN", "missing", "other part", "no part", "cannot ask"],
)
def test_a_wrong_review_is_named_with_its_value(write: Write, changes: list[tuple[str, str]], words: str) -> None:
    write(*changes)

    with pytest.raises(SettingError, match=words):
        load_project("digits")
