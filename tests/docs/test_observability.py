"""docs/observability.md says what is sent: its examples are right. Its tables are made by ``make docs``."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from custom_labels.core.metrics import PREFIX, Definition, EventCounter, Gauge, address
from custom_labels.core.outcome import Outcome
from custom_labels.core.settings import Project
from custom_labels.detection.detect_tasks import COUNTED
from custom_labels.web.assets import live_version
from tests.conftest import ROOT
from tests.kit.documents import code_blocks

DOCUMENT = ROOT / "docs" / "observability.md"


def blocks(language: str) -> list[str]:
    return code_blocks(DOCUMENT.read_text(encoding="utf-8"), language)


def mapped(name: str, kind: str) -> tuple[str, dict[str, str]]:
    """Map a name as statsd_exporter does: the first rule counts whose pattern and kind are right."""
    for rule in yaml.safe_load(blocks("yaml")[0])["mappings"]:
        pattern = re.escape(rule["match"]).replace(r"\*", "([^.]+)")
        match = re.fullmatch(pattern, name)
        if match and rule.get("match_metric_type", kind) == kind:

            def filled(text: str, groups: tuple[str, ...] = match.groups()) -> str:
                return re.sub(r"\$\{?(\d)\}?", lambda number: groups[int(number[1]) - 1], text)

            return filled(rule["name"]), {label: filled(value) for label, value in rule["labels"].items()}
    raise AssertionError(f"no rule for {name}")


def of_prometheus(definition: Definition, kind: str) -> str:
    """Give the name that an OpenTelemetry collector gives a metric in Prometheus."""
    return f"airflow_{PREFIX}_{definition.name.replace('.', '_')}" + ("_total" if kind == "counter" else "")


KINDS = [("gauge", each.value) for each in Gauge] + [("counter", each.value) for each in EventCounter]


@pytest.mark.parametrize(("kind", "definition"), KINDS, ids=[definition.name for _, definition in KINDS])
def test_the_mapping_gives_each_name_of_statsd_its_labels(
    monkeypatch: pytest.MonkeyPatch, kind: str, definition: Definition
) -> None:
    values = {"dag": "train", "outcome": "deployed", "decision": "review"}
    monkeypatch.setenv("AIRFLOW__METRICS__STATSD_ON", "True")

    name, tags = address("digits", definition, *(values[tag] for tag in definition.tags))

    assert mapped(f"airflow.{name}", kind) == (of_prometheus(definition, kind), tags)


def test_the_alerts_name_what_is_sent() -> None:
    (group,) = yaml.safe_load(blocks("yaml")[1])["groups"]
    sent = {of_prometheus(definition, kind) for kind, definition in KINDS}

    assert len({rule["alert"] for rule in group["rules"]}) == len(group["rules"])
    for rule in group["rules"]:
        named = set(re.findall(r"airflow_\w+", rule["expr"]))
        assert named, rule["alert"]
        assert named <= sent, rule["alert"]
        assert rule["expr"].count("(") == rule["expr"].count(")")


def test_the_values_of_tags_are_named() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")

    assert [each for each in COUNTED if f"`{each}`" not in text] == []
    assert {Outcome.FAILED, Outcome.TRAINING_FAILED} <= {*re.findall(r"`(\w+)`", text)}


def test_the_example_waits_for_the_live_version_and_reads_its_event() -> None:
    from airflow.sdk.execution_time.comms import AssetEventDagRunReferenceResult
    from airflow.sdk.execution_time.context import TriggeringAssetEventsAccessor, set_current_context

    names: dict[str, Any] = {}
    exec(compile(blocks("python")[0], "docs/observability.md", "exec"), names)
    asset = live_version(Project(name="digits", bucket="custom-labels-digits"))
    event = AssetEventDagRunReferenceResult.model_validate(
        {
            "asset": {"name": asset.name, "uri": asset.uri, "extra": {}},
            "extra": {"version": "digits-2", "f1": 0.91234, "replaced": "digits-1"},
            "source_task_id": "swap_live",
            "source_dag_id": "digits_train",
            "source_run_id": "a run",
            "source_map_index": -1,
            "source_aliases": [],
            "timestamp": "2026-11-29T12:00:00Z",
        }
    )
    context: Any = {"triggering_asset_events": TriggeringAssetEventsAccessor.build([event])}

    with set_current_context(context):
        said = names["dag"].get_task("announce").python_callable()

    assert names["dag"].timetable.asset_condition.objects == (asset,)
    assert said == ["digits-2 serves with F1 0.912 instead of digits-1"]
