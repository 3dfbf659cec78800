"""What `make mwaa` writes, where Amazon MWAA puts it: an Airflow with nothing else of the checkout runs the loop."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest
from botocore import xform_name
from botocore.session import get_session

from custom_labels.core.settings import PROJECTS_DIR_VARIABLE, load_projects
from include.deployments.__main__ import main
from include.deployments.mwaa import DAGS, build_mwaa
from tests.conftest import ROOT, airflow_environment
from tests.kit.dag_runs import record
from tests.kit.database import provide_database
from tests.kit.harvests import copies
from tests.kit.review_project import loops, set_up_review, wait_until_ended
from tests.kit.support import BUCKET, LABELS, picture, put_images, s3
from tests.platforms.deployed import ANSWER

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

FROM_THE_TESTS = ("CORE__FERNET_KEY", "API_AUTH__JWT_SECRET", "CORE__LOAD_EXAMPLES", "CORE__DEFAULT_TASK_RETRY_DELAY")
"""Options of the tests' own Airflow that say nothing of where files lie."""
SETTINGS = {
    "status_poll_seconds": 1,
    "minimum_untrained_images": 10,
    "minimum_f1_score": 0.5,
    "drain_seconds": 0,
    "detections_per_unit_second": 1000,
    "minimum_label_detection_confidence": 100,
    "daily_review_budget": 1000,
    "inspect_images": False,
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mwaa")
    build_mwaa(folder, load_projects())
    return folder


def unpack(built: Path, home: Path) -> None:
    """Put all where the environment's machines have it."""
    with zipfile.ZipFile(built / "plugins.zip") as plugins:
        plugins.extractall(home / "plugins")
    shutil.copytree(built / "dags", home / "dags")
    shutil.copy(built / "startup.sh", home)


class Deployed:
    """An Airflow process of what was deployed, without anything of this process's environment.

    :param home: its AIRFLOW_HOME, in which its working directory is as well.
    """

    def __init__(self, home: Path, environment: dict[str, str]) -> None:
        self.home = home
        self.environment = environment

    def __enter__(self) -> Self:
        command = ["bash", "-c", '. "$0" && exec "$@"', str(self.home / "startup.sh")]
        # Neither the folder of the script nor the working directory is where it imports from.
        command += [sys.executable, "-P", str(ROOT / "tests" / "platforms" / "deployed.py")]
        self.log = (self.home / "process.log").open("w")
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            cwd=self.home,
            env=self.environment,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self.log.close()

    def ask(self, *question: str) -> dict[str, Any]:
        """Ask it, and wait for the answer."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{json.dumps(question)}\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith(ANSWER):
                return dict(json.loads(line.removeprefix(ANSWER)))
        raise AssertionError((self.home / "process.log").read_text()[-4000:])


@pytest.fixture
def deployed(built: Path, aws: LocalAws, airflow_db: None, shared_folder: Path, tmp_path: Path) -> Iterator[Deployed]:
    home = tmp_path / "airflow"
    home.mkdir()
    provide_database(shared_folder, home)
    unpack(built, home)
    ours = airflow_environment(home, aws.endpoint_url)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTHON"))}
    environment |= {f"AIRFLOW__{name}": ours[f"AIRFLOW__{name}"] for name in FROM_THE_TESTS}
    environment |= {f"AIRFLOW_VAR_DIGITS__{name.upper()}": str(value) for name, value in SETTINGS.items()}
    environment |= {"AIRFLOW_HOME": str(home), "AIRFLOW_CONN_AWS_DEFAULT": ours["AIRFLOW_CONN_AWS_DEFAULT"]}
    environment.pop(PROJECTS_DIR_VARIABLE, None)
    with Deployed(home, environment) as process:
        yield process


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_loop_runs_where_nothing_but_the_deployment_is(deployed: Deployed, aws: LocalAws) -> None:
    parsed = deployed.ask("parse")
    assert parsed["errors"] == {}
    # One file says what is wrong with project files, and one is for projects that ask people on Airflow's own page.
    kinds = {path.stem for path in (ROOT / "dags").glob("*.py")} - {"project_files", "ask_people"}
    assert parsed["dags"] == sorted(f"digits_{kind}" for kind in kinds)
    assert parsed["checkout"] == []
    assert Path(parsed["library"]).is_relative_to(deployed.home)
    assert deployed.ask("plugin") == {
        "errors": {},
        "timetables": ["PollTimetable"],
        "pages": ["/custom-labels"],
        "names": ["custom_labels"],
    }

    review_project = set_up_review(aws)
    put_images(aws, 10)
    for label in LABELS:
        key = f"images_for_detection/{label}/0001.png"
        s3(aws).put_object(Bucket=BUCKET, Key=key, Body=picture(label, 101))
    aws.control.workforce(seconds=0)

    assert deployed.ask("run", "digits_bootstrap")["outcome"] == "ready"
    assert deployed.ask("run", "digits_train")["outcome"] == "deployed"
    assert deployed.ask("run", "digits_detect")["outcome"] == "detected"
    asked = loops(review_project)
    assert len(asked) == len(LABELS), "every one is in doubt"
    wait_until_ended(review_project, *asked)
    assert deployed.ask("run", "digits_harvest_reviews")["state"] == "success"
    assert sorted(copies(aws)) == sorted(label for label in LABELS for _ in range(11))

    version = record(aws, "live")["version_name"]
    decision = deployed.ask("page", f"/custom-labels/digits/decisions/{version}")
    lineage = deployed.ask("page", f"/custom-labels/digits/lineage/{version}")
    assert [(each["status"], each["type"]) for each in (decision, lineage)] == [(200, "text/html; charset=utf-8")] * 2
    assert version in decision["text"]


def test_a_second_build_of_the_same_files_changes_no_byte_and_touches_no_file(built: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in built.rglob("*") if path.is_file()}

    again = build_mwaa(built, load_projects())
    build_mwaa(tmp_path, load_projects())

    assert set(again.values()) == {False}
    assert {path: path.stat().st_mtime_ns for path in before} == before
    digests = [hashlib.sha256((folder / "plugins.zip").read_bytes()).hexdigest() for folder in (built, tmp_path)]
    assert digests[0] == digests[1]


def test_the_zip_holds_every_file_of_the_library_and_nothing_of_this_machine(built: Path) -> None:
    library = [path for path in (ROOT / "plugins").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    with zipfile.ZipFile(built / "plugins.zip") as plugins:
        names = set(plugins.namelist())
        assert {entry.external_attr >> 16 for entry in plugins.infolist()} == {0o100644}

    assert {path.relative_to(ROOT / "plugins").as_posix() for path in library} <= names
    assert {Path(name).suffix for name in names} >= {".py", ".json", ".j2", ".html", ".yaml", ".md"}
    assert not [name for name in names if re.search(r"__pycache__|\.pyc$|^/|\.\./|(^|/)\.(?!airflowignore$)", name)]
    assert "projects/digits.yaml" in names


AWS_CLI = """#!/bin/bash
printf '%s\\0' "$@" >> "$CALLS"; printf '\\n' >> "$CALLS"
[ "$2" = head-object ] && echo "version of $6"
exit 0
"""


def run_commands(text: str, folder: Path) -> list[list[str]]:
    """Paste commands into a shell whose AWS CLI only writes down what it was asked; give that."""
    tool, calls = folder / "bin" / "aws", folder / "calls"
    tool.parent.mkdir()
    tool.write_text(AWS_CLI)
    tool.chmod(0o755)
    environment = {"PATH": f"{tool.parent}:{os.environ['PATH']}", "CALLS": str(calls)}
    subprocess.run(["bash", "-euc", text], env=environment, cwd=folder, check=True, timeout=60)
    return [line.split("\0")[:-1] for line in calls.read_text().splitlines()]


def test_the_printed_commands_are_the_ones_that_aws_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "a folder"
    assert main(["mwaa", "--to", str(folder), "--bucket", "my-bucket", "--environment", "my-airflow"]) == 0
    _, _, printed = capsys.readouterr().out.partition("\n\n")

    calls = run_commands(printed.split("\n\n")[0], tmp_path)

    files, dags, *heads, update = calls
    assert files[:4] == ["s3", "sync", str(folder), "s3://my-bucket"]
    assert files[files.index("--exclude") + 1] == "*"
    assert dags == ["s3", "sync", f"{folder}/dags/{DAGS}", f"s3://my-bucket/dags/{DAGS}", "--delete"]
    assert [call[:4] for call in heads] == [["s3api", "head-object", "--bucket", "my-bucket"]] * 3
    assert update[:2] == ["mwaa", "update-environment"]
    options = dict(zip(update[2::2], update[3::2], strict=True))
    members = {xform_name(name, "-") for name in operation("mwaa", "UpdateEnvironment").input_shape.members}
    assert {name.removeprefix("--") for name in options} <= members
    for name in ("plugins.zip", "requirements.txt", "startup.sh"):
        path = next(option for option, value in options.items() if value == name)
        assert options[path.replace("-path", "-object-version")] == f"version of {name}"
        assert (folder / name).is_file()


def operation(service: str, name: str) -> Any:
    return get_session().get_service_model(service).operation_model(name)


@pytest.mark.parametrize(
    ("option", "value", "complaint"),
    [("--bucket", "B", "expected the name of a bucket"), ("--environment", "1; rm", "expected a letter, then up to")],
)
def test_a_name_that_aws_would_not_take_is_refused(
    option: str, value: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["mwaa", option, value])
    assert complaint in capsys.readouterr().err


def test_a_dag_file_that_is_gone_is_gone_from_the_next_build(built: Path, tmp_path: Path) -> None:
    build_mwaa(tmp_path, load_projects())
    old = tmp_path / "dags" / DAGS / "of_an_earlier_version.py"
    old.write_text("")
    foreign = tmp_path / "dags" / "of_somebody_else.py"
    foreign.write_text("")

    assert build_mwaa(tmp_path, load_projects())["dags"] is True
    assert (old.exists(), foreign.exists()) == (False, True)


def test_the_startup_script_names_the_project_files(built: Path) -> None:
    script = str(built / "startup.sh")
    subprocess.run(["bash", "-n", script], check=True)

    def environment(home: str | None) -> str:
        given = {"PATH": os.environ["PATH"]} | ({"AIRFLOW_HOME": home} if home else {})
        shown = ["bash", "-c", f'. "$0" && printenv {PROJECTS_DIR_VARIABLE}', script]
        return subprocess.run(shown, env=given, capture_output=True, text=True, check=True).stdout.strip()

    assert environment(None) == "/usr/local/airflow/plugins/projects"
    assert environment("/somewhere/else") == "/somewhere/else/plugins/projects"


A2I = """
bucket: my-shoes
review:
  backend: a2i
  title: Which shoe?
  a2i:
    workteam_arn: arn:aws:sagemaker:us-east-1:123456789012:workteam/private-crowd/shoes
    role_arn: arn:aws:iam::123456789012:role/shoes
    template: {template}
"""


def write_project(folder: Path, template: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir(parents=True)
    (folder / "shoes.yaml").write_text(A2I.format(template=template))
    monkeypatch.setenv(PROJECTS_DIR_VARIABLE, str(folder))


@pytest.mark.parametrize(
    ("template", "lies_at"),
    [("mine.html", "projects/mine.html"), ("../templates/mine.html", "templates/mine.html")],
    ids=["beside the project file", "in a folder of its own"],
)
def test_a_template_of_the_projects_own_goes_along(
    template: str, lies_at: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_project(tmp_path / "include" / "projects", template, monkeypatch)
    page = tmp_path / "include" / "projects" / template
    page.parent.mkdir(exist_ok=True)
    page.write_text("<p>mine</p>")

    build_mwaa(tmp_path / "build", load_projects())
    with zipfile.ZipFile(tmp_path / "build" / "plugins.zip") as plugins:
        plugins.extractall(tmp_path / "plugins")

    monkeypatch.setenv(PROJECTS_DIR_VARIABLE, str(tmp_path / "plugins" / "projects"))
    (project,) = load_projects()
    assert project.review
    found: Path = project.review.part.template_path(project.task)  # type: ignore[attr-defined]
    assert found.resolve() == (tmp_path / "plugins" / lies_at).resolve()
    assert found.read_text() == "<p>mine</p>"


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("../../mine.html", "which plugins.zip cannot hold"),
        ("/etc/passwd", "which plugins.zip cannot hold"),
        ("../custom_labels/errors.py", "which plugins.zip cannot hold"),
        ("missing.html", "is missing. Correct the file"),
    ],
    ids=["outside", "of the machine", "over the library", "missing"],
)
def test_a_template_that_cannot_go_along_is_an_error(
    template: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_project(tmp_path / "projects", template, monkeypatch)

    assert main(["mwaa", "--to", str(tmp_path / "build")]) == 1
    said = capsys.readouterr().err
    assert f"'template' in shoes.yaml is '{template}', " in said
    assert complaint in said
    assert not (tmp_path / "build").exists()
