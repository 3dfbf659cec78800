"""An S3 of canned listings: 50 ms a page, objects that are put are kept in memory, and every listing call is counted.

It runs in a process of its own, so that its work is in nobody's measurement: ``python -m
tests.benchmarks.listing_server <images> <seconds a page>`` prints its port and serves until its standard input closes.
With ``annotated`` as a third argument the images are in no label folder, and lines with boxes say what is on them.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from custom_labels.core.keys import CHECKS
from custom_labels.datasets.image_table import ImageTable
from custom_labels.datasets.images import Tally
from custom_labels.datasets.split import position

BUCKET = "benchmark"
LABELS = ("cat", "dog", "parrot")
FOLDER = "images_labeled_by_folder/"
PAGE = 1000
SECONDS_A_PAGE = 0.05
TIME = "2026-01-31T12:00:00.000Z"


def image_keys(label: str, images: int) -> list[str]:
    """Give a label's share of all keys, sorted."""
    share = images // len(LABELS) + (LABELS.index(label) < images % len(LABELS))
    return [f"{FOLDER}{label}/camera-{number // 5000:02}/IMG_{number:08}.jpg" for number in range(share)]


def etag(key: str) -> str:
    """Give the MD5 that stands for an image's content."""
    return hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()


def _entry(key: str) -> str:
    return (
        f"<Contents><Key>{key}</Key><LastModified>{TIME}</LastModified><ETag>&quot;{etag(key)}&quot;</ETag>"
        "<ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>"
        "<Size>183042</Size><StorageClass>STANDARD</StorageClass></Contents>"
    )


def _page(prefix: str, number: int, pages: int, contents: str, folders: str = "") -> bytes:
    more = number + 1 < pages
    token = f"<NextContinuationToken>{number + 1}</NextContinuationToken>" if more else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>{BUCKET}</Name><Prefix>{prefix}</Prefix>{token}<KeyCount>{PAGE}</KeyCount><MaxKeys>{PAGE}</MaxKeys>"
        f"<EncodingType>url</EncodingType><IsTruncated>{str(more).lower()}</IsTruncated>{contents}{folders}"
        "</ListBucketResult>"
    ).encode()


def pages_of(prefix: str, keys: list[str]) -> list[bytes]:
    """Prepare the pages of a listing."""
    chunks = [keys[start : start + PAGE] for start in range(0, len(keys), PAGE)] or [[]]
    return [_page(prefix, number, len(chunks), "".join(map(_entry, chunk))) for number, chunk in enumerate(chunks)]


def make_pages(images: int) -> dict[str, list[bytes]]:
    """Prepare the pages of each listing: of each label, of all together, and the folders, which are under ``/``."""
    listings = {f"{FOLDER}{label}/": image_keys(label, images) for label in LABELS}
    listings[FOLDER] = [key for label in LABELS for key in image_keys(label, images)]
    made = {}
    for prefix, keys in listings.items():
        made[prefix] = pages_of(prefix, keys)
    folders = "".join(f"<CommonPrefixes><Prefix>{FOLDER}{label}/</Prefix></CommonPrefixes>" for label in LABELS)
    made["/"] = [_page(FOLDER, 0, 1, "", folders)]
    return made


def make_checks(images: int) -> bytes:
    """Prepare what is known in a project whose images were all checked before, as in its daily life."""
    with tempfile.TemporaryDirectory() as name, ImageTable(Path(name) / "images.sqlite") as table:
        table.use_checks(Path(name) / "none.sqlite")
        for label in LABELS:
            rows = Path(name) / "rows"
            rows.write_text("".join(f"{key}\t{etag(key)}\n" for key in image_keys(label, images)))
            table.load(label, rows)
        listed = table.some(images, known=False)
        table.settle(((image, position(image.etag), None) for image in listed), Tally())
        table.finish_checks(datetime.fromisoformat(TIME))
        return (Path(name) / "images.sqlite").read_bytes()


@dataclass
class Request:
    """One HTTP request."""

    method: str
    key: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class ListingServer:
    """Answers the few S3 calls that the benchmark makes.

    :param pages: by prefix, the pages of its listing.
    :param objects: by key, the content and the metadata headers.
    """

    pages: dict[str, list[bytes]]
    objects: dict[str, tuple[bytes, dict[str, str]]]
    seconds_a_page: float = SECONDS_A_PAGE
    listings: int = 0
    parts: dict[int, bytes] = field(default_factory=dict)

    async def answer(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        """Answer one request: status, headers, body."""
        if request.key == "" and request.method == "GET":
            if "stats" in request.query:
                seen, self.listings = self.listings, 0
                return 200, {}, json.dumps({"listings": seen}).encode()
            self.listings += 1
            await asyncio.sleep(self.seconds_a_page)
            prefix = "/" if "delimiter" in request.query else request.query["prefix"]
            return 200, {}, self.pages[prefix][int(request.query.get("continuation-token", 0))]
        if request.method in {"PUT", "POST"}:
            return self._write(request)
        found = self.objects.get(request.key)
        if found is None:
            return 404, {}, b"<Error><Code>NoSuchKey</Code><Message>It is not there.</Message></Error>"
        body, metadata = found
        return 200, {**metadata, "ETag": f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'}, body

    def _write(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        metadata = {name: value for name, value in request.headers.items() if name.startswith("x-amz-meta-")}
        if "uploads" in request.query:
            self.parts = {}
            self.objects[request.key] = (b"", metadata)
            return 200, {}, b"<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>"
        if "partNumber" in request.query:
            self.parts[int(request.query["partNumber"])] = request.body
            return 200, {"ETag": '"part"'}, b""
        if "uploadId" in request.query:
            whole = b"".join(body for _, body in sorted(self.parts.items()))
            self.objects[request.key] = (whole, self.objects[request.key][1])
            return 200, {}, b'<CompleteMultipartUploadResult><ETag>"whole"</ETag></CompleteMultipartUploadResult>'
        self.objects[request.key] = (request.body, metadata)
        return 200, {"ETag": '"put"'}, b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until the client closes it."""
        while request := await _read(reader, writer):
            status, headers, body = await self.answer(request)
            headers = {"Content-Type": "application/xml", **headers, "Content-Length": str(len(body))}
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            writer.write(f"HTTP/1.1 {status} -\r\n{lines}\r\n".encode())
            writer.write(b"" if request.method == "HEAD" else body)
            await writer.drain()
        writer.close()


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.strip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if headers.get("expect"):
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    if "aws-chunked" in headers.get("content-encoding", ""):
        body = _unchunk(body)
    parts = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    return Request(method, unquote(parts.path).removeprefix(f"/{BUCKET}").removeprefix("/"), query, headers, body)


def _unchunk(body: bytes) -> bytes:
    """Take the content out of S3's chunked upload: size in hex, line end, bytes, line end, until a size of nothing."""
    content, place = [], 0
    while place < len(body):
        end = body.index(b"\r\n", place)
        size = int(body[place:end].split(b";")[0], 16)
        if not size:
            break
        content.append(body[end + 2 : end + 2 + size])
        place = end + 4 + size
    return b"".join(content)


async def main(images: int, seconds_a_page: float, what: str = "") -> None:
    """Serve until standard input closes."""
    if what:
        from tests.benchmarks.annotated_images import AnnotatedImages

        annotated = AnnotatedImages(images)
        server = ListingServer(annotated.pages(), annotated.objects(), seconds_a_page)
    else:
        server = ListingServer(make_pages(images), {CHECKS: (make_checks(images), {})}, seconds_a_page)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, limit=2**20)
    sys.stdout.write(f"{listening.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with listening:
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), *sys.argv[3:]))
