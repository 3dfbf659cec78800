"""The timetable that reads its period from a Variable."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pendulum
import pytest
from airflow.timetables.assets import AssetOrTimeSchedule
from airflow.timetables.base import DataInterval, TimeRestriction

from custom_labels.core.settings import Project, Settings, read_settings
from custom_labels.core.variables import read_variable
from custom_labels.errors import SettingError
from custom_labels.web.timetables import PollTimetable

KEY = "digits__automatic_training_poll_frequency"
NOW = pendulum.datetime(2026, 11, 20, 12, tz="UTC")
pytestmark = pytest.mark.usefixtures("airflow_db")


@pytest.fixture
def variable() -> object:
    from airflow.models.variable import Variable as Row
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    def put(value: str) -> None:
        with create_session() as session:
            session.execute(delete(Row).where(Row.key == KEY))
            session.add(Row(key=KEY, val=value))

    yield put
    with create_session() as session:
        session.execute(delete(Row).where(Row.key == KEY))


def next_run(timetable: PollTimetable) -> DataInterval:
    info = timetable.next_dagrun_info(
        last_automated_data_interval=DataInterval(NOW - timedelta(minutes=5), NOW),
        restriction=TimeRestriction(earliest=NOW - timedelta(days=30), latest=None, catchup=True),
    )
    assert info is not None
    assert info.data_interval is not None
    return info.data_interval


def test_the_period_is_the_default_without_a_variable() -> None:
    assert next_run(PollTimetable(KEY, 720)) == DataInterval(NOW, NOW + timedelta(minutes=720))


def test_a_variable_in_the_database_changes_the_next_run_at_once(variable: object) -> None:
    timetable = PollTimetable(KEY, 720)
    variable("10")  # type: ignore[operator]
    assert next_run(timetable).end == NOW + timedelta(minutes=10)

    variable("30")  # type: ignore[operator]
    assert next_run(timetable).end == NOW + timedelta(minutes=30)


@pytest.mark.parametrize(("value", "minutes"), [("15.0", 15), (" 20 ", 20), ("  ", 720), ("525600", 525_600)])
def test_a_variable_means_the_same_to_the_schedule_and_to_the_run(value: str, minutes: int, variable: object) -> None:
    """A JSON number is stored as ``15.0``, for one."""
    variable(value)  # type: ignore[operator]
    project = Project(name="digits", bucket="a-bucket", settings=Settings(automatic_training_poll_frequency=720))

    assert read_settings(project, read_variable).automatic_training_poll_frequency == minutes
    assert next_run(PollTimetable(KEY, 720)).end == NOW + timedelta(minutes=minutes)


@pytest.mark.parametrize("value", ["often", "0", "-5", "1.5", "1e1", "525601", "true"])
def test_a_bad_variable_is_ignored_with_the_words_that_stop_the_run(
    value: str, variable: object, caplog: pytest.LogCaptureFixture
) -> None:
    variable(value)  # type: ignore[operator]

    with pytest.raises(SettingError) as refused:
        read_settings(Project(name="digits", bucket="a-bucket"), read_variable)
    assert next_run(PollTimetable(KEY, 720)).end == NOW + timedelta(minutes=720)
    assert f"Variable '{KEY}' is '{value}': expected a whole number from 1 to 525600." in caplog.text
    assert str(refused.value) in caplog.text


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A secrets backend that gives the period; give its file."""
    path = tmp_path / "secrets.json"
    path.write_text(json.dumps({KEY: "7"}))
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND", "tests.kit.secrets_backend.FileSecrets")
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND_KWARGS", json.dumps({"path": str(path)}))
    return path


def test_a_secrets_backend_beats_environment_and_database(
    secrets: Path, variable: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable("10")  # type: ignore[operator]
    monkeypatch.setenv(f"AIRFLOW_VAR_{KEY.upper()}", "20")

    assert next_run(PollTimetable(KEY, 720)).end == NOW + timedelta(minutes=7)


def test_where_a_secrets_backend_does_not_answer_the_others_are_read(
    secrets: Path, variable: object, caplog: pytest.LogCaptureFixture
) -> None:
    variable("10")  # type: ignore[operator]
    secrets.unlink()

    assert next_run(PollTimetable(KEY, 720)).end == NOW + timedelta(minutes=10)
    assert f"Variable '{KEY}' cannot be read by FileSecrets" in caplog.text


def test_an_environment_variable_beats_the_database(variable: object, monkeypatch: pytest.MonkeyPatch) -> None:
    variable("10")  # type: ignore[operator]
    monkeypatch.setenv(f"AIRFLOW_VAR_{KEY.upper()}", "20")

    assert read_variable(KEY) == "20"


def test_the_variable_is_read_where_commits_are_forbidden(variable: object) -> None:
    """As in the scheduler's loop, where Variable.get answers with the default without a word."""
    from airflow.utils.session import create_session
    from airflow.utils.sqlalchemy import prohibit_commit

    variable("15")  # type: ignore[operator]
    with create_session() as session, prohibit_commit(session):
        assert read_variable(KEY) == "15"


def test_a_run_by_hand_sees_everything_up_to_its_trigger() -> None:
    interval = PollTimetable(KEY, 60).infer_manual_data_interval(run_after=NOW)

    assert interval == DataInterval(NOW - timedelta(minutes=60), NOW)


def test_it_survives_serialization() -> None:
    timetable = PollTimetable(KEY, 60)

    again = PollTimetable.deserialize(timetable.serialize())

    assert (again.variable, again.default_minutes) == (KEY, 60)


@pytest.mark.parametrize(
    ("minutes", "hours"),
    [("1440", [(0, 24), (24, 48), (48, 72)]), ("720", [(0, 12), (12, 24), (24, 36), (36, 48), (48, 60)])],
    ids=["days", "half days"],
)
def test_a_backfill_has_intervals_of_the_period_from_its_first_date(
    variable: object, minutes: str, hours: list[tuple[int, int]]
) -> None:
    variable(minutes)  # type: ignore[operator]
    first = pendulum.datetime(2026, 10, 5, tz="UTC")
    restriction = TimeRestriction(earliest=first, latest=first.add(days=2), catchup=True)
    schedule = AssetOrTimeSchedule(timetable=PollTimetable(KEY, 5), assets=[])
    found: list[DataInterval] = []

    while info := schedule.next_dagrun_info(
        last_automated_data_interval=found[-1] if found else None, restriction=restriction
    ):
        assert info.data_interval is not None
        found.append(info.data_interval)

    assert schedule.periodic
    assert [(each.start, each.end) for each in found] == [
        (first.add(hours=begin), first.add(hours=end)) for begin, end in hours
    ]
