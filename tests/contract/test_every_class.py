"""What holds for every operator, sensor and trigger: parameters, templates, serialization, links."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from airflow.sdk._shared.module_loading import import_string

from tests.kit.classes import ARGUMENTS, HOOK, ON_AWS, OPERATORS, SENSORS, TRIGGERS, make

ALL = [*OPERATORS, *SENSORS, *TRIGGERS]


def ids(cls: type) -> str:
    return cls.__name__


def test_the_walk_finds_every_class_that_has_arguments() -> None:
    assert {each.__name__ for each in ALL} == set(ARGUMENTS)


@pytest.mark.parametrize("cls", [*ON_AWS, *TRIGGERS], ids=ids)
def test_it_takes_and_keeps_the_connection_parameters(cls: type) -> None:
    one = make(cls, **HOOK)

    assert {name: getattr(one, name) for name in HOOK} == HOOK


@pytest.mark.parametrize("cls", ON_AWS, ids=ids)
def test_the_hook_is_made_from_these_parameters(cls: type) -> None:
    hook = make(cls, **HOOK).hook

    assert hook.aws_conn_id == "other"
    assert hook._region_name == "eu-west-1"
    assert hook._verify is False
    assert hook._config.read_timeout == 42
    assert hook._config.retries["max_attempts"] == 10


@pytest.mark.parametrize("cls", [*OPERATORS, *SENSORS], ids=ids)
def test_every_own_parameter_is_templated_unless_it_shapes_the_dag(cls: type[Any]) -> None:
    shapes_the_dag = {"self", "kwargs", "deferrable", "until", "dataset_type", "timeout_hours", "lock"}
    parameters = set(inspect.signature(cls.__init__).parameters) - shapes_the_dag

    assert parameters <= set(cls.template_fields)


@pytest.mark.parametrize("cls", [*OPERATORS, *SENSORS], ids=ids)
def test_every_template_field_is_an_attribute(cls: type[Any]) -> None:
    one = make(cls)

    assert [field for field in cls.template_fields if not hasattr(one, field)] == []


@pytest.mark.parametrize("cls", ON_AWS, ids=ids)
def test_the_connection_is_templated(cls: type[Any]) -> None:
    assert {"aws_conn_id", "region_name", "verify", "botocore_config"} <= set(cls.template_fields)


def parameters_of(cls: type[Any]) -> set[str]:
    """Give the names of all parameters; behind ``**kwargs`` are those of the class above."""
    found: set[str] = set()
    for each in cls.__mro__:
        found |= set(inspect.signature(vars(each).get("__init__", object.__init__)).parameters)
        if "kwargs" not in found:
            break
        found.discard("kwargs")
    return found - {"self", "args"}


@pytest.mark.parametrize("cls", TRIGGERS, ids=ids)
def test_a_trigger_survives_serialization(cls: type) -> None:
    path, arguments = make(cls, **HOOK).serialize()

    again = import_string(path)(**arguments)

    assert again.serialize() == (path, arguments)
    assert {name: arguments[name] for name in HOOK} == HOOK


@pytest.mark.parametrize("cls", TRIGGERS, ids=ids)
def test_a_trigger_serializes_every_parameter(cls: type[Any]) -> None:
    _, arguments = make(cls, **HOOK).serialize()

    assert set(arguments) == parameters_of(cls)


@pytest.mark.parametrize("cls", [*OPERATORS, *SENSORS], ids=ids)
def test_the_operator_survives_dag_serialization(cls: type) -> None:
    from airflow.sdk import DAG
    from airflow.serialization.serialized_objects import DagSerialization

    with DAG("one", schedule=None) as dag:
        make(cls)
    task: Any = DagSerialization.from_dict(DagSerialization.to_dict(dag)).get_task("a_task")

    assert task.task_type == cls.__name__


@pytest.mark.parametrize("cls", [*OPERATORS, *SENSORS, *TRIGGERS], ids=ids)
def test_it_is_documented_with_its_parameters(cls: type[Any]) -> None:
    documentation = "".join(each.__doc__ or "" for each in cls.__mro__ if each.__module__.startswith("custom_labels"))
    shared = {"self", "kwargs", *HOOK, "bucket", "key"}
    parameters = set(inspect.signature(cls.__init__).parameters) - shared

    assert [name for name in parameters if f":param {name}:" not in documentation] == []
