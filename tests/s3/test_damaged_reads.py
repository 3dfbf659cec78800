"""An object whose content did not arrive as S3 sent it is read again."""

from __future__ import annotations

import base64
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import boto3
import pytest

from custom_labels.s3.store import S3Store

CONTENT = b'{"version_name": "v1"}'
CRC32 = base64.b64encode(zlib.crc32(CONTENT).to_bytes(4, "big")).decode()


class Damaging(BaseHTTPRequestHandler):
    """Answers a read with other bytes than it says, and the next one rightly."""

    bodies: Iterator[bytes]

    def do_GET(self) -> None:
        body = next(self.bodies)
        self.send_response(200)
        for name, value in {"ETag": '"1"', "x-amz-checksum-crc32": CRC32, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def store() -> Iterator[S3Store]:
    handler = type("Handler", (Damaging,), {"bodies": iter([b'{"version_name": "v2"}', b"", CONTENT])})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made = S3Store("bucket")
        made.client = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{server.server_port}",
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        yield made
        server.shutdown()


def test_an_object_that_arrives_damaged_is_read_again(store: S3Store) -> None:
    assert store.read_json("registry/live.json") == ({"version_name": "v1"}, '"1"')
