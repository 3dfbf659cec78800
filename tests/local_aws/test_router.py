"""The front door answers, whatever happens behind it."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

from include.local_aws.messages import Request
from include.local_aws.router import Router
from tests.local_aws.test_operations import request


def router(error: Exception) -> Router:
    """Return a router behind which everything fails with this error."""
    parts: Any = Mock()
    parts.handle.side_effect = error
    return Router([], *[parts] * 7)


def answer(door: Router, sent: Request) -> tuple[str, bytes]:
    started: list[str] = []
    body = b"".join(door(sent.environ, lambda status, _headers: started.append(status)))
    return started[0], body


@pytest.mark.parametrize("path", ["/_local_aws/work/", "/_local_aws/health"], ids=["portal", "control"])
def test_answer_says_where_to_look_when_something_inside_fails(path: str) -> None:
    status, body = answer(router(KeyError("x")), request("GET", path))
    assert status.startswith("500")
    assert body == b"Bug in local AWS: KeyError('x'); see its log.\n"


def test_connection_is_closed_when_the_client_is_to_lose_the_answer() -> None:
    with pytest.raises(ConnectionResetError):
        answer(router(ConnectionResetError()), request("GET", "/_local_aws/health"))
