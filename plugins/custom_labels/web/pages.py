"""Pages of our own in Airflow's API server, made when the first of them is asked for.

Every Airflow process imports the plugin, and making a FastAPI application takes a second: only the API server needs it.
"""

from __future__ import annotations

import functools
from typing import Any


async def pages(scope: Any, receive: Any, send: Any) -> None:
    """Answer a request, as an ASGI application."""
    await _app()(scope, receive, send)


@functools.cache
def _app() -> Any:
    from custom_labels.web.app import make_app

    return make_app()
