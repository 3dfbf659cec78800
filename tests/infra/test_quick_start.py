"""The quick start, walked through word by word: the page's own commands, in their order, against the embedded AWS.

Bash runs them in a tree like that of the repository, the environment goes on from one to the next. Replaced: `make
install`; `airflow standalone`, and its scheduler, by running each DAG that is
triggered with ``dag.test()``; commands that need one, which Airflow's own parser checks; and the AWS CLI's `s3 cp`.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import ROOT
from tests.infra.test_deploy import stacks
from tests.kit.dag_runs import Run, run_dag
from tests.kit.documents import code_blocks
from tests.kit.support import LABELS, client, picture

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.slow

PAGE = ROOT / "docs" / "quick_start.md"
IMAGES = 24
"""Images a label."""
RUN_BY_AIRFLOW = {("pools", "import"), ("variables", "set")}
"""Commands that need no more than Airflow's database."""
CHECKED_ONLY = {("standalone",), ("dags", "unpause"), ("dags", "pause"), ("dags", "list-runs")}
"""Commands that need a scheduler, or DAGs that one has read."""


def commands(page: str) -> Iterator[str]:
    """Give the lines of the page's blocks of bash, in order."""
    for block in code_blocks(page, "bash"):
        yield from block.strip().splitlines()


@dataclass
class Walk:
    """Somebody who pastes the commands of the page.

    :param tree: the folder that they are in; ``environment`` what they exported.
    """

    tree: Path
    environment: dict[str, str]
    aws: LocalAws
    printed: dict[str, str] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)

    def paste(self, command: str) -> None:
        """Do what a command says."""
        first = command.split(maxsplit=1)[0]
        special: dict[str, Callable[[list[str]], None]] = {"make": self.make, "airflow": self.airflow, "aws": self.cli}
        if first in special:
            special[first](self.expanded(command))
        else:
            self.bash(command)

    def bash(self, command: str) -> None:
        """Run a command, and keep what it exported or set."""
        end = self.tree / ".environment"
        done = subprocess.run(
            ["bash", "-eu", "-o", "pipefail", "-a", "-c", f"{command}\nenv -0 > '{end}'"],
            cwd=self.tree,
            env=self.environment,
            capture_output=True,
            check=False,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        self.printed[command] = done.stdout
        self.environment = dict(line.split("=", 1) for line in end.read_text().split("\0") if line)

    def expanded(self, command: str) -> list[str]:
        """Give the arguments that bash would give to a program."""
        self.bash(f"printf '%s\\0' {command}")
        return self.printed[f"printf '%s\\0' {command}"].split("\0")[1:-1]

    def make(self, arguments: Sequence[str]) -> None:
        """Do what the Makefile does, but install: what is installed is installed."""
        if arguments[0] == "airflow-settings":
            _, options = arguments[1].split("=", 1)
            self.bash(f"python -m include.deployments airflow-settings {options}")
        else:
            assert list(arguments) == ["install"]

    def airflow(self, arguments: Sequence[str]) -> None:
        """Run a DAG, or let Airflow's own program do it."""
        from airflow.cli.cli_parser import get_parser

        parsed = get_parser().parse_args([str(self.tree / a) if a.endswith(".json") else a for a in arguments])
        if tuple(arguments[:2]) == ("dags", "trigger"):
            self.trigger(parsed.dag_id, json.loads(parsed.conf or "{}"))
        elif tuple(arguments[:2]) in RUN_BY_AIRFLOW:
            parsed.func(parsed)
        else:
            assert tuple(arguments[:2]) in CHECKED_ONLY

    def trigger(self, dag_id: str, conf: dict[str, Any]) -> None:
        """Run a DAG once."""
        project, kind = dag_id.split("_", 1)
        self.runs.append(run_dag(kind, conf, project))

    def cli(self, arguments: Sequence[str]) -> None:
        """Copy to or from S3, as `aws s3 cp` does."""
        assert list(arguments[:2]) == ["s3", "cp"]
        s3, (source, target) = client(self.aws, "s3"), [a for a in arguments[2:] if a != "--recursive"]
        if target.startswith("s3://"):
            bucket, _, key = target.removeprefix("s3://").partition("/")
            s3.upload_file(str(self.tree / source), bucket, key)
            return
        bucket, _, prefix = source.removeprefix("s3://").partition("/")
        for each in s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]:
            path = self.tree / target / each["Key"].removeprefix(prefix)
            path.parent.mkdir(parents=True, exist_ok=True)
            s3.download_file(bucket, each["Key"], str(path))


@pytest.fixture
def walk(aws: LocalAws, airflow_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Walk:
    """A tree like the repository's, with images, and credentials."""
    (tmp_path / "include" / "projects").mkdir(parents=True)
    for each in ("plugins", "dags", ".venv"):
        (tmp_path / each).symlink_to(ROOT / each)
    for path in (ROOT / "include").iterdir():
        if path.name not in {"projects", "__pycache__"}:
            (tmp_path / "include" / path.name).symlink_to(path)
    for label in LABELS:
        (tmp_path / "images" / label).mkdir(parents=True)
        for number in range(IMAGES):
            (tmp_path / "images" / label / f"{number}.jpg").write_bytes(picture(label, number, "JPEG"))
    (tmp_path / "new.jpg").write_bytes(picture(LABELS[0], 1000, "JPEG"))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ENDPOINT_URL": aws.endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        # Python finds the folder behind the tree's links, which has the shipped project only.
        "CUSTOM_LABELS_PROJECTS_DIR": str(tmp_path / "include" / "projects"),
    }
    monkeypatch.setenv("CUSTOM_LABELS_PROJECTS_DIR", environment["CUSTOM_LABELS_PROJECTS_DIR"])
    return Walk(tmp_path, environment, aws)


def test_every_command_of_the_page_does_what_the_page_says(walk: Walk, aws: LocalAws) -> None:
    for command in commands(PAGE.read_text(encoding="utf-8")):
        walk.paste(command)

    assert [(each.state, *each.ends) for each in walk.runs] == [
        ("success", outcome)
        for outcome in ("ready", "planned", "deployed", "detected", "teardown_planned", "torn_down")
    ]
    (result,) = [json.loads(path.read_text()) for path in (walk.tree / "detections").rglob("*.json")]
    assert result["key"] == "images_for_detection/new.jpg"
    assert stacks(aws) == []
    assert client(aws, "rekognition").describe_projects()["ProjectDescriptions"] == []
    assert list((walk.tree / "include" / "projects").iterdir()) == []


def test_the_command_that_the_last_one_prints_leaves_nothing(walk: Walk, aws: LocalAws) -> None:
    for command in ("export PYTHONPATH=$PWD:$PWD/plugins AWS_DEFAULT_REGION=us-east-1", ". .venv/bin/activate"):
        walk.paste(command)
    walk.paste("python -m include.infra deploy birds")
    client(aws, "s3").put_object(Bucket="custom-labels-birds-123456789012-us-east-1", Key="a", Body=b"1")
    walk.paste("python -m include.infra teardown birds")

    walk.paste(walk.printed["python -m include.infra teardown birds"].splitlines()[-1])

    assert client(aws, "s3").list_buckets()["Buckets"] == []


def test_what_the_page_names_in_its_text_is_there() -> None:
    text = PAGE.read_text(encoding="utf-8")
    from custom_labels.core.settings import Settings

    assert set(re.findall(r"birds__(\w+)", text)) <= Settings.model_fields.keys()
    assert all(shlex.split(line) for line in commands(text))
