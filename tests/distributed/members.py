"""An Airflow of many programs, two schedulers and two Celery workers among them, each of which can be killed."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path

from include.demo.airflow_api import AirflowApi
from include.demo.environment import AirflowPorts, airflow_environment
from include.demo.ports import free_port
from include.demo.processes import Child, Processes, end_sessions, log_tail
from tests.distributed.names import MEMBER
from tests.distributed.servers import Servers

SLOTS = 2
"""Tasks that one worker runs at once."""
WORKERS = ("worker_1", "worker_2")
SCHEDULERS = ("scheduler_1", "scheduler_2")
API, TRIGGERER = "api_server", "triggerer"
COMMANDS: Mapping[str, Sequence[str]] = {
    API: ["api-server"],
    "dag_processor": ["dag-processor"],
    TRIGGERER: ["triggerer"],
    **{name: ["scheduler"] for name in SCHEDULERS},
    **{
        name: ["celery", "worker", f"--celery-hostname={name}@%h", f"--concurrency={SLOTS}", f"--pid={name}.pid"]
        for name in WORKERS
    },
}
READY = " ready."
"""What Celery says once a worker takes tasks."""
READY_SECONDS = 120.0
SILENCE_SECONDS = 20
"""After so much silence a task or a part of Airflow counts as dead; Airflow waits up to five minutes."""
REDELIVERY_SECONDS = 60
"""After so long Redis gives the message of a task that nobody acknowledged to another worker; Airflow waits a day.
Longer than any of the tasks here runs at a stretch: trainings are waited for without a worker."""


class Members:
    """The parts of one Airflow, by name.

    :param servers: its database and its broker.
    """

    def __init__(self, servers: Servers) -> None:
        self.servers = servers
        self.children: dict[str, Child] = {}

    def start_all(self, processes: Processes, root: Path, variables: Mapping[str, str]) -> tuple[Child, AirflowApi]:
        """Make the database's tables, then start all members; gives the API server and its client."""
        self.processes = processes
        home = processes.workspace.airflow_home
        home.mkdir()
        ports = AirflowPorts.find(processes.workspace)
        self.environment = {
            **os.environ,
            **airflow_environment(root, home, ports, variables),
            **distributed_environment(self.servers),
        }
        with (processes.workspace.logs / "migrate.log").open("wb") as log:
            subprocess.run(
                [_airflow(), "db", "migrate"], env=self.environment, check=True, stdout=log, stderr=subprocess.STDOUT
            )
        for name in COMMANDS:
            self.start(name)
        return self.children[API], AirflowApi(f"http://127.0.0.1:{ports.api}")

    def start(self, name: str) -> None:
        """Start one member, also in the place of one that was killed."""
        # Each hands out the logs of its tasks.
        own = {MEMBER: name, "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(self._log_port(name))}
        command: list[str | Path] = [_airflow(), *COMMANDS[name]]
        self.children[name] = self.processes.start(name, command, {**self.environment, **own})

    def wait_for_workers(self) -> None:
        """Wait until the workers take tasks, of which Airflow's own health says nothing.

        :raises DemoError: one has ended.
        """
        deadline = time.monotonic() + READY_SECONDS
        for name in WORKERS:
            worker = self.children[name]
            while READY not in worker.log.read_text(errors="replace"):
                worker.check_alive()
                assert time.monotonic() < deadline, f"{name} takes no tasks yet. {log_tail(worker.log)}"
                time.sleep(0.2)

    def kill(self, name: str) -> None:
        """End a member and all processes that it started with SIGKILL, which nothing can catch."""
        child = self.children.pop(name)
        end_sessions([child.process.pid], hurry=lambda: True)
        child.process.wait()

    def _log_port(self, name: str) -> int:
        return free_port(self.processes.workspace.near(8800) + list(COMMANDS).index(name))


def distributed_environment(servers: Servers) -> dict[str, str]:
    """Give the configuration in which Airflow differs from one that is a single program."""
    settings = {
        "CORE__EXECUTOR": "CeleryExecutor",
        "CORE__PARALLELISM": 2 * SLOTS * len(WORKERS),
        "CORE__FERNET_KEY": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "CORE__HOSTNAME_CALLABLE": "tests.distributed.names.member_name",
        "CORE__DEFAULT_TASK_RETRY_DELAY": 1,
        "API__WORKERS": 1,
        "DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{servers.postgres.postgres}",
        "CELERY__RESULT_BACKEND": f"db+postgresql+psycopg2://{servers.postgres.postgres}",
        "CELERY__BROKER_URL": servers.redis.redis,
        "CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": REDELIVERY_SECONDS,
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": SILENCE_SECONDS,
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": 2,
        "SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": SILENCE_SECONDS,
        "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": 5,
        # A task whose message died with its worker is sent again.
        "SCHEDULER__TASK_QUEUED_TIMEOUT": REDELIVERY_SECONDS,
        "SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": 5,
        "TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": SILENCE_SECONDS,
    }
    return {f"AIRFLOW__{name}": str(value) for name, value in settings.items()}


def _airflow() -> Path:
    return Path(sys.executable).parent / "airflow"
