"""Changing a record that others change as well: read, change, write if nobody was faster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tenacity import retry, retry_if_exception_type, wait_random

from custom_labels.s3.store import ObjectChanged, ObjectExists, S3Store


@retry(retry=retry_if_exception_type((ObjectExists, ObjectChanged)), wait=wait_random(0, 0.2))
def change_json(store: S3Store, relative: str, change: Callable[[Any], Any]) -> Any:
    """Change a JSON object by compare-and-set; each refusal means that another writer was faster.

    :param change: gives the new value for the present one, ``None`` where there is none; equal means not to write. It
        is asked again after each refusal, so it must do nothing else.
    :return: the value that counts.
    """
    before, etag = store.read_json(relative)
    after = change(before)
    if after != before:
        store.write_if_unchanged(relative, after, etag)
    return after
