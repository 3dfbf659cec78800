"""The descriptions of AWS's APIs that botocore brings."""

from __future__ import annotations

import functools


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
    # Each client inspects the signatures of the same hundred functions.
    botocore.hooks.accepts_kwargs = functools.cache(botocore.hooks.accepts_kwargs)
