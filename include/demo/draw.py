"""Draws detections over their images: `python -m include.demo.draw FOLDER`, or a prefix in S3.

Each result becomes an SVG with its image in it, which any browser shows.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from custom_labels.aws.predictions import DetectedLabel
from custom_labels.core.codec import from_json
from custom_labels.evaluation.drawing import draw, found
from custom_labels.evaluation.thumbnail_records import SmallPicture, small_picture

SIDE = 1280
"""Pixels of the longer side of a drawn image, at most."""
GREY = SmallPicture("", (4, 3))
"""Stands for an image that is not there or cannot be read."""
_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME = 120
_LONGEST_RESULT = 1024 * 1024
"""Bytes; a result has some hundred labels at most."""


@dataclass(frozen=True)
class Result:
    """What is drawn of a detection's record.

    :param image: the image's ``s3://`` URI; ``key`` is relative to the project's prefix.
    """

    image: str
    key: str
    etag: str
    version_name: str
    labels: tuple[DetectedLabel, ...]

    @property
    def file_name(self) -> str:
        """A name of its own that leads out of no folder, whatever the key is."""
        digest = hashlib.sha256(f"{self.key}\t{self.etag}\t{self.version_name}".encode()).hexdigest()
        return f"{_NAME.sub('_', self.key)[-_LONGEST_NAME:].lstrip('.')}-{digest[:8]}.svg"

    @property
    def title(self) -> str:
        """What is to be seen, in words."""
        names = ", ".join(f"{label.name} at {label.confidence:.0f} %" for label in self.labels)
        return f"{self.key}: {names or 'nothing was found'}"


class Source(Protocol):
    """Where results and images are."""

    def texts(self) -> Iterator[bytes]:
        """Give the contents of the files that may be results."""

    def image(self, result: Result) -> bytes | None:
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
            if path.is_file() and path.stat().st_size <= _LONGEST_RESULT:
                yield path.read_bytes()

    def image(self, result: Result) -> bytes | None:
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
                if entry["Key"].endswith(".json") and entry["Size"] <= _LONGEST_RESULT:
                    yield self.client.get_object(Bucket=self.bucket, Key=entry["Key"])["Body"].read()

    def image(self, result: Result) -> bytes | None:
        """Read the image that a result names."""
        bucket, _, key = result.image.removeprefix("s3://").partition("/")
        try:
            return bytes(self.client.get_object(Bucket=bucket, Key=key)["Body"].read())
        except ClientError as error:
            print(f"{result.image} is not drawn: {error}", file=sys.stderr)
            return None


def read_result(text: bytes) -> Result | None:
    """Read a detection's record, ``None`` where it is something else."""
    try:
        return from_json(Result, json.loads(text))
    except (ValueError, ValidationError, RecursionError):
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
        picture = (small_picture(body, SIDE) if body else None) or GREY
        svg = draw(picture.uri or None, picture.size, found(result.labels), result.title)
        (folder / result.file_name).write_text(svg, encoding="utf-8")
        counts["drawn" if picture.uri else "drawn without their images"] += 1
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
