"""The descriptions of AWS's APIs that botocore brings."""

from __future__ import annotations

import functools


def read_models_once() -> None:
    """Let botocore read an API's description from disk once a process, not once a session: tests make thousands."""
    from botocore.loaders import JSONFileLoader

    plain = JSONFileLoader.load_file
    remembered = functools.cache(lambda path: plain(JSONFileLoader(), path))
    JSONFileLoader.load_file = lambda _, file_path: remembered(file_path)  # type: ignore[method-assign]
