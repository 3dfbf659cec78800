"""write-project: the file that the library takes, what a person has changed in it, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from custom_labels.core.settings import check_project_files, load_project, projects_dir
from custom_labels.review.backends.workforce import WorkforcePart
from tests.infra.conftest import Run

TEAM = "arn:aws:sagemaker:us-east-1:123456789012:workteam/private-crowd/birds"
COMMENTED = """\
# Birds of the garden.
description: Birds   # all of them
bucket: elsewhere    # of an earlier try
region_name: "eu-west-1"
pool: mine

queues:
  # Only this one was there.
  detections: https://sqs.eu-west-1.amazonaws.com/123456789012/old
review:
  backend: a2i
  title: 'Which bird: is it?'
  a2i:
    workteam_arn: arn:aws:sagemaker:us-east-1:123456789012:workteam/private-crowd/mine
    role_arn: arn:aws:iam::123456789012:role/old  # the console's
settings:
  minimum_f1_score: 0.9
"""


@pytest.fixture
def file(run: Run) -> Path:
    """The project's file, which is not there yet; its stack is."""
    assert run("deploy", "birds", "--bucket", "my-birds", "--prefix", "a").code == 0
    return projects_dir() / "birds.yaml"


@pytest.mark.parametrize(
    ("options", "task", "backend"),
    [
        ([], "image_classification", "airflow"),
        (["--task", "multi_label_classification"], "multi_label_classification", "airflow"),
        (["--task", "object_detection"], "object_detection", "label_studio"),
        (["--backend", "label_studio"], "image_classification", "label_studio"),
        (["--backend", "a2i", "--workteam", TEAM], "image_classification", "a2i"),
        (
            ["--backend", "ground_truth", "--workteam", TEAM, "--task", "object_detection"],
            "object_detection",
            "ground_truth",
        ),
    ],
    ids=["usual", "several", "boxes", "label_studio", "a2i", "ground_truth"],
)
def test_a_new_file_is_what_the_library_takes(
    run: Run, file: Path, options: list[str], task: str, backend: str
) -> None:
    ended = run("write-project", "birds", *options)

    assert (ended.code, "is written" in ended.out) == (0, True), ended.err
    check_project_files()
    project = load_project("birds")
    assert (project.bucket, project.prefix, project.region_name) == ("my-birds", "a/", "us-east-1")
    assert project.sns_topic_arn == "arn:aws:sns:us-east-1:123456789012:custom-labels-birds"
    assert [str(url).rpartition("/")[2].split("-")[3] for url in project.queues.model_dump().values()] == [
        "DetectionQueue",
        "DeadLetterQueue",
        "ReviewQueue",
    ]
    assert project.review is not None
    assert (project.task, project.review.backend) == (task, backend)
    if isinstance(project.review.part, WorkforcePart):
        assert project.review.part.workteam_arn == TEAM
        assert ":role/custom-labels-birds-ReviewRole-" in project.review.part.role_arn
    assert file.stat().st_mode & 0o777 == 0o644


def test_a_second_run_writes_nothing(run: Run, file: Path) -> None:
    run("write-project", "birds")
    before = file.stat()

    ended = run("write-project", "birds")

    assert (ended.code, "nothing to change" in ended.out) == (0, True)
    assert file.stat() == before


def test_a_dry_run_shows_the_file_and_writes_none(run: Run, file: Path) -> None:
    ended = run("write-project", "birds", "--dry-run")

    assert (ended.code, "+bucket: my-birds" in ended.out, "was not written" in ended.out) == (0, True, True)
    assert not file.exists()


@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["unix", "windows"])
def test_what_a_person_wrote_is_kept(run: Run, file: Path, ends: str) -> None:
    file.write_bytes(COMMENTED.replace("\n", ends).encode())
    file.chmod(0o600)

    ended = run("write-project", "birds")

    assert ended.code == 0, ended.err
    after = file.read_bytes().decode()
    assert after.count("\n") == after.count(ends)
    text = after.replace(ends, "\n")
    for kept in ("# Birds of the garden.", "bucket: my-birds    # of an earlier try", "title: 'Which bird: is it?'"):
        assert kept in text
    for kept in (
        "# Only this one was there.",
        "pool: mine",
        "  minimum_f1_score: 0.9",
        "# the console's",
        "private-crowd/mine",
    ):
        assert kept in text
    project = load_project("birds")
    assert (project.bucket, project.prefix, project.region_name, project.pool) == (
        "my-birds",
        "a/",
        "us-east-1",
        "mine",
    )
    assert all(project.queues.model_dump().values())
    assert file.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in file.parent.iterdir()] == ["birds.yaml"]


@pytest.mark.parametrize(
    "content",
    ["{bucket: x, description: a}\n", "bucket: &b old-birds\ndescription: *b\n", "bucket: x\nqueues: {}\n"],
    ids=["flow", "anchor", "empty queues"],
)
def test_a_file_that_cannot_be_changed_piece_by_piece_is_left_as_it_is(run: Run, file: Path, content: str) -> None:
    file.write_text(content)

    ended = run("write-project", "birds")

    assert (ended.code, file.read_text()) == (1, content)
    assert "change them by hand" in ended.err
    assert "+bucket: my-birds" in ended.err


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        ("bucket: x\ntask: object_detection\n", ["--task", "image_classification"], "'task' in"),
        ("bucket: x\nreview: {backend: airflow}\n", ["--backend", "label_studio"], "'review.backend' in"),
        ("bucket: x\nbucket: y\n", [], "the key 'bucket' is there twice"),
        ("bucket: x\ncolour: red\n", [], "'colour': Extra inputs are not permitted"),
        ("- a list\n", [], "is a list"),
        ("", [], "is empty"),
    ],
    ids=["task", "backend", "twice", "unknown field", "list", "empty"],
)
def test_a_file_that_says_otherwise_is_left_as_it_is(
    run: Run, file: Path, content: str, options: list[str], expected: str
) -> None:
    file.write_text(content)

    ended = run("write-project", "birds", *options)

    assert (ended.code, expected in ended.err) == (1, True), ended.err
    assert file.read_text() == content


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--backend", "a2i"], "--workteam names none"),
        (["--backend", "airflow", "--task", "object_detection"], "'review.backend'"),
    ],
    ids=["no team", "boxes on Airflow's page"],
)
def test_a_new_file_that_would_be_wrong_is_not_written(run: Run, file: Path, options: list[str], expected: str) -> None:
    ended = run("write-project", "birds", *options)

    assert (ended.code, expected in ended.err) == (1, True), ended.err
    assert not file.exists()


def test_another_projects_bucket_is_not_written_into_a_file(run: Run, file: Path) -> None:
    (file.parent / "fish.yaml").write_text(yaml.safe_dump({"bucket": "my-birds", "prefix": "a/b"}))

    ended = run("write-project", "birds")

    assert (ended.code, "A bucket and prefix belong to one project" in ended.err) == (1, True)
    assert not file.exists()


def test_a_folder_that_is_not_there_is_named(run: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUSTOM_LABELS_PROJECTS_DIR", str(file.parent / "nowhere"))

    ended = run("write-project", "birds")

    assert (ended.code, f"{file.parent}/nowhere/birds.yaml cannot be written" in ended.err) == (1, True), ended.err


def test_without_a_stack_there_is_no_file(run: Run) -> None:
    ended = run("write-project", "fish")

    assert (ended.code, "run deploy fish first" in ended.err) == (1, True)
