"""The demo's last words: the table before and after, and the same as JSON."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from include.demo.call_count import CallCount
from include.demo.checks import Check
from include.demo.costs import Prices, Usage
from include.demo.evidence import Batch, Result, Review
from include.demo.local_cloud import ModelVersion
from include.demo.report import Act, Report

BATCH = Batch(
    truth={"a.png": "1", "b.png": "2"},
    etags={"a.png": "ea", "b.png": "eb"},
    results=(Result("a.png", "v1", "1", "accepted"), Result("b.png", "v1", "7", "review")),
    reviews=(Review("b.png", "doubt", True, ("2",)),),
    copies={"eb": ("2",)},
)
ACT = Act(
    version=ModelVersion("digits-1-abc", "arn:1", "STOPPED", 0.8, {"0": 0.8, "1": 0.8}, 27, 13, 2),
    batch=BATCH,
    accuracy={"share": 0.75, "answered": 4, "interval": [0.3, 0.95]},
    known=68,
    shown=100,
    usage=Usage(3600, 1800, 10),
    detection=CallCount({"rekognition.DetectCustomLabels": 2}),
    harvest=CallCount({"s3.CopyObject": 1}),
)
REPORT = Report(
    acts=(ACT, replace(ACT, accuracy={}, version=replace(ACT.version, status="RUNNING", f1=None))),
    examined="unseen digits named right",
    compared="F1 elsewhere: 0.5.",
    checks=(Check("S3: all is well", True),),
    runs=(),
    prices=Prices(1.0, 4.0, 0.08, (), 1, 24),
    messages=("[digits] new version serves",),
    urls={"Airflow": "http://127.0.0.1:8080"},
    seconds=301,
)


def test_table_shows_both_versions_side_by_side() -> None:
    out = io.StringIO()
    REPORT.show(Console(file=out, width=120))
    shown = {line.split("│")[0].strip(): line.split("│")[1:] for line in out.getvalue().splitlines() if "│" in line}
    values = {name: [cell.strip() for cell in cells] for name, cells in shown.items()}
    assert values["Status at AWS"] == ["STOPPED", "RUNNING"]
    assert values["Sent to people in doubt"] == ["1 (50%)"] * 2
    assert values["Live accuracy, by sampling"] == ["75.0% of 4", "-"]
    assert values["its 95 % interval"] == ["30.0% to 95.0%", "-"]
    assert values["the truth, which only a demo knows"] == ["50.0% of 2"] * 2
    assert values["Cost at AWS prices, of these seconds"] == ["$3.80"] * 2
    assert values["of hours as assumed below"] == ["$97.80"] * 2
    assert "F1 elsewhere: 0.5." in out.getvalue()
    assert "5 min 1 s" in out.getvalue()


def test_loop_is_closed_only_when_every_claim_holds() -> None:
    broken = replace(REPORT, checks=(*REPORT.checks, Check("AWS: it is not so", False)))
    assert (REPORT.closed, REPORT.problems) == (True, [])
    assert (broken.closed, broken.problems) == (False, ["AWS: it is not so"])
    assert not replace(REPORT, checks=()).closed


def test_json_has_all_that_is_shown(tmp_path: Path) -> None:
    REPORT.write(tmp_path / "demo.json")
    shown = json.loads((tmp_path / "demo.json").read_text())
    first = shown["versions"][0]
    assert (shown["closed"], shown["seconds"], shown["messages"]) == (True, 301, ["[digits] new version serves"])
    assert first["reviews"] == {"doubt": 1, "audit": 0, "wrong_answers": 0}
    assert first["unseen"] == {"right": 68, "shown": 100}
    assert first["aws_calls"]["harvest"] == {"s3.CopyObject": 1}
    assert first["usage"]["cost"] == 3.8
