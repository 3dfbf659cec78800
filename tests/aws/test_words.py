"""aws/ and s3/ are for anybody's DAG: no word of theirs is about our projects."""

from __future__ import annotations

import re

import pytest

from custom_labels.core.names import PROJECT_FILE
from custom_labels.core.settings import Settings
from tests.conftest import ROOT

ROOMS = ROOT / "plugins" / "custom_labels"
NAMES = [*Settings.model_fields, PROJECT_FILE, "YAML", "project file", "live version", "registry/"]
WORDS = re.compile(rf"\b(?:{'|'.join(NAMES)})")


@pytest.mark.parametrize("room", ["aws", "s3"])
def test_a_room_for_anybody_names_nothing_of_our_projects(room: str) -> None:
    files = [path for path in (ROOMS / room).rglob("*") if path.suffix in {".py", ".json"}]
    found = {path.name: words for path in files if (words := set(WORDS.findall(path.read_text())))}

    assert len(files) > 5
    assert found == {}
