"""A value with a type in an object of S3, which several tasks, runs and Airflows read and change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from custom_labels.core.codec import from_json, to_json
from custom_labels.s3.changes import change_json
from custom_labels.s3.store import S3Store, StorageError

T = TypeVar("T")


@dataclass(frozen=True)
class Record(Generic[T]):
    """One JSON object of a project, which holds a value or nothing.

    :param key: relative to the project's prefix.
    :param kind: the value's type.
    """

    key: str
    kind: type[T]

    def read(self, store: S3Store) -> T | None:
        """Read the value, ``None`` where there is none."""
        return self._value(store, store.read_json(self.key)[0])

    def change(self, store: S3Store, change: Callable[[T | None], T | None]) -> T | None:
        """Change the value by compare-and-set; nothing is written where nothing changes.

        :param change: gives the new value for the present one. It is asked again where another writer was faster.
        :return: the value that counts.
        """

        def changed(value: Any) -> Any:
            before = self._value(store, value)
            after = change(before)
            return value if after == before else to_json(after) if after else {}

        return self._value(store, change_json(store, self.key, changed))

    def _value(self, store: S3Store, value: Any) -> T | None:
        return parse(store, self.key, self.kind, value) if value else None


def parse(store: S3Store, key: str, kind: type[T], value: Any) -> T:
    """Take a record from its JSON.

    :raises StorageError: it is not as this package writes it.
    """
    try:
        return from_json(kind, value)
    except ValidationError as error:
        wrong = "; ".join(f"'{'.'.join(map(str, e['loc']))}': {e['msg']}" for e in error.errors())
        raise StorageError(
            f"{store.uri(key)} is not as this package writes it: {wrong}. Restore an earlier version of the object."
        ) from error
