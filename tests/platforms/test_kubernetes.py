"""What Kubernetes gets: values that the official chart knows, an image with all that runs, pools by the chart's job."""

from __future__ import annotations

import fnmatch
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT, airflow_environment
from tests.kit.database import provide_database
from tests.kit.documents import code_blocks

KUBERNETES = ROOT / "include" / "deployments" / "kubernetes"
CHART = Path(__file__).parent / "airflow_chart_1.22.0.txt"
PAGE = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
QUANTITY = re.compile(r"\d+(\.\d+)?(m|Ki|Mi|Gi|k|M|G)?")
"""Kubernetes' notation of an amount, as far as one is likely here."""
TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", type(None): "null"}


def values(text: str | None = None) -> dict[str, Any]:
    return dict(yaml.safe_load(text or (KUBERNETES / "values.yaml").read_text(encoding="utf-8")))


def known() -> dict[str, set[str]]:
    lines = [line for line in CHART.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return {path: set(types.split(", ")) for path, _, types in (line.partition(": ") for line in lines)}


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Give each value that is no mapping, by its path."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, str(key)))
    else:
        yield ".".join(path), value


def wrong(content: dict[str, Any]) -> list[str]:
    """Name the values that the chart does not know, or not so."""
    found = []
    for path, value in leaves(content):
        # Keys of the chart hold no dot; those of an annotation may, and are the last.
        types = next((types for pattern, types in known().items() if fnmatch.fnmatchcase(path, pattern)), set())
        is_quantity = "quantity" in types and bool(QUANTITY.fullmatch(str(value)))
        if not is_quantity and TYPES[type(value)] not in types:
            found.append(path)
    return found


def test_the_chart_knows_every_value() -> None:
    assert wrong(values()) == []
    used = {pattern for pattern in known() for path, _ in leaves(values()) if fnmatch.fnmatchcase(path, pattern)}
    assert used == set(known()), "take out of the list what is used no more"


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("executer: CeleryExecutor", "executer"),
        ("triggerer: {enable: true}", "triggerer.enable"),
        ("triggerer: {enabled: 'yes'}", "triggerer.enabled"),
        ("workers: {celery: {resources: {limits: {memory: 3 GB}}}}", "workers.celery.resources.limits.memory"),
        ("config: {core: {load_examples: [no]}}", "config.core.load_examples"),
    ],
    ids=["at the top", "below", "of another type", "no quantity", "no option"],
)
def test_a_misspelt_value_is_found(line: str, path: str) -> None:
    assert wrong(values(line)) == [path]


def test_image_and_chart_are_of_one_airflow() -> None:
    image = (KUBERNETES / "Dockerfile").read_text(encoding="utf-8")
    (version,) = re.findall(r"ARG AIRFLOW_VERSION=(.+)", image)

    assert version == values()["airflowVersion"]
    assert f"{values()['defaultAirflowRepository']}:{values()['defaultAirflowTag']}" in image
    (python,) = re.findall(r"FROM apache/airflow:\$\{AIRFLOW_VERSION\}-python(3\.\d+)", image)
    assert python == "3.12", "what tests/platforms has pins of"


def test_the_image_takes_all_that_is_copied() -> None:
    ignored = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    copied = re.findall(r"^COPY (\S+) ", (KUBERNETES / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)

    assert copied == ["requirements.txt", "dags/", "plugins/", "include/"]
    for source in copied:
        assert (ROOT / source).exists()
        assert source.strip("/") not in ignored


@pytest.mark.slow
def test_the_charts_job_makes_the_pools(airflow_db: None, shared_folder: Path, tmp_path: Path) -> None:
    home, into = tmp_path / "airflow", tmp_path / "settings"
    home.mkdir()
    provide_database(shared_folder, home)
    for name in ("dags", "plugins", "include"):
        (home / name).symlink_to(ROOT / name)
    shell, options, script = values()["migrateDatabaseJob"]["args"]
    script = script.replace("/opt/airflow", str(home)).replace("/tmp/airflow", str(into))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTHON"))}
    environment = kept | airflow_environment(home) | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    del environment["PYTHONPATH"]

    done = subprocess.run(
        [shell, options, script], env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr

    with closing(sqlite3.connect(home / "airflow.db")) as database:
        pools = dict(database.execute("SELECT pool, slots FROM slot_pool"))
        connections = dict(database.execute("SELECT conn_id, conn_type FROM connection"))
    assert {"custom_labels": 2, "custom_labels_detection": 2}.items() <= pools.items()
    assert connections["aws_default"] == "aws"


def code(language: str) -> str:
    """Give the page's block of code in a language."""
    (block,) = code_blocks(PAGE, language)
    return block


def test_the_values_of_the_page_are_known_to_the_chart_too() -> None:
    assert wrong({name: value for name, value in values(code("yaml")).items() if name != "airflowLocalSettings"}) == [
        "workers.celery.sets"
    ], "a list, whose items are checked below"
    (own,) = values(code("yaml"))["workers"]["celery"]["sets"]
    assert own.keys() == {"name", "queue", "replicas", "resources"}
    assert wrong({"workers": {"celery": {name: own[name] for name in ("replicas", "resources")}}}) == []


def test_the_policy_of_the_page_puts_the_tasks_that_detect_into_their_own_queue(tmp_path: Path) -> None:
    settings = values(code("yaml"))
    (tmp_path / "airflow_local_settings.py").write_text(settings["airflowLocalSettings"])
    program = """
from airflow.dag_processing.dagbag import DagBag
bag = DagBag()
assert bag.import_errors == {}
tasks = [task for dag in bag.dags.values() for task in dag.tasks]
print(sorted(f"{task.dag_id}.{task.task_id}" for task in tasks if task.queue == "detection"))
"""
    environment = {**os.environ, **airflow_environment(tmp_path)}
    environment["PYTHONPATH"] += f"{os.pathsep}{tmp_path}"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "['digits_detect.detect_batch']"
    assert settings["workers"]["celery"]["sets"][0]["queue"] == "detection"
