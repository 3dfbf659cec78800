"""Tables in Markdown: a cell of any text, and what a field of a pydantic model allows in words."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Literal, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

PARAM = re.compile(r"^:param (\w+): (.*?)(?=^:|\Z)", re.MULTILINE | re.DOTALL)
ALSO = re.compile(r"``(\w+)``")
ROLE = re.compile(r":\w+:`~?([^`]+)`")


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Make a table.

    :param header: titles of its columns.
    :param rows: its cells, as Markdown; a bar or a line's end in one does not break the table.
    """
    titles = list(header)
    lines = [_line(titles), "|" + "---|" * len(titles), *(_line(row) for row in rows)]
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"


def written(default: Any) -> str:
    """Write the default of a setting or Param as a person writes it; ``-`` where there is none."""
    if default is None or default == "" or default is PydanticUndefined:
        return "-"
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, list | tuple):
        return ", ".join(map(str, default)) or "[]"
    return f"{default:g}" if isinstance(default, float) else str(default)


def allowed(field: FieldInfo, examples: Mapping[str, str], name: str) -> str:
    """Say which values a field takes.

    :param examples: JSON by the names of the fields that are JSON.
    """
    if name in examples:
        return f"JSON, such as `{examples[name]}`"
    kinds = [kind for kind in get_args(field.annotation) or (field.annotation,) if kind not in {type(None), Ellipsis}]
    if get_origin(field.annotation) is Literal:
        return ", ".join(map(str, kinds))
    kind = kinds[0]
    if inspect.isclass(kind) and issubclass(kind, Enum):
        return ", ".join(str(each.value) for each in kind)
    if kind is bool:
        return "true, false"
    return _bounds(field) or {int: "a whole number", float: "a number"}.get(kind, "text")


def _bounds(field: FieldInfo) -> str:
    lowest = highest = ""
    for bound in field.metadata:
        match bound:
            case annotated_types.Ge(ge=value):
                lowest = f"{value}"
            case annotated_types.Gt(gt=value):
                lowest = f"above {value}"
            case annotated_types.Le(le=value):
                highest = f"to {value}"
            case annotated_types.Lt(lt=value):
                highest = f"below {value}"
            case annotated_types.MaxLen(max_length=value):
                return f"at most {value} characters"
            case _:
                pass
    if lowest and not highest:
        return lowest if lowest.startswith("above") else f"{lowest} or more"
    return f"{lowest}, {highest}" if lowest.startswith("above") else f"{lowest} {highest}".strip()


def explained(model: type[BaseModel]) -> dict[str, str]:
    """Give what a model's docstring says of each of its fields; one without a line may be named in another's.

    :raises LookupError: a field is in none.
    """
    found: dict[str, str] = {}
    for base in model.__mro__:
        for name, text in PARAM.findall(inspect.cleandoc(base.__doc__ or "")):
            found.setdefault(name, ROLE.sub(r"`\1`", " ".join(text.split())).replace("``", "`"))
            for other in ALSO.findall(text):
                found.setdefault(other, f"see `{name}`")
    if missing := [name for name in model.model_fields if name not in found]:
        raise LookupError(f"{model.__name__} explains no {', '.join(missing)}: add a :param line to its docstring.")
    return {name: found[name] for name in model.model_fields}
