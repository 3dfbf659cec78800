"""What a step is in Airflow: the operator that runs its function, and the outputs that other steps take."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.bases.skipmixin import SkipMixin
from airflow.sdk.bases.xcom import BaseXCom
from airflow.sdk.definitions.xcom_arg import PlainXComArg
from airflow.sdk.exceptions import AirflowSkipException, XComNotFound

from custom_labels.core.codec import to_json
from custom_labels.core.context import ProjectContext, final
from custom_labels.core.listener import write_note
from custom_labels.errors import NothingToDo

if TYPE_CHECKING:
    from airflow.sdk import Context

    from custom_labels.core.steps import AnyStep

VALUE = "value"
"""XCom key of the whole value of a step that fans out."""


class Output(PlainXComArg):
    """What stands for a step's result in a DAG file, or for a field of it; its fields are those of the result.

    A field that is read here, for the argument of an operator, becomes an XCom of its own, whose key is the path to
    it. Airflow maps tasks over return values only: of a step that fans out the return value is the list, and the whole
    value another XCom.

    :param is_drawn: whether the graph has an edge to each task that takes it; see :func:`earlier`.
    """

    def __init__(self, operator: Any, key: str = BaseXCom.XCOM_RETURN_KEY, *, is_drawn: bool = True) -> None:
        super().__init__(operator, key)
        self.is_drawn = is_drawn

    def __getattr__(self, name: str) -> Any:
        """Give what stands for a field of the result."""
        operator = object.__getattribute__(self, "operator")
        if not isinstance(operator, StepOperator) or name.startswith("__"):
            raise AttributeError(name)
        path = name if self.key in {VALUE, BaseXCom.XCOM_RETURN_KEY} else f"{self.key}.{name}"
        if not operator.step.has_field(path):
            raise AttributeError(f"the result of '{operator.task_id}' has no field '{path}'")
        if path == operator.step.fan_out:
            return PlainXComArg(operator)
        operator.used_fields.add(path)
        return Output(operator, path, is_drawn=self.is_drawn)

    def iter_references(self) -> Iterator[tuple[Any, str]]:
        """Name the task that this makes an upstream of those that take it."""
        return iter([(self.operator, self.key)] if self.is_drawn else [])

    @property
    def roots(self) -> list[Any]:
        """The task, as what edges are drawn to; ``leaves`` as what they are drawn from."""
        return [self.operator]

    leaves = roots

    def resolve(self, context: Mapping[str, Any]) -> Any:
        """Read the XCom, ``None`` where the step was skipped."""
        try:
            return super().resolve(context)
        except XComNotFound:
            return None


class StepOperator(BaseOperator):
    """Run a step's function with this run's context.

    :param step: the step.
    :param project: name of the project.
    :param inputs: outputs of other steps, or values, by the names of the function's parameters (templated).
    :param item: of a mapped task, its own entry of the list: the function's first input (templated).
    """

    template_fields: Sequence[str] = ("inputs", "item")
    template_fields_renderers: typing.ClassVar[dict[str, str]] = {"inputs": "json", "item": "json"}
    ui_color = "#e7f0fa"

    def __init__(
        self,
        *,
        step: AnyStep,
        project: str,
        inputs: Mapping[str, Any],
        item: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.step = step
        self.project = project
        self.inputs = inputs
        self.item = item
        self.used_fields: set[str] = set()

    @final
    def execute(self, context: Context) -> Any:
        """Read the inputs, call the function, and hand on what it returns."""
        return self.handed_on(self.run_step(context))

    def handed_on(self, value: Any) -> Any:
        """Give the part of a step's value that Airflow takes as the task's return value."""
        return value if self.step.fan_out is None else value[self.step.fan_out]

    def run_step(self, context: Context) -> Any:
        """Call the function, and push what of its value is an XCom of its own; give the whole value as JSON types."""
        inputs = {**self.step.own_input(self.item), **self.inputs}
        ctx = ProjectContext(self.project, context)
        try:
            value = to_json(self.step.run(ctx, self.task_id, inputs))
            write_event_facts(context, self, ctx)
        except NothingToDo as reason:
            raise AirflowSkipException(str(reason)) from reason
        finally:
            for text in ctx.notes[-1:]:
                write_note(context, text)
        for path in sorted(self.used_fields):
            context["ti"].xcom_push(key=path, value=_field(value, path))
        if self.step.fan_out is not None:
            context["ti"].xcom_push(key=VALUE, value=value)
        return value


class DecisionOperator(StepOperator, SkipMixin):
    """Run a step whose value says which way the run goes on, and skip what is on the other ways only."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ways: dict[str, list[BaseOperator]] = {}

    @final
    def execute(self, context: Context) -> Any:
        """Decide, hand on the decision, and skip what it passes over."""
        value = self.run_step(context)
        # Airflow skips by an exception, after which it hands on nothing.
        handed_on = self.handed_on(value)
        _push_result(context["ti"], handed_on, is_mapped_over=self.step.fan_out is not None)
        self.skip(context["ti"], self.passed_over(value["choice"]))
        return handed_on

    def passed_over(self, choice: str) -> list[BaseOperator]:
        """Give the tasks that a choice skips: those on other ways only."""
        chosen = self.ways.get(choice, [])
        kept = {each.task_id for each in chosen}.union(*(each.get_flat_relative_ids(upstream=False) for each in chosen))
        others = {each.task_id: each for tasks in self.ways.values() for each in tasks}
        return [each for task_id, each in sorted(others.items()) if task_id not in kept]


def write_event_facts(context: Context, task: BaseOperator, ctx: ProjectContext) -> None:
    """Put what a task says of its events into each of them; Airflow takes it when the task has succeeded."""
    if ctx.event_facts:
        for outlet in task.outlets:
            context["outlet_events"][outlet].extra.update(ctx.event_facts)


def _push_result(ti: Any, value: Any, *, is_mapped_over: bool) -> None:
    """Push the return value, for tasks that are mapped over it with its length, as Airflow itself does."""
    if not is_mapped_over:
        ti.xcom_push(key=BaseXCom.XCOM_RETURN_KEY, value=value)
        return
    # Nothing public takes the length, and what it is made of differs between Airflow 3.2, 3.3 and 3.4.
    from airflow.sdk.execution_time.task_runner import _xcom_push

    _xcom_push(ti, BaseXCom.XCOM_RETURN_KEY, value, mapped_length=len(value))


def _field(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = None if value is None else value[name]
    return value
