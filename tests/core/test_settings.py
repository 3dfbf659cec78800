"""Settings: what beats what, what is refused, and in which words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from custom_labels.core.codec import from_json
from custom_labels.core.gate import Gate, Metric
from custom_labels.core.settings import Project, Settings, load_project, load_projects, read_settings
from custom_labels.errors import SettingError

PROJECT = Project(name="digits", bucket="a-bucket", settings=Settings(minimum_f1_score=0.7))


def read(variables: dict[str, str] | None = None, overrides: dict[str, Any] | None = None) -> Settings:
    return read_settings(PROJECT, (variables or {}).get, overrides)


def test_a_param_beats_the_variable_beats_the_file_beats_the_default() -> None:
    key = "digits__minimum_f1_score"

    assert Settings().minimum_f1_score == 0.8
    assert read().minimum_f1_score == 0.7
    assert read({key: "0.6"}).minimum_f1_score == 0.6
    assert read({key: "0.6"}, {"minimum_f1_score": 0.5}).minimum_f1_score == 0.5
    assert read({key: "0.6"}, {"minimum_f1_score": None}).minimum_f1_score == 0.6


BAD = [
    (
        "minimum_f1_score",
        "high",
        "expected a number from 0 to 1. Change it under Admin > Variables.",
    ),
    ("minimum_f1_score", "1.5", "expected a number from 0 to 1"),
    ("minimum_f1_score", "-0.1", "expected a number from 0 to 1"),
    ("minimum_f1_score", "nan", "expected a number from 0 to 1"),
    ("minimum_untrained_images", "0", "expected a whole number from 1 to 250000"),
    ("minimum_untrained_images", "ten", "expected a whole number from 1 to 250000"),
    ("enable_automatic_training", "perhaps", "expected true or false"),
    ("automatic_training_poll_frequency", "1.5", "expected a whole number from 1 to 525600"),
    ("maximum_inference_units", "many", "expected a whole number from 1 to 1000"),
    ("notify_outcomes", "deployed, oops", "'deployed'"),
    ("notify_outcomes", "['deployed']", "expected names with commas between them, such as 'deployed, failed'"),
    ("notify_outcomes", '{"deployed": true}', "expected names with commas between them"),
    ("notify_outcomes", '["deployed", "oops"]', "'deployed'"),
    ("uncertainty", "margin, guess", "'least_confident', 'margin' or 'box_count'"),
    ("uncertainty", '{"margin": 10}', "such as 'least_confident, margin', or a JSON list of names"),
    ("expected_labels", "logo", 'expected JSON such as ["logo", "barcode"]'),
    ("expected_labels", '[""]', "at least 1 character"),
    ("noise_confidence", "101", "expected a number from 0 to 100"),
    ("minimum_box_overlap", "0", "expected a number above 0 to 1"),
    ("gates", '{"metric": "f1", "at_least": 0.5}', "which is a list"),
    ("label_detection_confidence", '["7", 85]', 'expected JSON such as {"7": 85}, which is an object'),
    ("label_detection_confidence", "{'7': 85}", 'expected JSON such as {"7": 85}, which this is not'),
    ("gates", "f1 > 0.8", 'expected JSON such as [{"metric": "f1"'),
    ("gates", '[{"metric": "f2", "at_least": 0.5}]', "'f1', 'precision' or 'recall'"),
    ("gates", '[{"metric": "f1"}]', "a gate needs either 'at_least' or 'at_most'"),
    ("gates", '[{"at_least": 0.5, "labels": "7"}]', "labels"),
    ("when_quota_is_full", "hope", "'fail' or 'stop_then_start'"),
    ("idle_stop_hours", "0", "expected a number above 0"),
    ("keep_versions", "1", "expected a whole number from 2"),
    (
        "service_window",
        '{"opens": "0 8 * * mon-fri", "closes": "18:00", "time_zone": "Europe/Berlin"}',
        "at 'closes.0': '18:00' is no cron expression (Exactly 5, 6 or 7 columns has",
    ),
    ("service_window", "mon-fri 08:00-18:00", 'expected JSON such as {"opens": "0 8 * * mon-fri", "closes": '),
]


@pytest.mark.parametrize(("setting", "value", "words"), BAD, ids=[f"{s}={v}" for s, v, _ in BAD])
def test_a_bad_variable_is_refused_by_name_and_value(setting: str, value: str, words: str) -> None:
    with pytest.raises(SettingError) as raised:
        read({f"digits__{setting}": value})

    assert f"'digits__{setting}' is '{value}'" in str(raised.value)
    assert words in str(raised.value)


@pytest.mark.parametrize("value", ["True", "true", "TRUE", "1", "on", " yes "])
def test_every_usual_spelling_of_true_is_true(value: str) -> None:
    assert read({"digits__enable_automatic_training": value}).enable_automatic_training is True


def test_an_empty_variable_counts_as_not_set() -> None:
    assert read({"digits__minimum_f1_score": "  "}).minimum_f1_score == 0.7


def test_all_bad_variables_are_named_at_once() -> None:
    with pytest.raises(SettingError, match=r"minimum_f1_score.*minimum_inference_units"):
        read({"digits__minimum_f1_score": "x", "digits__minimum_inference_units": "y"})


def test_gates_are_read_from_json_and_read_back_by_a_later_task() -> None:
    text = '[{"metric": "f1", "label": "*", "at_least": -0.05, "relative_to_champion": true}, {"at_most": 0.9}]'

    gates = read({"digits__gates": text}).gates

    assert gates == (Gate(Metric.F1, "*", at_least=-0.05, relative_to_champion=True), Gate(at_most=0.9))
    handed_on = read({"digits__gates": text}).model_dump(mode="json")["gates"]
    assert tuple(from_json(Gate, each) for each in handed_on) == gates


def test_the_rules_of_doubt_are_read_as_names() -> None:
    found = read({"digits__uncertainty": "margin least_confident", "digits__expected_labels": '["a, b"]'})

    assert (found.uncertainty, found.expected_labels) == (("margin", "least_confident"), ("a, b",))
    with pytest.raises(SettingError, match="most_boxes is 1, less than fewest_boxes, which is 2"):
        read({"digits__fewest_boxes": "2", "digits__most_boxes": "1"})


def test_settings_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(SettingError, match="maximum_inference_units is 1, less than minimum_inference_units"):
        read({"digits__minimum_inference_units": "2", "digits__maximum_inference_units": "1"})


def test_a_bad_param_is_said_to_be_a_param() -> None:
    with pytest.raises(SettingError, match="Param 'minimum_f1_score' of this run is '2'"):
        read(None, {"minimum_f1_score": 2})


@pytest.mark.parametrize(
    "text", ["deployed, failed", "deployed failed", '["deployed", "failed"]', ' [ "deployed","failed"]']
)
def test_a_list_is_read_from_words_and_from_json(text: str) -> None:
    assert read({"digits__notify_outcomes": text}).notify_outcomes == ("deployed", "failed")
    assert Settings.model_validate({"notify_outcomes": text}).notify_outcomes == ("deployed", "failed")


FILES = [
    ("no bucket", "description: x", "'bucket'"),
    ("unknown key", "bucket: a-bucket\nbuckets: 1", "'buckets'"),
    ("bad setting", "bucket: a-bucket\nsettings: {minimum_f1_score: 2}", "expected a number from 0 to 1"),
    ("no YAML", "bucket: [", "is no YAML"),
]


@pytest.mark.parametrize(("content", "words"), [case[1:] for case in FILES], ids=[case[0] for case in FILES])
def test_a_bad_project_file_is_refused(
    content: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "birds.yaml").write_text(content)
    monkeypatch.setenv("CUSTOM_LABELS_PROJECTS_DIR", str(tmp_path))

    with pytest.raises(SettingError) as raised:
        load_project("birds")

    assert words in str(raised.value)
    assert "birds.yaml" in str(raised.value)


@pytest.mark.parametrize(("given", "prefix"), [("", ""), ("/", ""), ("a/b", "a/b/"), ("/a/", "a/")])
def test_a_prefix_ends_in_one_slash(given: str, prefix: str) -> None:
    assert Project(name="birds", bucket="a-bucket", prefix=given).prefix == prefix


def test_a_missing_project_names_its_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CUSTOM_LABELS_PROJECTS_DIR", str(tmp_path))

    with pytest.raises(SettingError, match=r"cats.*cats\.yaml is missing"):
        load_project("cats")


def test_the_shipped_projects_load() -> None:
    assert [project.name for project in load_projects()] == ["digits"]
