"""A function as a task of a DAG: values with a type go in and out, and mypy sees the wiring of the DAG file.

A step's function takes the project's context and values with a type, and returns one. In a DAG file a step is called
with the outputs of other steps, as if they were the values themselves::

    decided = decide(project, settings)
    attempt = claim(project, settings, decided)
    TrainVersionOperator(task_id="start_training", version_name=attempt.version_name, ...)

What passes between the tasks is the values' JSON, written and read by :mod:`custom_labels.core.codec`. The function
of a step is its ``function``, for tests without Airflow.
"""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, cast

from airflow.sdk import BaseOperator, Label, chain
from airflow.sdk.definitions.xcom_arg import PlainXComArg

from custom_labels.aws.inputs import require_inputs
from custom_labels.core.codec import from_json
from custom_labels.core.context import ProjectContext
from custom_labels.core.step_operators import VALUE, DecisionOperator, Output, StepOperator

if TYPE_CHECKING:
    from custom_labels.core.settings import Project

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
Item = TypeVar("Item")
Choice = TypeVar("Choice", bound=StrEnum)
Choice_co = TypeVar("Choice_co", bound=StrEnum, covariant=True)


class Decides(Protocol[Choice_co]):
    """A value that says which way its run goes on."""

    @property
    def choice(self) -> Choice_co:
        """The way, one of an enum's."""


class AnyStep:
    """What steps have in common.

    :param function: takes the project's context, then values with types that :mod:`custom_labels.core.codec` knows. A
        parameter that may be ``None``, since the task that returns it may be skipped, says so in its annotation.
    :param options: arguments of the operator, ``task_id`` among them: by default the function's name.
    :param fan_out: the field of the result, a list, that other steps are mapped over.
    """

    def __init__(self, function: Callable[..., Any], options: Mapping[str, Any], fan_out: str | None = None) -> None:
        self.function = function
        self.fan_out = fan_out
        self.__doc__ = inspect.getdoc(function) or ""
        self._options = {"task_id": function.__name__, "doc": self.__doc__, **options}

    @functools.cached_property
    def parameters(self) -> list[str]:
        """The names of the function's inputs, in order."""
        return list(inspect.signature(self.function).parameters)[1:]

    def has_field(self, path: str) -> bool:
        """Whether the function's result has a field, or its field one, named with dots between."""
        kind = self._kinds.get("return")
        for name in path.split("."):
            plain = _plain_kind(kind)
            kind = typing.get_type_hints(plain).get(name) if is_dataclass(plain) else None
            if kind is None:
                return False
        return True

    def own_input(self, item: Any) -> dict[str, Any]:  # noqa: ARG002
        """Give the input that a mapped task takes from the list; none of a task that is not mapped."""
        return {}

    def run(self, ctx: ProjectContext, task_id: str, inputs: Mapping[str, Any]) -> Any:
        """Call the function with inputs as they are between tasks.

        :param inputs: JSON types, by the names of the function's parameters.
        :raises NotDecided: one is missing that may not be.
        """
        kinds = self._kinds
        require_inputs(task_id, {name: each for name, each in inputs.items() if not _may_be_missing(kinds[name])})
        return self.function(ctx, **{name: from_json(kinds[name], _plain(each)) for name, each in inputs.items()})

    @functools.cached_property
    def _kinds(self) -> dict[str, Any]:
        return typing.get_type_hints(self.function)

    def _arguments(self, project: Project, parameters: list[str], *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Give the operator's arguments."""
        inputs = {**dict(zip(parameters, args, strict=False)), **kwargs}
        return {"step": self, "project": project.name, "inputs": inputs, **self._options}


def _plain(value: Any) -> Any:
    """Give the results of a mapped task, which Airflow hands over as a lazy sequence, as a list."""
    is_lazy = isinstance(value, Sequence) and not isinstance(value, str | list | tuple)
    return list(value) if is_lazy else value


def _plain_kind(kind: Any) -> Any:
    """Give a type without its ``| None``."""
    kinds = typing.get_args(kind) if _may_be_none(kind) else ()
    return next((each for each in kinds if each is not type(None)), kind)


def _may_be_missing(kind: Any) -> bool:
    """Whether an input may be ``None``, or in a list one of its entries."""
    return _may_be_none(kind) or any(map(_may_be_none, typing.get_args(kind)))


def _may_be_none(kind: Any) -> bool:
    return type(None) in typing.get_args(kind)


class Step(AnyStep, Generic[P, R]):
    """A function that a DAG runs as a task; called in a DAG file it adds the task."""

    function: Callable[Concatenate[ProjectContext, P], R]

    def __init__(
        self,
        function: Callable[Concatenate[ProjectContext, P], R],
        *,
        operator: type[StepOperator] = StepOperator,
        fan_out: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(function, options, fan_out)
        self.operator = operator

    def having(self, **options: Any) -> Step[P, R]:
        """Give the step with other arguments of its operator."""
        return Step(self.function, operator=self.operator, fan_out=self.fan_out, **{**self._options, **options})

    def __call__(self, project: Project, *args: P.args, **kwargs: P.kwargs) -> R:
        """Add the task to the DAG that is being built; give what stands for its result."""
        operator = self.operator(**self._arguments(project, self.parameters, *args, **kwargs))
        return cast("R", Output(operator, VALUE) if self.fan_out else Output(operator))


class MappedStep(AnyStep, Generic[Item, P, R]):
    """A function that a DAG runs as one task for each entry of a list, which is the function's first input."""

    function: Callable[Concatenate[ProjectContext, Item, P], R]

    def __init__(self, function: Callable[Concatenate[ProjectContext, Item, P], R], **options: Any) -> None:
        super().__init__(function, options)

    def having(self, **options: Any) -> MappedStep[Item, P, R]:
        """Give the step with other arguments of its operator."""
        return MappedStep(self.function, **{**self._options, **options})

    def __call__(self, project: Project, items: Sequence[Item], *args: P.args, **kwargs: P.kwargs) -> Sequence[R]:
        """Add the tasks to the DAG that is being built; give what stands for the list of their results."""
        arguments = self._arguments(project, self.parameters[1:], *args, **kwargs)
        return cast("Sequence[R]", StepOperator.partial(**arguments).expand(item=items).output)

    def own_input(self, item: Any) -> dict[str, Any]:
        """Give the entry of the list, by the name of the function's first input."""
        return {self.parameters[0]: item}


def step(function: Callable[Concatenate[ProjectContext, P], R]) -> Step[P, R]:
    """Make a step of a function."""
    return Step(function)


def mapped_step(function: Callable[Concatenate[ProjectContext, Item, P], R]) -> MappedStep[Item, P, R]:
    """Make a step of a function that runs once for each entry of a list, its first input."""
    return MappedStep(function)


def fan_out(field: str) -> Callable[[Callable[Concatenate[ProjectContext, P], R]], Step[P, R]]:
    """Make a step of a function that mapped steps come after.

    :param field: the field of its result that they are mapped over.
    """
    return functools.partial(Step, fan_out=field)


def decision(function: Callable[Concatenate[ProjectContext, P], R]) -> Step[P, R]:
    """Make a step of a function whose value has a ``choice`` of the ways on."""
    return Step(function, operator=DecisionOperator)


def deciding_fan_out(field: str) -> Callable[[Callable[Concatenate[ProjectContext, P], R]], Step[P, R]]:
    """Make a step of a function whose value has a ``choice`` of the ways on, one of them to mapped steps.

    :param field: the field of its result that they are mapped over.
    """
    return functools.partial(Step, operator=DecisionOperator, fan_out=field)


def follow(decided: Decides[Choice], ways: Mapping[Choice, Any]) -> None:
    """Draw the ways on from a decision; each edge has the words of its choice.

    What is on the way of another choice only is skipped. A choice without a way skips all of them.

    :param ways: for each choice a task, an output, a group, or a list of them.
    """
    operator = cast("DecisionOperator", cast("Output", decided).operator)
    for choice, tasks in ways.items():
        listed = list(tasks) if isinstance(tasks, Sequence) else [tasks]
        operator.ways[choice.value] = [root for each in listed for root in each.roots]
        for each in listed:
            operator >> Label(choice.value) >> each


def earlier(value: T) -> T:
    """Give what stands for a value of a step that is before the one that takes it, by edges that there are already.

    No further edge is drawn: a graph shows how a run goes on, not who remembers what. Nor is the step an upstream,
    which a trigger rule would count.
    """
    output = cast("PlainXComArg", value)
    return cast("T", Output(output.operator, output.key, is_drawn=False))


def given(value: T | None) -> T:
    """Give what stands for a value that is there on this way through the DAG; where it is not, its task fails."""
    return cast("T", value)


def each_of(values: Sequence[Any]) -> PlainXComArg:
    """Give what stands for the list that an operator is mapped over, ``expand_kwargs`` in Airflow's words."""
    return cast("PlainXComArg", values)


def text_of(operator: BaseOperator) -> str:
    """Give what stands for the text that an operator returns, such as an ARN."""
    return cast("str", operator.output)


def task_of(output: Any) -> BaseOperator:
    """Give the task behind a step's output, for what Airflow does with tasks only, such as ``as_teardown``."""
    return cast("BaseOperator", cast("Output", output).operator)


def order(*tasks: Any) -> None:
    """Let tasks run one after the other; of a list, all at the same time.

    :param tasks: outputs of steps, operators, task groups, and lists of them.
    """
    chain(*map(_tasks, tasks))


def _tasks(each: Any) -> Any:
    """Give the tasks behind outputs: of one that draws no edges, edges are drawn here."""
    if isinstance(each, Sequence):
        return [_tasks(one) for one in each]
    return each.operator if isinstance(each, PlainXComArg) else each
