"""Uploads of folders: each content once, whatever is there and however often it is begun; what is left out and why."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from custom_labels.core.settings import PROJECTS_DIR_VARIABLE
from custom_labels.s3.store import S3Store
from include.upload.__main__ import main
from tests.kit.pictures import png

LABELS = "images_labeled_by_folder/"
LARGE = png(7) + b"\0" * (9 * 1024 * 1024)


@pytest.fixture
def animals(store: S3Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    """A project with an empty bucket."""
    (tmp_path / "projects").mkdir()
    fields = {"bucket": store.bucket, "prefix": store.prefix, "aws_conn_id": store.aws_conn_id}
    (tmp_path / "projects" / "animals.yaml").write_text(json.dumps(fields))
    monkeypatch.setenv(PROJECTS_DIR_VARIABLE, str(tmp_path / "projects"))
    return store


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    """Writes a file below a folder, and gives the folder."""

    def write(name: str = "", content: bytes = b"") -> Path:
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name:
            path.write_bytes(content)
        return tmp_path / "folder"

    return write


def objects(store: S3Store) -> dict[str, str]:
    found = store.call("list_objects_v2").get("Contents", [])
    return {entry["Key"].removeprefix(store.prefix): entry["LastModified"].isoformat() for entry in found}


def test_each_content_of_a_label_is_uploaded_once(
    animals: S3Store, put: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    put("cat/1.png", png(1)), put("cat/again/1.png", png(1)), put("dog/1.png", png(1)), put("dog/large.png", LARGE)
    put("cat/notes.txt", b"notes"), put("cat/.hidden.png", png(2)), put(".cache/3.png", png(3)), put("cat/empty.png")
    folder = put("cat/é 日本.png", png(4))
    (folder / "cat" / "link.png").symlink_to(folder / "cat" / "1.png")
    (folder / "loop").symlink_to(folder)

    assert main([str(folder), "animals", "--to", LABELS]) == 0

    first, said = objects(animals), capsys.readouterr().out
    expected = {f"{LABELS}{name}" for name in ("cat/é 日本.png", "dog/1.png", "dog/large.png")}
    assert first.keys() - expected in ({f"{LABELS}cat/1.png"}, {f"{LABELS}cat/again/1.png"})
    for text in ("4 uploaded", "1 same content", "2 hidden", "2 a link", "1 no image", "1 empty"):
        assert text in said
    assert main([str(folder), "animals", "--to", LABELS]) == 0
    assert objects(animals) == first
    assert "4 already there" in capsys.readouterr().out


def test_the_same_content_under_another_name_is_not_uploaded(
    animals: S3Store, put: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor is a large one, which S3 has in parts."""
    for name, content in (("old/a.png", png(1)), ("old/b.png", LARGE)):
        path = put(name, content) / name
        animals.upload(path, f"{LABELS}cat/{Path(name).name}")
        path.unlink()
    put("cat/renamed.png", png(1)), put("cat/large.png", LARGE)

    assert main([str(put()), "animals"]) == 0

    assert "2 same content" in capsys.readouterr().out
    assert objects(animals).keys() == {f"{LABELS}cat/a.png", f"{LABELS}cat/b.png"}


def test_an_object_with_another_content_is_not_written_over_unasked(
    animals: S3Store, put: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    animals.call("put_object", f"{LABELS}cat/a.png", Body=png(1))
    folder = put("cat/a.png", png(2))

    assert main([str(folder), "animals"]) == 1
    assert "add --replace (cat/a.png)" in capsys.readouterr().out
    assert animals.read_bytes(f"{LABELS}cat/a.png")[0] == png(1)

    assert main([str(folder), "animals", "--replace"]) == 0
    assert animals.read_bytes(f"{LABELS}cat/a.png")[0] == png(2)


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(
    animals: S3Store, put: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    put("cat/a.png", png(1)), put("cat/b.png", png(1))

    assert main([str(put()), "animals", "--dry-run"]) == 0

    said = capsys.readouterr().out
    assert "1 would be uploaded" in said
    assert "1 same content" in said
    assert objects(animals) == {}


def test_annotated_images_are_uploaded_with_their_annotations(animals: S3Store, put: Callable[..., Path]) -> None:
    """Each under its name, with which the annotations name it, even where two have the same content."""
    put("images/a.png", png(1)), put("images/b.png", png(1)), put("labels/a.txt", b"0 0.5 0.5 1 1")

    assert main([str(put("data.yaml", b"names: [cat]")), "animals", "--to", "imports/uploads/set/"]) == 0

    names = ("images/a.png", "images/b.png", "labels/a.txt", "data.yaml")
    assert objects(animals).keys() == {f"imports/uploads/set/{name}" for name in names}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["cat/a.png"], "no folder"),
        (["."], "--to imports/uploads/"),
        ([".", "--to", "registry/"], "--to is 'registry/'"),
        ([".", "--to", "imports/uploads/../../registry"], "expected imports/uploads/<name>/"),
        ([".", "--to", "imports/uploads/"], "expected imports/uploads/<name>/"),
        ([".", "--to", "imports/uploads/x", "--project", "plants"], "There is no project 'plants'"),
        ([".", "--to", "imports/uploads/x", "--project", "taken"], "belongs to project 'animals'"),
        ([".", "--to", "imports/uploads/x", "--project", "nowhere"], "NoSuchBucket"),
    ],
)
def test_errors_name_what_is_wrong(
    animals: S3Store,
    put: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    expected: str,
) -> None:
    folder = put("cat/a.png", png(1)) and put("notes.json", b"{}")
    fields = json.loads((tmp_path / "projects" / "animals.yaml").read_text())
    (tmp_path / "projects" / "taken.yaml").write_text(json.dumps(fields))
    (tmp_path / "projects" / "nowhere.yaml").write_text(json.dumps({**fields, "bucket": "no-such-bucket"}))
    animals.create_json("registry/project.json", {"project": "animals"})
    name, *options = arguments
    project = options.pop() if "--project" in options else "animals"
    options = [each for each in options if each != "--project"]

    assert main([str(folder / name), project, *options]) == 1

    assert expected in capsys.readouterr().err
    assert objects(animals).keys() == {"registry/project.json"}


def test_images_in_no_folder_and_names_that_no_key_can_have_are_named(
    animals: S3Store, put: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = put("top.png", png(1)) and put("cat/line\nbreak\x1b[2J.png", png(2)) and put("cat/ok.png", png(3))
    Path(os.fsdecode(bytes(folder / "cat") + b"/\xe9.png")).write_bytes(png(4))

    assert main([str(folder), "animals"]) == 1

    said = capsys.readouterr().out
    assert "1 in no folder of a label (top.png)" in said
    assert "2 a name that no key can have" in said
    assert "\x1b" not in said
    assert objects(animals).keys() == {f"{LABELS}cat/ok.png"}


@pytest.mark.slow
def test_it_goes_on_where_it_was_interrupted(animals: S3Store, put: Callable[..., Path]) -> None:
    for number in range(150):
        put(f"cat/{number:03}.png", png(number))
    command = [sys.executable, "-m", "include.upload", str(put()), "animals", "--workers", "1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not objects(animals):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    first = objects(animals)

    assert (process.returncode, "the same command goes on" in errors) == (130, True)
    assert 0 < len(first) < 150
    assert main(command[3:]) == 0
    assert len(objects(animals)) == 150
    assert first.items() <= objects(animals).items()
