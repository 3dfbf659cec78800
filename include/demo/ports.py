"""Free TCP ports, near the usual ones where those are taken."""

from __future__ import annotations

import socket

from include.demo.errors import DemoError

TRIES = 100
HIGHEST = 65535


def is_free(port: int) -> bool:
    """Tell whether a server could listen on the port, on the loopback address and on all addresses."""
    for address in ("127.0.0.1", ""):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            # A connection that was just closed must not count as taken; a listening server still does.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True


def free_port(preferred: int) -> int:
    """Find the first free port from the preferred one on.

    :raises DemoError: none of the next hundred is free.
    """
    for port in range(preferred, min(preferred + TRIES, HIGHEST + 1)):
        if is_free(port):
            return port
    raise DemoError(
        f"No port from {preferred} to {min(preferred + TRIES - 1, HIGHEST)} is free on this machine. "
        "End a program that listens on one of them."
    )
