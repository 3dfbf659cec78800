"""What a secrets backend is asked: without a pattern every Variable of a run, with the one of the page none of them."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.core.run_settings import RunSettings
from custom_labels.core.settings import load_project, read_settings
from custom_labels.core.settings_fields import Settings
from custom_labels.core.variables import read_variable
from custom_labels.deployment.settings import TrainSettings
from custom_labels.detection.settings import DetectionSettings
from custom_labels.operations.settings import AuditSettings, GuardSettings
from custom_labels.review.settings import HarvestSettings
from tests.conftest import ROOT
from tests.kit.support import client

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

PAGE = (ROOT / "docs" / "secrets_backend.md").read_text(encoding="utf-8")
OF_A_RUN: dict[str, tuple[type[RunSettings], str]] = {
    "detect": (DetectionSettings, "detection_poll_frequency"),
    "harvest_reviews": (HarvestSettings, "harvest_poll_frequency"),
    "cost_guard": (GuardSettings, "cost_guard_poll_frequency"),
    "train": (TrainSettings, "automatic_training_poll_frequency"),
    "sample_for_audit": (AuditSettings, "automatic_human_sampling_frequency"),
}
"""What the first step of a scheduled run of each DAG reads, and the setting with the minutes between two runs."""
MONTH = 60 * 24 * 30
SERVICES = {"secretsmanager": "GetSecretValue", "ssm": "GetParameter"}


def configured(service: str) -> dict[str, str]:
    """Give the environment that the page tells to set for a service."""
    name = {"secretsmanager": "SecretsManagerBackend", "ssm": "SystemsManagerParameterStoreBackend"}[service]
    block = next(block for block in re.findall(r"```ini\n(.*?)```", PAGE, re.DOTALL) if name in block)
    return dict(line.split("=", 1) for line in block.splitlines())


@pytest.fixture
def settings_read(aws: LocalAws, airflow_db: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Read every setting of digits with a backend of some keyword arguments, and another Variable that is in it."""

    def read(service: str, changes: dict[str, Any]) -> tuple[int, str | None]:
        backend = configured(service)
        kwargs = {**json.loads(backend["AIRFLOW__SECRETS__BACKEND_KWARGS"]), **changes}
        monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND", backend["AIRFLOW__SECRETS__BACKEND"])
        monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND_KWARGS", json.dumps(kwargs))
        for name, value in {"ENDPOINT_URL": aws.endpoint_url, "ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x"}.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        put(aws, service, f"{kwargs['variables_prefix']}/slack_token", "xoxb")
        read_settings(load_project("digits"), read_variable)
        asked = calls(aws, service)
        return asked, read_variable("slack_token")

    return read


def put(aws: LocalAws, service: str, name: str, value: str) -> None:
    if service == "ssm":
        client(aws, "ssm").put_parameter(Name=name, Value=value, Type="SecureString")
    else:
        client(aws, "secretsmanager").create_secret(Name=name, SecretString=value)


def calls(aws: LocalAws, service: str) -> int:
    return int(aws.control.calls().get(f"{service}.{SERVICES[service]}", {}).get("calls", 0))


@pytest.mark.parametrize("service", SERVICES)
def test_the_pattern_of_the_page_keeps_every_setting_out_of_the_backend(service: str, settings_read: Any) -> None:
    assert settings_read(service, {}) == (0, "xoxb")


@pytest.mark.parametrize("service", SERVICES)
def test_without_the_pattern_every_setting_is_a_call(service: str, settings_read: Any) -> None:
    assert settings_read(service, {"variables_lookup_pattern": None}) == (len(Settings.model_fields), "xoxb")


def table() -> dict[str, list[str]]:
    """Give the rows of the page's table of runs, by DAG."""
    rows = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| `")]
    return {row[0].strip("`").removeprefix("<project>_"): row[1:] for row in rows}


@pytest.mark.parametrize("kind", OF_A_RUN)
def test_the_table_says_what_a_run_reads(kind: str) -> None:
    settings, frequency = OF_A_RUN[kind]
    minutes = Settings.model_fields[frequency].default
    reads = len(fields(settings))

    assert table()[kind] == [str(reads), str(minutes), f"{2 * reads * MONTH / minutes:,.0f}"]


def test_the_costs_of_a_month_are_those_of_the_table() -> None:
    runs = sum(2 * len(fields(kind)) * MONTH / Settings.model_fields[name].default for kind, name in OF_A_RUN.values())
    schedules = 2 * len(OF_A_RUN) * MONTH

    assert f"{runs:,.0f} look-ups of runs and {schedules:,} of schedules" in PAGE
    assert f"about USD {(runs + schedules) / 10_000 * 0.05:.2f} a month" in PAGE
