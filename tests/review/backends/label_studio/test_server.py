"""Label Studio as `make label-studio` starts it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from include.label_studio.server import get
from tests.conftest import ROOT

if TYPE_CHECKING:
    from include.label_studio.server import LabelStudio

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("label_studio")]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
def test_it_listens_on_this_machine_only_and_ends_with_its_starter(
    label_studio: LabelStudio, how: signal.Signals
) -> None:
    """Whatever the environment holds, of which Label Studio would read bare names, too."""
    foreign = {"HOST": "http://example.com", "PORT": "1", "USERNAME": "root", "PASSWORD": "x", "DJANGO_DB": "none"}
    command = [sys.executable, "-m", "include.label_studio"]
    started = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **foreign}, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert started.stdout
    words = "".join(started.stdout.readline() for _ in range(6))
    found = re.search(r"AIRFLOW_CONN_LABEL_STUDIO_DEFAULT='(.*)'", words)
    assert found, words
    connection = json.loads(found[1])
    (server,) = psutil.Process(started.pid).children()
    listening = {each.laddr.ip for each in server.net_connections("tcp") if each.status == psutil.CONN_LISTEN}

    url = f"http://{connection['host']}:{connection['port']}/api/current-user/whoami"
    assert get(url, {"Authorization": f"Token {connection['password']}"})["email"] == "admin@localhost.local"
    assert listening == {"127.0.0.1"}

    started.send_signal(how)
    started.wait(30)
    started.stdout.close()
    deadline = time.monotonic() + 20
    while server.is_running() and server.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE
