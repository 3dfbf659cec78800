"""Free ports."""

from __future__ import annotations

import socket

import pytest

from include.demo.errors import DemoError
from include.demo.ports import free_port, is_free


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_free_port_passes_over_a_port_where_somebody_listens(address: str) -> None:
    with socket.socket() as server:
        server.bind((address, 0))
        server.listen()
        taken = server.getsockname()[1]
        assert not is_free(taken)
        assert taken < free_port(taken) < taken + 100


def test_free_port_takes_the_preferred_one_again_after_a_server_ended() -> None:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()
    assert free_port(port) == port


def test_free_port_says_what_to_do_when_none_is_left() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 65535))
        with pytest.raises(DemoError, match=r"No port from 65535 to 65535 is free .* End a program"):
            free_port(65535)
