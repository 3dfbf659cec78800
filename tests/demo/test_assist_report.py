"""The end of the demo of label assist: a column a version, and what people had to do."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from include.demo.__main__ import parse_options
from include.demo.assist_report import AssistReport
from include.demo.assist_story import Learned, proposed
from include.demo.checks import Check
from include.demo.local_cloud import ModelVersion
from include.demo.material import Examined

ROUND = {
    "asked": 20,
    "progress": {"ended": 20, "kept": 9, "corrected": 7, "unproposed": 4, "proposals": 46, "confirmed": 37},
}
FIRST = Learned(ModelVersion("logos-1-abc", "arn:1", "STOPPED", 0.917, {}, 5, 3, 2), Examined(43, 58, 60), ROUND)
SECOND = Learned(replace(FIRST.version, name="logos-2-def", f1=None), Examined(54, 58, 58), {})
REPORT = AssistReport(
    learned=(FIRST, SECOND),
    examined="logos on unseen scenes found",
    compared="F1 elsewhere: 0.667, then 0.900.",
    checks=(Check("S3: all is well", True),),
    runs=(),
    urls={"Airflow": "http://127.0.0.1:8080"},
    seconds=311,
)


def test_each_version_has_a_column() -> None:
    out = io.StringIO()
    REPORT.show(Console(file=out, width=120))
    shown = {line.split("│")[0].strip(): line.split("│")[1:] for line in out.getvalue().splitlines() if "│" in line}
    values = {name: [cell.strip() for cell in cells] for name, cells in shown.items()}

    assert values["Its name ends in"] == ["abc", "def"]
    assert values["F1 on its own test images"] == ["0.917", "-"]
    assert values["Logos on unseen scenes found"] == ["43 of 58", "54 of 58"]
    assert values["F1 on these"] == ["0.729", "0.931"]
    assert values["corrected"] == ["7", "-"]
    assert values["Proposals confirmed"] == ["37 of 46", "-"]
    assert "Of 46 proposals they only had to confirm 37 (80%)." in out.getvalue()
    assert "0.667, then 0.900" in out.getvalue()


def test_without_a_proposal_nothing_is_divided() -> None:
    out = io.StringIO()
    replace(REPORT, learned=(SECOND,)).show(Console(file=out, width=120))

    assert proposed((SECOND,)) == (0, 0)
    assert "Of 0 proposals they only had to confirm 0." in out.getvalue()


def test_the_same_is_written_as_json(tmp_path: Path) -> None:
    REPORT.write(tmp_path / "demo.json")
    written = json.loads((tmp_path / "demo.json").read_text())

    assert (written["closed"], written["proposals"], written["confirmed"]) == (True, 46, 37)
    assert [each["unseen_f1"] for each in written["versions"]] == [0.7288, 0.931]
    assert not replace(REPORT, checks=(Check("S3: all is well", False),)).closed


def test_a_person_cannot_take_part_in_label_assist(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_options(["--assist", "--review-by-hand"])

    assert "leave one of them out" in capsys.readouterr().err
