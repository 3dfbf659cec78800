"""The descriptions of AWS's APIs that botocore brings."""

from __future__ import annotations

import functools
from typing import Any


def read_models_once() -> None:
    """Let botocore look for APIs and read their descriptions once a process, not once a session: tests make thousands.

    Every client looks through some thousand folders for the names of all services.
    """
    import botocore.hooks
    from botocore.loaders import JSONFileLoader, Loader

    plain = JSONFileLoader.load_file
    remembered = functools.cache(lambda path: plain(JSONFileLoader(), path))
    JSONFileLoader.load_file = lambda _, file_path: remembered(file_path)  # type: ignore[assignment, method-assign]

    look = Loader.list_available_services
    found: dict[tuple[str, ...], list[str]] = {}

    def list_once(loader: Loader, type_name: str) -> list[str]:
        key = (type_name, *loader.search_paths)
        if key not in found:
            found[key] = look(loader, type_name)
        return found[key]

    Loader.list_available_services = list_once  # type: ignore[assignment, method-assign]
    # Each session and client inspects the same hundred functions, and looks for the aliases of their events.
    botocore.hooks.accepts_kwargs = functools.cache(botocore.hooks.accepts_kwargs)
    aliaser: Any = botocore.hooks.EventAliaser
    alias = aliaser._alias_event_name
    aliases: dict[tuple[int, str], str] = {}

    def alias_once(self: Any, event_name: str) -> str:
        key = (id(self._event_aliases), event_name)
        if key not in aliases:
            aliases[key] = alias(self, event_name)
        return aliases[key]

    aliaser._alias_event_name = alias_once
