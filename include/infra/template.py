"""The CloudFormation template of a project, and what its parameters may be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from include.infra.account import InfraError

TEMPLATE = Path(__file__).with_name("custom-labels-project.yaml")


class _Loader(yaml.SafeLoader):
    """Reads past CloudFormation's short tags: the parameters have none."""


_Loader.add_multi_constructor("!", lambda _loader, _suffix, _node: None)


@dataclass(frozen=True)
class Parameter:
    """A parameter of the template.

    :param default: ``None`` where there is none.
    :param pattern: what the whole value has to match; ``allowed`` names all values, if there are only some.
    :param most: characters at most.
    """

    name: str
    default: str | None
    pattern: str
    allowed: tuple[str, ...]
    most: int

    def check(self, value: str) -> None:
        """See whether CloudFormation would take a value.

        :raises InfraError: it would not.
        """
        if self.allowed and value not in self.allowed:
            raise InfraError(f"{self._is(value)}: expected one of {', '.join(self.allowed)}. Give one of these.")
        if len(value) > self.most:
            raise InfraError(f"{self._is(value)}: expected at most {self.most} characters. Give a shorter one.")
        if not re.fullmatch(self.pattern, value):
            raise InfraError(f"{self._is(value)}: expected a text like {self.pattern}. Give another one.")

    def _is(self, value: str) -> str:
        return f"The stack's parameter {self.name} is {value!a}"


def read_parameters() -> Mapping[str, Parameter]:
    """Read the parameters of the template, by their names."""
    found = yaml.load(TEMPLATE.read_text(encoding="utf-8"), _Loader)["Parameters"]  # noqa: S506 - a SafeLoader
    return {
        name: Parameter(
            name,
            each.get("Default"),
            each.get("AllowedPattern", ".*"),
            tuple(each.get("AllowedValues", ())),
            int(each.get("MaxLength", 4096)),
        )
        for name, each in found.items()
    }
