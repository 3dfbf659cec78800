"""The command that looks up lineage: what it prints and writes, its errors, and what keys may do to a terminal."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from custom_labels.core.project_task import ProjectTask
from custom_labels.core.settings import PROJECTS_DIR_VARIABLE
from custom_labels.s3.store import S3Store
from include.lineage.__main__ import main
from include.lineage.files import plain_cell
from tests.conftest import ROOT
from tests.kit.lineage import BOXES, ONE, V1, V2, Lineage, reviewed
from tests.kit.pictures import png

INBOX = "images_for_detection/[red]it's 1.png"


LOGGED = re.compile(r"^\d{4}-\d\d-\d\dT\S+ \[(?:info|warning) .*\n", re.MULTILINE)
"""Airflow's own log, which a process of its own does not print: see the last test."""


class Printed:
    """What the command printed since it was asked last."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self) -> tuple[str, str]:
        """Give standard output and standard error, without the log."""
        out, err = self._capsys.readouterr()
        return LOGGED.sub("", out), LOGGED.sub("", err)


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Printed:
    return Printed(capsys)


def project(lineage: Lineage, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Lineage:
    """Write the file of a project."""
    store = lineage.store
    fields = {"bucket": store.bucket, "prefix": store.prefix, "task": lineage.task}
    (folder / "animals.yaml").write_text(json.dumps(fields))
    monkeypatch.setenv(PROJECTS_DIR_VARIABLE, str(folder))
    return lineage


@pytest.fixture(params=ProjectTask)
def each_kind(
    aws_store: S3Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Lineage:
    """A project of each kind, with a version."""
    made = project(Lineage(aws_store, request.param), tmp_path, monkeypatch)
    made.put(range(8))
    made.train(V1, said=lambda _: "cat")
    return made


@pytest.fixture
def folders(aws_store: S3Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lineage:
    """A project of labels by folders, an image of whose inbox was reviewed and trained on."""
    made = project(Lineage(aws_store, ONE), tmp_path, monkeypatch)
    made.put(range(8))
    made.train(V1)
    made.bucket.put(INBOX, png(4711, (128, 96)))
    made.detect(INBOX, V1)
    reviewed(made, INBOX, "cat", "dog", "cat")
    made.train(V2, champion=V1)
    return made


def test_an_image_is_printed_with_its_versions_and_its_reviews(folders: Lineage, printed: Printed) -> None:
    assert main(["animals", "--image", folders.store.uri(INBOX)]) == 0

    out, err = printed()
    assert err == ""
    for expected in (
        INBOX,
        f"{V2} passed: F1 holds",
        "on it as cat: images_labeled_by_folder/cat/",
        "detection 2026-11-20T12:00:00+00:00: cat 43% (review: below its minimum)",
        "votes: cat: 2, dog: 1",
        "answered by w0 at 2026-11-20T13:00:00+00:00",
        "(2 of 2 looked at)",
    ):
        assert expected in out
    assert "Not complete" not in out


def test_json_of_an_image_holds_the_same(folders: Lineage, printed: Printed) -> None:
    assert main(["animals", "--image", INBOX, "--json", "--newest", "1"]) == 0

    found = json.loads(printed()[0])
    assert (found["key"], found["origin"]["kind"]) == (INBOX, "inbox")
    assert [each["version"]["name"] for each in found["versions"]] == [V2, V1]
    assert (found["inspected"], found["on_record"]) == (1, 2)
    assert found["reviews"][0]["votes"] == [["cat", 2], ["dog", 1]]


def test_the_images_of_a_version_are_the_same_on_the_terminal_as_json_and_as_csv(
    each_kind: Lineage, tmp_path: Path, printed: Printed
) -> None:
    assert main(["animals", "--version", V1]) == 0
    shown, _ = printed()
    assert main(["animals", "--version", V1, "--json"]) == 0
    given = json.loads(printed()[0])
    assert main(["animals", "--version", V1, "--csv", str(tmp_path / "out.csv")]) == 0
    assert main(["animals", "--version", V1, "--csv", "-", "--show", "wrong"]) == 0
    wrong = list(csv.DictReader(io.StringIO(printed()[0])))

    rows = list(csv.DictReader((tmp_path / "out.csv").open(newline="")))
    assert [row["key"] for row in rows] == [each["image"]["key"] for each in given["images"]]
    assert all(row["key"] in shown for row in rows)
    assert len(rows) == given["counts"]["all"] == 16
    assert {row["labels"] for row in rows} == {"cat", "dog"}
    assert {row["predicted"] for row in rows if row["side"] == "test"} == {"cat 90%"}
    assert [row for row in rows if row["right"] == "no"] == wrong != []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["animals.yaml", "out.csv"]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("cat", "cat"),
        ("a=b", "a=b"),
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "'  =1"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\uff1d1", "'\uff1d1"),
        ("", ""),
    ],
)
def test_no_cell_is_a_formula(text: str, cell: str) -> None:
    assert plain_cell(text) == cell


def test_keys_and_labels_do_nothing_to_a_terminal_or_a_spreadsheet(
    aws_store: S3Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, printed: Printed
) -> None:
    made = project(Lineage(aws_store, BOXES), tmp_path, monkeypatch)
    keys = {f"=HYPERLINK({number})[bold]\u202e.png": "@dog" for number in range(4)}
    made.bucket.put_many(*keys)
    made.annotate("a", keys)
    made.train(V1)

    assert main(["animals", "--version", V1, "--csv", "-"]) == 0
    rows = list(csv.DictReader(io.StringIO(printed()[0])))
    assert {(row["key"][:3], row["labels"]) for row in rows} == {("'=H", "'@dog")}
    assert main(["animals", "--version", V1]) == 0
    shown, _ = printed()
    assert "=HYPERLINK(0)[bold]\\u202e.png" in shown
    assert "\u202e" not in shown
    assert main(["animals", "--image", "a\x1b[2Jb.png"]) == 1
    assert "\x1b" not in printed()[1]


def test_what_could_not_be_read_is_said(folders: Lineage, printed: Printed) -> None:
    folders.remove(f"evaluation/{V2}.manifest")

    assert main(["animals", "--version", V2]) == 0
    assert "Not complete: What version" in printed()[0]
    assert main(["animals", "--version", V2, "--csv", "-"]) == 0
    assert f"What version {V2} said" in printed()[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["animals", "--image", "none.png"], "Nothing is known of"),
        (["animals", "--image", "s3://elsewhere/a.png"], "not in the project's place"),
        (["animals", "--version", "v9"], "There is no version 'v9'"),
        (["plants", "--version", V1], "There is no project 'plants'"),
        (["animals", "--version", V1, "--csv", "{folder}/animals.yaml"], "which is there already"),
        (["animals", "--version", V1, "--csv", "{folder}/no/out.csv"], "cannot be written"),
    ],
)
def test_errors_name_what_is_wrong(
    folders: Lineage, tmp_path: Path, arguments: list[str], words: str, printed: Printed
) -> None:
    assert main([each.format(folder=tmp_path) for each in arguments]) == 1

    out, err = printed()
    assert (out, words in err) == ("", True)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--image", "a", "--version", "b"],
        ["--image", "a", "--csv", "-"],
        ["--image", "a", "--newest", "0"],
        ["--version", "b", "--json", "--csv", "-"],
        ["--version", "b", "--show", "some"],
    ],
)
def test_wrong_options_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["animals", *arguments])

    assert left.value.code == 2


def test_it_runs_as_a_process_of_its_own_and_ends_when_nobody_reads_on(folders: Lineage) -> None:
    command = [sys.executable, "-m", "include.lineage", "animals", "--version", V1, "--json"]
    whole = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as cut:
        assert cut.stdout is not None
        assert cut.stderr is not None
        cut.stdout.close()
        said = cut.stderr.read()

    assert (whole.returncode, whole.stderr) == (0, "")
    assert len(json.loads(whole.stdout)["images"]) == 16
    assert (cut.returncode, said) == (1, "")
