"""Pages of our own in Airflow's API server, made when the first of them is asked for.

Every Airflow process imports the plugin, and making a FastAPI application takes a second: only the API server needs it.
"""

from __future__ import annotations

import threading
from typing import Any


class Pages:
    """An ASGI application that is made at its first request."""

    def __init__(self) -> None:
        self._app: Any = None
        self._lock = threading.Lock()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        await self._made()(scope, receive, send)

    def _made(self) -> Any:
        with self._lock:
            if self._app is None:
                from custom_labels.web.app import make_app

                self._app = make_app()
            return self._app
