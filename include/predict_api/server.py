"""A small HTTP server for this machine that stands for API Gateway in front of the function."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from include.predict_api.function.logs import log
from include.predict_api.gateway import LARGEST_BODY_BYTES, Shape, is_too_large, to_event

HOST = "127.0.0.1"
"""Nobody is asked who they are, so that only this machine is served."""
Handle = Callable[[dict[str, Any]], dict[str, Any]]
_IDLE_SECONDS = 30


class _Handler(BaseHTTPRequestHandler):
    """Translates one request after the other of a connection."""

    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    # The head and the body of an answer are two writes: without this the second waits for the client's ACK.
    disable_nagle_algorithm = True
    server: PredictServer

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = do_GET  # noqa: N815 - the names are http.server's

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the function's own log says it all
        pass

    def _answer(self) -> None:
        length = self.headers.get("Content-Length") or "0"
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            self._refuse(411, "Length Required")
        elif int(length) > LARGEST_BODY_BYTES:
            self._refuse(413, "Request Too Long")
        else:
            body = self.rfile.read(int(length))
            event = to_event(self.server.shape, self.command, self.path, self.headers.items(), body)
            if is_too_large(event):
                self._refuse(413, "Request Too Long")
            else:
                self._hand_over(event)

    def _hand_over(self, event: dict[str, Any]) -> None:
        try:
            found = self.server.handle(event)
        except Exception as error:
            # API Gateway answers so where a function fails; the process of the function goes on, too.
            log("error", "function_failed", cause=f"{type(error).__name__}: {error}")
            self._send(502, {"Content-Type": "application/json"}, b'{"message": "Internal server error"}')
            raise
        self._send(int(found["statusCode"]), found["headers"], str(found["body"]).encode())

    def _refuse(self, status: int, message: str) -> None:
        """Refuse as the gateway does; what is left of the body is not read, so that the connection ends."""
        self.close_connection = True
        self._send(status, {"Content-Type": "application/json"}, json.dumps({"message": message}).encode())

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class PredictServer(ThreadingHTTPServer):
    """Serves the API, a thread for each connection.

    :param handle: answers an event of API Gateway.
    :param port: 0 for a free one.
    """

    daemon_threads = True
    # socketserver's default of 5 makes clients wait for retransmitted SYNs under load.
    request_queue_size = 128

    def __init__(self, handle: Handle, port: int = 0, shape: Shape = Shape.REST) -> None:
        self.handle = handle
        self.shape = shape
        super().__init__((HOST, port), _Handler)

    @property
    def url(self) -> str:
        """The address that it serves at."""
        return f"http://{HOST}:{self.server_port}"
