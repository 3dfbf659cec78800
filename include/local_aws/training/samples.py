"""The training images of a detector: kept on disk, so that memory does not grow with their number."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from include.local_aws.boxes import Floats as Doubles

_QUALITY = 95


@dataclass(frozen=True)
class Sample:
    """A training image of work size: its boxes (n, 4), in its own pixels, and their labels' numbers (n,)."""

    picture: Image.Image
    boxes: Doubles
    labels: NDArray[np.intp]


class Samples:
    """Training images that are read back from a file one at a time."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as its owner
        self._digest = hashlib.sha256()
        self._entries: list[tuple[int, int, Doubles, NDArray[np.intp]]] = []

    def add(self, sample: Sample) -> None:
        """Keep an image."""
        encoded = io.BytesIO()
        sample.picture.save(encoded, "JPEG", quality=_QUALITY, subsampling=0)
        for part in (encoded.getvalue(), sample.boxes.tobytes(), sample.labels.tobytes()):
            self._digest.update(part)
        start = self._file.seek(0, io.SEEK_END)
        self._entries.append((start, self._file.write(encoded.getvalue()), sample.boxes, sample.labels))

    @property
    def digest(self) -> str:
        """What the images and boxes are told apart from others by."""
        return self._digest.hexdigest()

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, number: int) -> Sample:
        start, length, boxes, labels = self._entries[number]
        self._file.seek(start)
        picture = Image.open(io.BytesIO(self._file.read(length)))
        picture.load()
        return Sample(picture, boxes, labels)

    def keep(self, numbers: Sequence[int]) -> None:
        """Forget all images but these, which are numbered anew."""
        self._entries = [self._entries[number] for number in numbers]

    def labels_of(self, number: int) -> NDArray[np.intp]:
        """Return the labels' numbers of one image (n,)."""
        return self._entries[number][3]

    def boxes_of(self, number: int) -> Doubles:
        """Return the boxes of one image (n, 4)."""
        return self._entries[number][2]

    def __iter__(self) -> Iterator[Sample]:
        return (self[number] for number in range(len(self)))

    @property
    def boxes(self) -> Doubles:
        """All boxes of all images (n, 4)."""
        return np.concatenate([entry[2] for entry in self._entries])
