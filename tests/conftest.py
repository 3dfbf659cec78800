"""What all tests share: an Airflow of their own, made before Airflow is imported, and the embedded AWS."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.kit.api_models import read_models_once
from tests.kit.database import provide_database

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytest_plugins = ["tests.kit.fixtures"]

ROOT = Path(__file__).resolve().parents[1]
HOME = Path(tempfile.mkdtemp(prefix="custom-labels-tests-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)


def airflow_environment(home: Path, endpoint_url: str | None = None) -> dict[str, str]:
    """Give the environment of an Airflow with its home at ``home`` and its AWS at ``endpoint_url``."""
    environment = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__UNIT_TEST_MODE": "True",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "0",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        # Each file a bundle of its own: dag.test() reads all of a DAG's bundle again at every run.
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(
            [
                {
                    "name": file.stem,
                    "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
                    "kwargs": {"path": str(file)},
                }
                for file in sorted((ROOT / "dags").glob("*.py"))
            ]
        ),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        # One for all: an Airflow that a test kills has a copy of the database, with the triggers of its asset watchers.
        "AIRFLOW__CORE__FERNET_KEY": "b25seS1mb3ItdGVzdHMtb25seS1mb3ItdGVzdHMtLTE=",
        "AIRFLOW__API_AUTH__JWT_SECRET": "only-for-tests-" * 5,
        # It reads every image and imports scikit-learn: tests of it switch it on.
        "AIRFLOW_VAR_DIGITS__INSPECT_IMAGES": "False",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "plugins")]),
    }
    if endpoint_url:
        environment["AIRFLOW_CONN_AWS_DEFAULT"] = connection(endpoint_url)
    return environment


def connection(endpoint_url: str) -> str:
    """Give an AWS connection to an endpoint, in the form of its environment variable."""
    extra = {"endpoint_url": endpoint_url, "region_name": "us-east-1"}
    return json.dumps({"conn_type": "aws", "login": "test", "password": "test", "extra": extra})


QUICK = ("project_create", "dataset_create", "dataset_delete", "training", "version_start", "version_stop")
FAST = [option for name in QUICK for option in ("--duration", f"{name}=0")]

for name in [n for n in os.environ if n.startswith(("AIRFLOW", "AWS_"))]:
    del os.environ[name]
os.environ.update(airflow_environment(HOME))
sys.path[:0] = [str(ROOT), str(ROOT / "plugins")]


read_models_once()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the files with slow tests come first, so that no process is left alone with one of them at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of the session have in common."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def airflow_db(shared_folder: Path) -> None:
    """An empty metadata database."""
    provide_database(shared_folder, HOME)


@pytest.fixture(scope="session")
def aws_process(shared_folder: Path) -> Iterator[LocalAws]:
    """The embedded AWS, one for the whole session, with transitions that take no time to speak of.

    What several tests train on the same images is fitted once, by whichever of the session's processes comes first.
    """
    from include.local_aws.process import LocalAws

    memory = str(shared_folder / "fitted_models")
    with LocalAws([*FAST, "--memory", memory], log=HOME / "local_aws.log") as aws:
        os.environ["AIRFLOW_CONN_AWS_DEFAULT"] = connection(aws.endpoint_url)
        yield aws


@pytest.fixture
def aws(aws_process: LocalAws) -> Iterator[LocalAws]:
    """The embedded AWS, emptied of everything and without faults."""
    aws_process.control.reset()
    yield aws_process
    aws_process.control.reset()
