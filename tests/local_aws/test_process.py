"""The process: how it starts, what it prints, and that nothing of it stays behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import psutil
import pytest

from include.local_aws.process import LocalAws, LocalAwsError
from tests.local_aws.review_support import ROLE
from tests.local_aws.support import BUCKET, OUTPUT, Aws, wait_for

ROOT = Path(__file__).resolve().parents[2]


def is_alive(process_id: int) -> bool:
    """Say whether a process runs; one that ended but was not collected yet counts as dead."""
    try:
        status = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
def process(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A server as a user starts it, with its log in a file."""
    with (tmp_path / "log").open("w") as log:
        started = subprocess.Popen(
            [sys.executable, "-m", "include.local_aws", "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=ROOT,
        )
        yield started
        started.kill()
        started.wait()
        assert started.stdout is not None
        started.stdout.close()


def ready(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    found = re.fullmatch(r"local AWS ready at (http://127\.0\.0\.1:\d+)\n", process.stdout.readline())
    assert found
    return found[1]


def children_at_work(process: subprocess.Popen[str]) -> list[int]:
    """Return the process ids of a server's children, once one of them has rendered a page."""
    aws = Aws(ready(process))
    aws.client("sagemaker").render_ui_template(UiTemplate={"Content": "a"}, Task={"Input": "{}"}, RoleArn=ROLE)
    children = [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
    assert set(children) > set(aws.control.health()["trainer_process_ids"])
    return children


@pytest.mark.parametrize(
    "number",
    [pytest.param(signal.SIGINT, id="Ctrl-C"), pytest.param(signal.SIGTERM, id="SIGTERM", marks=pytest.mark.matrix)],
)
def test_server_stops_cleanly_with_its_workers_on(process: subprocess.Popen[str], number: int) -> None:
    workers = children_at_work(process)
    process.send_signal(number)
    assert process.wait(60) == 0
    wait_for(lambda: any(is_alive(worker) for worker in workers), False)
    assert process.stdout is not None
    assert process.stdout.read() == ""


def test_workers_end_when_the_server_is_killed(process: subprocess.Popen[str]) -> None:
    workers = children_at_work(process)
    assert all(is_alive(worker) for worker in workers)
    process.kill()
    wait_for(lambda: any(is_alive(worker) for worker in workers), False)


def test_log_has_one_line_a_call(process: subprocess.Popen[str], tmp_path: Path) -> None:
    url = ready(process)
    client = boto3.client(
        "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    client.create_bucket(Bucket="bucket")
    with pytest.raises(client.exceptions.NoSuchKey):
        client.get_object(Bucket="bucket", Key="none")
    lines = (tmp_path / "log").read_text().splitlines()
    assert re.search(r"\d\d:\d\d:\d\d,\d+ s3\.CreateBucket 200 \d+ ms$", lines[0])
    assert re.search(r" s3\.GetObject NoSuchKey \d+ ms$", lines[1])


def test_server_ends_when_its_starter_is_killed() -> None:
    code = (
        "from include.local_aws.process import LocalAws\n"
        "import time\n"
        "server = LocalAws(['--quiet'])\n"
        "server.start()\n"
        "print(server.process_id, flush=True)\n"
        "time.sleep(60)\n"
    )
    starter = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert starter.stdout is not None
    server = int(starter.stdout.readline())
    assert is_alive(server)
    starter.kill()
    starter.wait()
    starter.stdout.close()
    wait_for(lambda: is_alive(server), False)


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (["--duration", "nope=1"], "Duration 'nope' is unknown"),
        (["--duration", "training"], "is not NAME=VALUE"),
        (["--quota", "trainings=x"], "invalid literal"),
        (["--fault", '{"kind": "nope"}'], "Fault kind 'nope' is unknown"),
    ],
)
def test_start_is_refused_with_a_reason_when_an_option_is_wrong(option: list[str], says: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "include.local_aws", *option], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert ended.returncode == 2
    assert says in ended.stderr


def test_runner_tells_when_the_server_does_not_start() -> None:
    with pytest.raises(LocalAwsError, match="did not start"):
        LocalAws(["--duration", "nope=1"]).start()


def test_options_are_in_force_from_the_start() -> None:
    options = ["--quiet", "--quota", "projects=3", "--fault", '{"operation": "s3.ListBuckets", "kind": "error"}']
    with LocalAws([*options, "--seed", "7"]) as server:
        assert server.control.quotas()["projects"] == 3
        assert server.control.health()["seed"] == 7
        with pytest.raises(Exception, match="InternalError"):
            Aws(server.endpoint_url).s3.list_buckets()


def test_training_fails_and_the_next_one_works_when_the_workers_are_killed(aws: Aws) -> None:
    project = aws.colour_project()
    workers = aws.control.health()["trainer_process_ids"]
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)
    aws.rekognition.create_project_version(ProjectArn=project, VersionName="v1", OutputConfig=OUTPUT)
    time.sleep(0.3)
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    wait_for(lambda: all(has_ended(worker) for worker in workers), True)
    version = aws.trained(project, "v1")
    assert (version["Status"], "training process ended" in version["StatusMessage"]) == ("TRAINING_FAILED", True)
    assert aws.train(project, "v2")["Status"] == "TRAINING_COMPLETED"


def has_ended(process_id: int) -> bool:
    """Whether a process has really ended: on a busy machine a killed one lives on for a moment."""
    try:
        return psutil.Process(process_id).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_start_is_refused_when_the_port_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = subprocess.run(
            [sys.executable, "-m", "include.local_aws", "--port", port],
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=False,
            timeout=30,
        )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"Port {port} of 127.0.0.1 cannot be used" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_server_stops_at_once_when_it_is_training(process: subprocess.Popen[str]) -> None:
    aws = Aws(ready(process))
    aws.s3.create_bucket(Bucket=BUCKET)
    project = aws.colour_project()
    aws.control.durations(training=600)
    aws.rekognition.create_project_version(ProjectArn=project, VersionName="v1", OutputConfig=OUTPUT)
    workers = aws.control.health()["trainer_process_ids"]
    process.terminate()
    assert process.wait(60) == 0
    assert not any(is_alive(worker) for worker in workers)
