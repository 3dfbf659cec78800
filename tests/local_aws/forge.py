"""Requests made from botocore's shapes: right ones, and right ones with one or two things wrong with them.

What is chosen follows from the seed alone, so a request that failed once fails again.
"""

from __future__ import annotations

import base64
import copy
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from botocore.model import OperationModel, Shape

Document = dict[str, Any]

_TEXTS = (
    *(
        "",
        " ",
        "a",
        "A-b_c.9",
        "-",
        "a/b",
        "../..",
        "%2F",
        "a\x00b",
        "line\nline",
        "é",
        "日本",
        "😀",
        "\ud800",
        "\udfff\ud800",
    ),
    *("<b>", "{{ x }}", "${x}", "null", "NaN", "arn:aws:x", "s3://", "s3://b", "s3:///k", "2026-13-45T99:00:00Z", "5"),
)
_NUMBERS = (0, -1, 1, 2, 0.5, -0.0, 1e308, 2**31, 2**63, -(2**63) - 1, 10**400, float("nan"), float("inf"))
_OTHER_TYPES: tuple[Any, ...] = (
    *(True, False, 7, -1, 1.5, "text", ""),
    *([], {}, [None], [[]], {"a": 1}, {"": None}, [{"a": [1]}]),
)
_MOMENTS = (0, -1, 1.5, 1e18, -1e18, "2026-01-01T00:00:00Z", "2026-01-01", "yesterday", "0001-01-01T00:00:00Z")
_KNOWN_SHARE = 0.8
BODIES: tuple[bytes, ...] = (
    *(b"", b" ", b"null", b"[]", b"7", b'"text"', b"true", b"{", b"}", b"{}}", b"{]", b'{"a"}', b"{'a': 1}", b"{a: 1}"),
    *(b"\xff\xfe{}", b"\xef\xbb\xbf{}", b'{"\xff": 1}', b'{"a": NaN}', b"NaN", b"-Infinity", b'{"a": 1e999}'),
    *(b"\x00", b"{}\x00", b"<xml/>", b"Action=CreateProject&Version=1", b'{"a": 1, "a": 2}', b'{"a": "\\ud800"}'),
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"a": ' + b"9" * 5_000 + b"}",
    b"9" * 5_000,
)
"""Bodies that are no request of any operation."""


@dataclass(frozen=True)
class Sent:
    """A request as it goes over the wire, without the headers that name the operation."""

    path: str
    body: bytes

    def __str__(self) -> str:
        return f"{self.path} {self.body[:300]!r}"


class Forge:
    """Makes requests of one operation.

    Parameters: `known` holds values that mean something to the server, a list of them by member name.
    """

    def __init__(self, operation: OperationModel, known: Mapping[str, Sequence[Any]], seed: str) -> None:
        self._operation = operation
        self._known = known
        self._random = random.Random(seed)
        self._optional = 0.4

    def requests(self, count: int) -> Iterator[Sent]:
        """Make so many requests: half of them as the shapes want them, the others with up to three things wrong."""
        for number in range(count):
            self._optional = self._random.choice((0.0, 0.3, 0.6, 1.0))
            document = self._right(self._operation.input_shape) if self._operation.input_shape else {}
            for _ in range(number % 2 * self._random.choice((1, 1, 1, 2, 3))):
                self._break(document)
            yield self.sent(document)

    def sent(self, document: Document) -> Sent:
        """Serialize a request, whatever the types of its members."""
        if self._operation.service_model.metadata["protocol"] == "json":
            return Sent("/", json.dumps(document).encode())
        path, query, body = self._operation.http["requestUri"], {}, {}
        members = self._operation.input_shape.members if self._operation.input_shape else {}
        for name, value in document.items():
            place = members[name].serialization if name in members else {}
            wire_name = place.get("name", name)
            if place.get("location") == "uri":
                path = path.replace(f"{{{wire_name}}}", _quoted(value))
            elif place.get("location") == "querystring":
                query[wire_name] = value if isinstance(value, (str, int, float)) else json.dumps(value)
            else:
                body[wire_name] = value
        text = urlencode({name: str(value).encode("utf-8", "replace") for name, value in query.items()})
        return Sent(f"{path}?{text}" if text else path, json.dumps(body).encode() if body else b"")

    def _right(self, shape: Any, name: str = "") -> Any:
        # An ARN cannot be made up.
        if name in self._known and (name.endswith("Arn") or self._random.random() < _KNOWN_SHARE):
            value = self._random.choice(self._known[name])
            return base64.b64encode(value).decode() if isinstance(value, bytes) else copy.deepcopy(value)
        return self._MAKERS[shape.type_name](self, shape, name)

    def _structure(self, shape: Any, _name: str) -> Document:
        wanted = set(shape.required_members)
        return {
            name: self._right(member, name)
            for name, member in shape.members.items()
            if name in wanted or self._random.random() < self._optional
        }

    def _list(self, shape: Any, name: str) -> list[Any]:
        count = max(shape.metadata.get("min", 0), self._random.choice((1, 1, 2)))
        singular = name.removesuffix("s")
        return [self._right(shape.member, singular if singular in self._known else "") for _ in range(count)]

    def _map(self, shape: Any, _name: str) -> Document:
        return {f"key{n}": self._right(shape.value) for n in range(self._random.randint(0, 2))}

    def _string(self, shape: Any, _name: str) -> str:
        if shape.metadata.get("enum"):
            return str(self._random.choice(shape.metadata["enum"]))
        text = f"name-{self._random.randint(0, 10**6)}"
        return text.ljust(shape.metadata.get("min", 1), "x")

    def _blob(self, _shape: Any, _name: str) -> str:
        return base64.b64encode(self._random.randbytes(20)).decode()

    def _number(self, shape: Any, _name: str) -> int:
        return int(shape.metadata.get("min", 0)) + self._random.randint(0, 2)

    def _boolean(self, _shape: Any, _name: str) -> bool:
        return self._random.random() < 0.5

    def _timestamp(self, _shape: Any, _name: str) -> float:
        return float(self._random.randint(0, 2**31))

    _MAKERS: Mapping[str, Callable[[Forge, Any, str], Any]] = {
        "structure": _structure,
        "list": _list,
        "map": _map,
        "string": _string,
        "blob": _blob,
        "integer": _number,
        "long": _number,
        "float": _number,
        "double": _number,
        "boolean": _boolean,
        "timestamp": _timestamp,
    }

    def _break(self, document: Document) -> None:
        """Put one thing wrong somewhere in the request."""
        places = list(_places(document, self._operation.input_shape))
        how = self._random.random()
        if not places or how < 0.05:
            document[self._random.choice(("Unknown", "", "__type", "é"))] = self._other()
            return
        holder, key, shape = self._random.choice(places)
        if how < 0.2 and isinstance(holder, dict):
            del holder[key]
        elif how < 0.3:
            holder[key] = None
        elif how < 0.5:
            holder[key] = self._other()
        else:
            holder[key] = self._edge(holder[key], shape)

    def _other(self) -> Any:
        """Return a value of any type, a copy: what is put in twice must not change twice."""
        return copy.deepcopy(self._random.choice(_OTHER_TYPES))

    def _edge(self, value: Any, shape: Any) -> Any:
        """Return a value of about the right type at, or beyond, the edge of what is allowed."""
        low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 300)
        if shape.type_name == "string":
            sizes = (max(low - 1, 0), low, min(high, 200_000), min(high + 1, 200_000))
            return self._random.choice([*_TEXTS, *("x" * size for size in sizes), str(value)[:-1], str(value) * 2])
        if shape.type_name in ("integer", "long", "float", "double"):
            return self._random.choice([*_NUMBERS, low - 1, low, high, high + 1, str(low)])
        if shape.type_name == "timestamp":
            return self._random.choice(_MOMENTS)
        if shape.type_name == "list" and isinstance(value, list):
            return self._random.choice([[], value * 2, value * (min(high, 300) + 1), [*value, None]])
        if shape.type_name == "map":
            return self._random.choice([{}, {"": ""}, {"k" * 200: "v"}, {f"{n}": "v" for n in range(high + 1)}])
        if shape.type_name == "blob" and isinstance(value, str):
            return self._random.choice(["", "=", "é", value[:-1], value + "A", value[: len(value) // 8 * 4]])
        return self._other()


def _places(value: Any, shape: Shape | None) -> Iterator[tuple[Any, Any, Any]]:
    """Yield (holder, key, shape) of every member, item and value in a request."""
    kind = getattr(shape, "type_name", None)
    inner: list[tuple[Any, Any]] = []
    if kind == "structure" and isinstance(value, dict):
        inner = [(name, shape.members[name]) for name in value if name in shape.members]  # type: ignore[union-attr]
    elif kind == "list" and isinstance(value, list):
        inner = [(number, shape.member) for number in range(len(value))]  # type: ignore[union-attr]
    elif kind == "map" and isinstance(value, dict):
        inner = [(key, shape.value) for key in value]  # type: ignore[union-attr]
    for key, member in inner:
        yield value, key, member
        yield from _places(value[key], member)


def _quoted(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return quote(text.encode("utf-8", "replace"), safe="")
