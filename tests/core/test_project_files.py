"""Project files that are wrong: each is refused by name, field and value, and takes no other project along."""

from __future__ import annotations

from pathlib import Path

import pytest

from custom_labels.core.settings import check_project_files, load_project, load_projects
from custom_labels.errors import SettingError

GOOD = "bucket: good-bucket\n"
QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/images"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of project files, with one that is right."""
    monkeypatch.setenv("CUSTOM_LABELS_PROJECTS_DIR", str(tmp_path))
    (tmp_path / "good.yaml").write_text(GOOD)
    return tmp_path


WRONG = {
    "a bad setting": (
        "birds.yaml",
        b"bucket: birds\nsettings: {minimum_f1_score: 80%}",
        "'settings.minimum_f1_score' in {path} is '80%': expected a number from 0 to 1. Correct the file.",
    ),
    "a list": ("birds.yaml", b"- bucket: birds", "{path} is a list, \"[{{'bucket': 'birds'}}]\": expected fields"),
    "plain text": ("birds.yaml", b"birds", "{path} is plain text, 'birds': expected fields with values"),
    "empty": ("birds.yaml", b"# nothing yet\n", "{path} is empty: expected fields with values"),
    "not UTF-8": ("birds.yaml", b"description: V\xf6gel", "{path} is not UTF-8: invalid start byte 0xf6 at byte 14"),
    "a key twice": (
        "birds.yaml",
        b"bucket: birds\nprefix: a\nbucket: cats",
        "In {path} the key 'bucket' is there twice, in lines 1 and 3. Correct the file.",
    ),
    "a setting twice": (
        "birds.yaml",
        b"bucket: birds\nsettings:\n  test_share: 0.1\n  test_share: 0.2",
        "the key 'test_share' is there twice, in lines 3 and 4",
    ),
    "a date that is none": ("birds.yaml", b"description: 2026-13-45", "{path} is no YAML: month must be in 1..12"),
    ".yml": ("birds.yml", b"bucket: birds", "{path} is not read: the name of a project file ends in '.yaml'"),
    ".YAML": ("birds.YAML", b"bucket: birds", "ends in '.yaml', not in '.YAML'. Rename it"),
    ".json": ("birds.json", b'{"bucket": "birds"}', "ends in '.yaml', not in '.json'"),
    "a dot in its name": (
        "my.birds.yaml",
        b"bucket: birds",
        "'name' in {path} is 'my.birds': expected letters",
    ),
    "another name": (
        "birds.yaml",
        b"bucket: birds\nname: cats",
        "'name' in {path} is 'cats': a project is named",
    ),
    "a number as a key": ("birds.yaml", b"bucket: birds\n1: x", "'1' in {path} is 'x'"),
    "an unknown task": (
        "birds.yaml",
        b"bucket: birds\ntask: boxes",
        "'boxes': Input should be 'image_classification', 'multi_label_classification' or 'object_detection'. Correct",
    ),
    "a task that is a list": ("birds.yaml", b"bucket: birds\ntask: [object_detection]", "'task' in {path} is ['obj"),
    "no task": ("birds.yaml", b"bucket: birds\ntask:", "'task' in {path} is None: Input should be 'image_class"),
    "an S3 URI": (
        "birds.yaml",
        b"bucket: s3://birds/x",
        "'bucket' in {path} is 's3://birds/x': expected the name",
    ),
    "an ARN": ("birds.yaml", b"bucket: arn:aws:s3:::birds", "expected the name of a bucket, not its ARN"),
    "capitals": (
        "birds.yaml",
        b"bucket: My_Bucket",
        "'bucket' in {path} is 'My_Bucket': expected the name of a",
    ),
    "an address": ("birds.yaml", b"bucket: 10.0.0.1", "no IP address"),
    "an alias": ("birds.yaml", b"bucket: birds-s3alias", "S3 keeps this beginning or ending for itself"),
    "a URI as prefix": (
        "birds.yaml",
        b"bucket: birds\nprefix: s3:/x",
        "'prefix' in {path} is 's3:/x': expected",
    ),
    "a prefix upwards": ("birds.yaml", b"bucket: birds\nprefix: a/../b", "single slashes between them"),
    "a zone": ("birds.yaml", b"bucket: birds\nregion_name: us-east-1a", "expected a region such as us-east-1"),
    "a queue's ARN": (
        "birds.yaml",
        b"bucket: birds\nqueues: {reviews: 'arn:aws:sqs:us-east-1:123456789012:reviews'}",
        "'queues.reviews' in {path} is 'arn:aws:sqs:us-east-1:123456789012:reviews': expected the URL of a queue",
    ),
    "a topic's name": ("birds.yaml", b"bucket: birds\nsns_topic_arn: alerts", "expected the ARN of a topic"),
    "a queue twice": (
        "birds.yaml",
        f"bucket: birds\nqueues: {{detections: '{QUEUE}', dead_letters: '{QUEUE}'}}".encode(),
        f"'queues.detections' of birds.yaml is {QUEUE}, and so is 'queues.dead_letters' of birds.yaml",
    ),
    "a place twice": (
        "birds.yaml",
        b"bucket: good-bucket",
        "'bucket' and 'prefix' of birds.yaml are s3://good-bucket/, which is also s3://good-bucket/ of good.yaml",
    ),
    "a place within": (
        "birds.yaml",
        b"bucket: good-bucket\nprefix: birds",
        "are s3://good-bucket/birds/, which overlaps s3://good-bucket/ of good.yaml. A bucket and prefix belong to one",
    ),
}


@pytest.mark.parametrize(("name", "content", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_is_refused_when_the_others_are_loaded(
    folder: Path, name: str, content: bytes, words: str
) -> None:
    (folder / name).write_bytes(content)

    assert "good" in [project.name for project in load_projects()]
    with pytest.raises(SettingError) as refused:
        check_project_files()
    assert words.format(path=folder / name) in str(refused.value)


def test_all_wrong_files_are_named_at_once(folder: Path) -> None:
    (folder / "birds.yaml").write_text("[]")
    (folder / "cats.yaml").mkdir()

    with pytest.raises(SettingError) as refused:
        check_project_files()

    assert [line.split(" is ")[0].split(" cannot ")[0] for line in str(refused.value).splitlines()] == [
        str(folder / "birds.yaml"),
        str(folder / "cats.yaml"),
    ]


RIGHT = {
    "other buckets": "bucket: other-bucket",
    "prefixes side by side": "bucket: a-bucket\nprefix: birds-2",
    "a byte order mark": "\ufeffbucket: other-bucket",
    "one label an image": "bucket: other-bucket\ntask: image_classification",
    "a queue of its own": f"bucket: other-bucket\nqueues: {{detections: {QUEUE}2}}",
}


@pytest.mark.parametrize("content", RIGHT.values(), ids=RIGHT)
def test_projects_side_by_side_are_right(folder: Path, content: str) -> None:
    (folder / "birds.yaml").write_text(f"bucket: a-bucket\nprefix: birds\nqueues: {{detections: {QUEUE}}}")
    (folder / "cats.yaml").write_text(content, encoding="utf-8")
    (folder / ".cats.yaml").write_bytes(b"\xff an editor's")

    check_project_files()

    assert [project.name for project in load_projects()] == ["birds", "cats", "good"]


def test_a_folder_that_is_missing_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUSTOM_LABELS_PROJECTS_DIR", str(tmp_path / "nowhere"))

    assert load_projects() == []
    with pytest.raises(SettingError, match=r"There is no folder of project files: .*nowhere is missing"):
        check_project_files()


def test_a_key_that_is_merged_may_be_beaten(folder: Path) -> None:
    (folder / "birds.yaml").write_text("bucket: birds\nsettings:\n  <<: {test_share: 0.1}\n  test_share: 0.3")

    assert load_project("birds").settings.test_share == 0.3
