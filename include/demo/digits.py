"""The demo's images: the handwritten digits that scikit-learn carries, as PNG files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy
from PIL import Image

SIDE = 96
"""Pixels a side. Custom Labels takes images from 64 pixels on; the data set has 8."""
SHUFFLE_SEED = 1


@dataclass(frozen=True)
class Digits:
    """All images, by digit, in a fixed shuffled order.

    The data set holds one writer's digits after another's; shuffled, a few of them show many hands.

    :param files: for each label, "0" to "9", the paths of its images.
    """

    files: dict[str, list[Path]]

    def slice(self, start: int, stop: int) -> dict[str, list[Path]]:
        """Give the images of each label from one position up to another."""
        return {label: paths[start:stop] for label, paths in self.files.items()}

    @property
    def count(self) -> int:
        """The number of all images."""
        return sum(map(len, self.files.values()))

    @property
    def fewest(self) -> int:
        """The number of images of the label that has the fewest."""
        return min(map(len, self.files.values()))


def write_digits(folder: Path) -> Digits:
    """Write all 1,797 images as ``<folder>/<digit>/<number>.png``; the same bytes each time.

    The pixels of the data set go from 0 to 16, ink on paper 0; the files are black ink on white.
    """
    from sklearn.datasets import load_digits  # not before it is needed: it takes a second

    dataset = load_digits()
    files: dict[str, list[Path]] = {str(digit): [] for digit in range(10)}
    for label in files:
        (folder / label).mkdir(parents=True, exist_ok=True)
    for number in numpy.random.default_rng(SHUFFLE_SEED).permutation(len(dataset.target)):
        digit = str(dataset.target[number])
        path = folder / digit / f"{number:04d}.png"
        grey = 255 - numpy.clip(dataset.images[number] * 16, 0, 255).astype(numpy.uint8)
        Image.fromarray(grey).resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(path, compress_level=0)
        files[digit].append(path)
    return Digits(files)
