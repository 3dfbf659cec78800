"""Changing a record that others change as well: read, change, write if nobody was faster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tenacity import Retrying, retry_if_exception_type, wait_random

from custom_labels.s3.store import ObjectChanged, ObjectExists, S3Store


def change_json(
    store: S3Store, relative: str, change: Callable[[Any], Any], known: tuple[Any, str | None] | None = None
) -> Any:
    """Change a JSON object by compare-and-set; each refusal means that another writer was faster.

    :param change: gives the new value for the present one, ``None`` where there is none; equal means not to write. It
        is asked again after each refusal, so it must do nothing else.
    :param known: the present value and its ETag, where :meth:`S3Store.read_json` gave them before; else it is read.
    :return: the value that counts.
    """
    for attempt in Retrying(retry=retry_if_exception_type((ObjectExists, ObjectChanged)), wait=wait_random(0, 0.2)):
        with attempt:
            (before, etag), known = known or store.read_json(relative), None
            after = change(before)
            if after != before:
                store.write_if_unchanged(relative, after, etag)
    return after
