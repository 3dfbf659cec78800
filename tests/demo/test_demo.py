"""The demo as a user runs it: a real Airflow, the embedded AWS, real trainings, and no process left behind.

``make test`` sees that it starts and stops; ``make test-running`` plays it to its end.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from include.demo.processes import session_members
from include.label_studio.server import installed
from tests.kit.support import wait_until

ROOT = Path(__file__).resolve().parents[2]

# Beside each other on two cores they take each other's time; where tests run in several processes they stay in one.
# Five minutes on an idle machine, more than twenty beside a dozen busy processes.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000), pytest.mark.xdist_group("demo")]


def _start(*options: str) -> subprocess.Popen[str]:
    """Start the demo as `make demo` does, in an environment that must not reach it."""
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'plugins'}",
        "AWS_ACCESS_KEY_ID": "must-not-be-used",
        "AIRFLOW__CORE__DAGS_FOLDER": "/nonexistent",
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return subprocess.Popen(
        [sys.executable, "-m", "include.demo", *options],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _sessions(demo: subprocess.Popen[str]) -> frozenset[int]:
    """The demo's own session and that of each program it started."""
    children = psutil.Process(demo.pid).children()
    return frozenset([demo.pid, *(os.getsid(child.pid) for child in children)])


def _wait_for_line(demo: subprocess.Popen[str], text: str) -> list[str]:
    lines: list[str] = []
    assert demo.stdout is not None
    for line in demo.stdout:
        lines.append(line)
        if text in line:
            return lines
    pytest.fail(f"The demo ended without saying {text!r}:\n{''.join(lines)}")


@pytest.mark.matrix
@pytest.mark.parametrize(("review", "programs"), [("a2i", 2), ("label_studio", 3)])
def test_headless_demo_closes_the_loop_and_leaves_nothing(review: str, programs: int, tmp_path: Path) -> None:
    if review == "label_studio" and (why := installed()):
        pytest.skip(why)
    file = tmp_path / "demo.json"
    demo = _start("--headless", "--review", review, "--json", str(file))
    lines = _wait_for_line(demo, "Airflow   ")
    sessions = _sessions(demo)
    assert len(sessions) == 1 + programs
    rest, _ = demo.communicate(timeout=2900)
    assert demo.returncode == 0, "".join(lines) + rest

    shown = json.loads(file.read_text())
    if shared := re.search(r"with the password (\S+):", rest):
        assert shared[1] not in file.read_text(), "what is written to a file goes to others"
    assert bool(shared) == (review == "label_studio")
    first, second = shown["versions"]
    assert (shown["closed"], shown["problems"]) == (True, [])
    assert (first["version"]["status"], second["version"]["status"]) == ("STOPPED", "RUNNING")
    assert first["version"]["f1"] < second["version"]["f1"] <= 1
    assert sorted(second["version"]["labels"]) == [str(digit) for digit in range(10)]
    assert second["doubtful"] < first["doubtful"] < first["images"] == second["images"] == 300
    assert first["filed"] == first["doubtful"] == first["reviews"]["doubt"]
    assert first["live_accuracy"]["share"] < second["live_accuracy"]["share"]
    by_hand = {run["run_id"] for run in shown["runs"] if run["kind"] != "asset_triggered"}
    assert by_hand == {run["run_id"] for run in shown["runs"] if run["run_id"].startswith("demo_")}
    assert len([subject for subject in shown["messages"] if "new version serves" in subject]) == 2
    assert session_members(sessions) == []


@pytest.mark.matrix
def test_headless_demo_of_label_assist_learns_and_leaves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "demo.json"
    demo = _start("--headless", "--project", "logos", "--assist", "--json", str(file))
    lines = _wait_for_line(demo, "Airflow   ")
    sessions = _sessions(demo)
    rest, _ = demo.communicate(timeout=2900)
    assert demo.returncode == 0, "".join(lines) + rest

    shown = json.loads(file.read_text())
    assert (shown["closed"], shown["problems"]) == (True, [])
    assert [each["round"].get("asked") for each in shown["versions"]] == [20, 20, None]
    assert shown["versions"][0]["unseen_f1"] < shown["versions"][-1]["unseen_f1"]
    assert 0 < shown["confirmed"] <= shown["proposals"]
    assert session_members(sessions) == []


@pytest.mark.parametrize(
    ("signals", "code"),
    [
        pytest.param([signal.SIGINT], 130, id="one Ctrl-C", marks=pytest.mark.matrix),
        pytest.param([signal.SIGINT, signal.SIGINT], 130, id="two Ctrl-C", marks=pytest.mark.matrix),
        pytest.param([signal.SIGTERM], 143, id="SIGTERM", marks=pytest.mark.matrix),
    ],
)
def test_interrupted_demo_leaves_nothing(signals: list[signal.Signals], code: int) -> None:
    demo = _start("--headless")
    _wait_for_line(demo, "Airflow starts")
    wait_until(lambda: len(session_members(_sessions(demo))) > 4)
    sessions = _sessions(demo)
    for each in signals:
        demo.send_signal(each)
        time.sleep(0.5)
    output, _ = demo.communicate(timeout=300)
    assert demo.returncode == code, output
    assert session_members(sessions) == []


@pytest.mark.matrix
def test_two_demos_at_once_do_not_meet() -> None:
    demos = [_start("--headless"), _start("--headless")]
    try:
        said = ["".join(_wait_for_line(demo, "Embedded AWS")).split()[-1] for demo in demos]
        sessions = frozenset().union(*map(_sessions, demos))
    finally:
        for demo in demos:
            demo.send_signal(signal.SIGINT)
            demo.send_signal(signal.SIGINT)
        for demo in demos:
            demo.communicate(timeout=300)
    assert len(set(said)) == 2
    assert session_members(sessions) == []


def test_next_demo_ends_what_a_killed_one_left() -> None:
    killed = _start("--headless")
    _wait_for_line(killed, "Embedded AWS")
    sessions = _sessions(killed)
    killed.kill()
    killed.communicate()
    assert session_members(sessions)
    following = _start("--headless")
    said = _wait_for_line(following, "Ended")
    assert "that an earlier demo left" in said[-1]
    assert session_members(sessions) == []
    following.send_signal(signal.SIGINT)
    following.communicate(timeout=300)
    assert following.returncode == 130
