"""Requests to the demo's own servers, sent again while these are busy or start."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx

from include.demo.errors import DemoError

TRIES = 6
"""A busy SQLite database, which both servers have here, answers a request with HTTP 500 now and then."""


def send_patiently(send: Callable[[], httpx.Response], what: str) -> httpx.Response:
    """Send a request, which may be repeated, until it is answered with anything but an error of the server.

    :param what: who did not answer what, for the words of an error.
    :raises DemoError: it is not answered, however often it is sent.
    """
    problem: object = None
    for attempt in range(TRIES):
        time.sleep(0.5 * attempt)
        try:
            answer = send()
        except httpx.TransportError as error:
            problem = error
            continue
        if not answer.is_server_error:
            return answer
        problem = f"HTTP {answer.status_code}, {answer.text[:500]}"
    raise DemoError(f"{what}: {problem}")
