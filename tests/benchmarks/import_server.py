"""An S3 with one large source of images: ``python -m tests.benchmarks.import_server <images>`` prints its port.

The source, ``old/``, is listed as folders of images, and ``old.manifest`` says where each image has boxes. Images have
ETags, and no content that anybody reads; copies are counted and not kept. What else is put is kept in memory.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from tests.benchmarks.listing_server import BUCKET, PAGE, ListingServer, Request, pages_of
from tests.kit.annotation_lines import boxes_line

SOURCE, MANIFEST = "old/", "lines/old.manifest"
LABELS = ("cat", "dog", "parrot")
SECONDS_A_CALL = 0.02
"""What each call takes, as over a network."""


def image_key(number: int, images: int) -> str:
    """Give the key of an image; they come in order, and each label has a third of them."""
    return f"{SOURCE}{LABELS[number * len(LABELS) // images]}/IMG_{number:08}.jpg"


class ImportServer(ListingServer):
    """Answers what an import asks of S3."""

    def __init__(self, images: int) -> None:
        super().__init__({}, {})
        self.images = images
        self.calls: Counter[str] = Counter()

    @cached_property
    def _manifest(self) -> bytes:
        return b"".join(json.dumps(line).encode() + b"\n" for line in self._lines())

    def _lines(self) -> Iterator[dict[str, Any]]:
        for number in range(self.images):
            boxes = [("cat", 10, 20, 30, 40), ("dog", 100, 20, 30.5, 40)][: 1 + number % 2]
            yield boxes_line(f"s3://{BUCKET}/{image_key(number, self.images)}", boxes)

    async def answer(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        """Answer one request: status, headers, body."""
        if request.key == "" and "stats" in request.query:
            seen, self.calls = self.calls, Counter()
            return 200, {}, json.dumps(seen).encode()
        await asyncio.sleep(SECONDS_A_CALL)
        is_copy = "x-amz-copy-source" in request.headers
        self.calls["COPY" if is_copy else "LIST" if request.key == "" else request.method] += 1
        if is_copy:
            return 200, {}, b"<CopyObjectResult><ETag>&quot;copy&quot;</ETag></CopyObjectResult>"
        if request.key == "":
            return 200, {}, self._listed(request.query)
        if request.key == MANIFEST:
            return 200, {"ETag": '"manifest"'}, self._manifest
        if request.key.startswith(SOURCE):
            etag = hashlib.md5(request.key.encode(), usedforsecurity=False).hexdigest()
            return 200, {"ETag": f'"{etag}"'}, b"x"
        return await super().answer(request)

    def _listed(self, query: dict[str, str]) -> bytes:
        if query["prefix"] != SOURCE:
            kept = (
                [] if "delimiter" in query else sorted(key for key in self.objects if key.startswith(query["prefix"]))
            )
            return pages_of(query["prefix"], kept)[0]
        start = int(query.get("continuation-token", 0)) * PAGE
        keys = [image_key(number, self.images) for number in range(start, min(start + PAGE, self.images))]
        page = pages_of(SOURCE, keys)[0]
        if start + PAGE >= self.images:
            return page
        token = f"<NextContinuationToken>{start // PAGE + 1}</NextContinuationToken>".encode()
        return page.replace(b"<KeyCount>", token + b"<KeyCount>", 1).replace(b">false</IsT", b">true</IsT", 1)


async def main(images: int) -> None:
    """Serve until standard input closes."""
    server = ImportServer(images)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, limit=2**20)
    sys.stdout.write(f"{listening.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with listening:
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
