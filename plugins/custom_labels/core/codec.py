"""The one codec: values with a type to JSON and back, for XComs, for S3 and for the local databases of a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

from pydantic import TypeAdapter

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")

_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


def _adapter(kind: Any) -> TypeAdapter[Any]:
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


@overload
def to_json(value: DataclassInstance) -> dict[str, Any]: ...
@overload
def to_json(value: Any) -> Any: ...
def to_json(value: Any) -> Any:
    """Give a value as JSON types.

    :param value: a dataclass, an enum, a moment, or a container of such.
    """
    return _adapter(type(value)).dump_python(value, mode="json", warnings="error")


def from_json(kind: type[T], value: Any) -> T:
    """Read back what :func:`to_json` gave; names that the type does not have are passed over.

    :param kind: the type, such as ``LiveVersion`` or ``tuple[Annotation, ...]``.
    :param value: JSON types.
    :raises pydantic.ValidationError: it is none, with the path to each entry that is wrong.
    """
    read: T = _adapter(kind).validate_python(value)
    return read
