"""Draws detections over their images: `python -m include.demo.draw FOLDER`, or a prefix in S3.

Each result becomes an SVG with its image in it, which any browser shows.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from custom_labels.evaluation.drawn_result import LARGEST_BYTES, SIDE, DrawnResult, read_result
from custom_labels.evaluation.thumbnail_records import small_picture

_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME = 120


def file_name(result: DrawnResult) -> str:
    """Give a drawing a name of its own that leads out of no folder, whatever the key is."""
    digest = hashlib.sha256(f"{result.key}\t{result.etag}\t{result.version_name}".encode()).hexdigest()
    return f"{_NAME.sub('_', result.key)[-_LONGEST_NAME:].lstrip('.')}-{digest[:8]}.svg"


class Source(Protocol):
    """Where results and images are."""

    def texts(self) -> Iterator[bytes]:
        """Give the contents of the files that may be results."""

    def image(self, result: DrawnResult) -> bytes | None:
        """Read the image of a result, ``None`` if it is not there."""


class Folder:
    """A copy of a project's bucket, or of a part of it.

    :param path: where results are, in whatever folders below; ``images`` is where the images' keys begin.
    """

    def __init__(self, path: Path, images: Path) -> None:
        self.path = path
        self.images = images.resolve()

    def texts(self) -> Iterator[bytes]:
        """Give the contents of its JSON files."""
        for path in sorted(self.path.rglob("*.json")):
            if path.is_file() and path.stat().st_size <= LARGEST_BYTES:
                yield path.read_bytes()

    def image(self, result: DrawnResult) -> bytes | None:
        """Read the image with the key of a result; a key that leads out of the folder, or is no path, has none."""
        try:
            path = (self.images / result.key).resolve()
            return path.read_bytes() if path.is_relative_to(self.images) else None
        except (OSError, ValueError):
            return None


class Prefix:
    """A part of a bucket; the images are where the results say.

    :param uri: ``s3://bucket/prefix``.
    """

    def __init__(self, uri: str) -> None:
        self.bucket, _, self.prefix = uri.removeprefix("s3://").partition("/")
        self.client: Any = boto3.client("s3")

    def texts(self) -> Iterator[bytes]:
        """Give the contents of its JSON objects."""
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix):
            for entry in page.get("Contents", []):
                if entry["Key"].endswith(".json") and entry["Size"] <= LARGEST_BYTES:
                    yield self.client.get_object(Bucket=self.bucket, Key=entry["Key"])["Body"].read()

    def image(self, result: DrawnResult) -> bytes | None:
        """Read the image that a result names."""
        bucket, _, key = result.image.removeprefix("s3://").partition("/")
        try:
            return bytes(self.client.get_object(Bucket=bucket, Key=key)["Body"].read())
        except ClientError as error:
            print(f"{result.image} is not drawn: {error}", file=sys.stderr)
            return None


def draw_all(source: Source, folder: Path) -> Counter[str]:
    """Draw all results of a source into a folder, and count them."""
    counts: Counter[str] = Counter()
    folder.mkdir(parents=True, exist_ok=True)
    for text in source.texts():
        result = read_result(text)
        if result is None:
            counts["passed over"] += 1
            continue
        body = source.image(result)
        picture = small_picture(body, SIDE) if body else None
        svg = result.draw(picture.uri, picture.size) if picture else result.draw(None)
        (folder / file_name(result)).write_text(svg, encoding="utf-8")
        counts["drawn" if picture else "drawn without their images"] += 1
    return counts


def main(arguments: list[str] | None = None) -> int:
    """Draw; returns 0 where there was something to draw."""
    parser = argparse.ArgumentParser(prog="python -m include.demo.draw", description=__doc__)
    parser.add_argument("results", help="a folder with results (*.json), or s3://bucket/prefix/detections/")
    parser.add_argument(
        "--images", type=Path, help="folder where the images' keys begin (default: that of the results)"
    )
    parser.add_argument(
        "--to", type=Path, default=Path("annotated"), help="folder of the drawings (default: annotated)"
    )
    options = parser.parse_args(arguments)
    if not options.results.startswith("s3://") and not Path(options.results).is_dir():
        parser.error(
            f"RESULTS is {options.results!r}: expected a folder, or s3://bucket/prefix. Name one that is there."
        )
    try:
        counts = draw_all(_source(options), options.to)
    except (ClientError, BotoCoreError) as error:
        parser.error(
            f"RESULTS is {options.results!r}, which S3 does not give: {error}. Correct it, or AWS's credentials."
        )
    words = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
    print(f"{options.results}: {words or 'no file that ends in .json'}; drawings are in {options.to}")
    return 0 if counts.keys() - {"passed over"} else 1


def _source(options: argparse.Namespace) -> Source:
    if options.results.startswith("s3://"):
        return Prefix(options.results)
    return Folder(Path(options.results), options.images or Path(options.results))


if __name__ == "__main__":
    sys.exit(main())
