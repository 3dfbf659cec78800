"""Composed scenes with known boxes: logos on textured backgrounds, among clutter and look-alikes.

The same seed gives the same scene, whatever else is made. Pillow and numpy only.
"""

from __future__ import annotations

import io
import math
import string
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from include.demo.logos import LOGOS, LOOK_ALIKES

LABELS = tuple(LOGOS)
_TRIES = 30
_MOST_COVERED = 0.35
"""Share of a logo's pixels that what is drawn later may cover."""


@dataclass(frozen=True)
class SceneStyle:
    """What scenes are like.

    :param size: width and height in pixels.
    :param logos: how many logos a scene has that is not empty, fewest and most.
    :param sides: the longer side of a logo in pixels, least and most.
    :param turn: degrees that a logo is turned by at most, to either side.
    :param empty_share: share of the scenes without a logo.
    :param clutter: how many other shapes a scene has, fewest and most.
    """

    size: tuple[int, int] = (640, 480)
    logos: tuple[int, int] = (1, 4)
    sides: tuple[int, int] = (56, 200)
    turn: float = 25
    empty_share: float = 0.1
    clutter: tuple[int, int] = (6, 24)


@dataclass(frozen=True, order=True)
class Placed:
    """A logo in a scene; the box, in whole pixels, is the smallest around all of it, its covered parts too."""

    label: str
    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class Scene:
    """A picture and what is on it."""

    picture: Image.Image
    placed: tuple[Placed, ...]

    def jpeg(self, quality: int = 90) -> bytes:
        """Encode the picture."""
        stream = io.BytesIO()
        self.picture.save(stream, "JPEG", quality=quality)
        return stream.getvalue()


def scenes(count: int, seed: int, style: SceneStyle | None = None) -> Iterator[Scene]:
    """Make so many scenes; more of them begin with the same ones."""
    for number in range(count):
        yield compose(seed, number, style or SceneStyle())


def compose(seed: int, number: int, style: SceneStyle) -> Scene:
    """Make the scene of this number."""
    random = np.random.default_rng([seed, number])
    picture = _background(random, style.size)
    _clutter(random, picture, int(random.integers(style.clutter[0], style.clutter[1] + 1)))
    for _ in range(int(random.integers(0, 3))):
        look_alike = LOOK_ALIKES[int(random.integers(len(LOOK_ALIKES)))]
        _paste(random, picture, _varied(random, look_alike, style))
    wanted = 0 if random.random() < style.empty_share else int(random.integers(style.logos[0], style.logos[1] + 1))
    placed = _place_logos(random, picture, wanted, style)
    return Scene(_photographed(random, picture), tuple(placed))


def _place_logos(random: np.random.Generator, picture: Image.Image, wanted: int, style: SceneStyle) -> list[Placed]:
    placed: list[Placed] = []
    masks: list[NDArray[np.bool_]] = []
    for _ in range(wanted):
        label = LABELS[int(random.integers(len(LABELS)))]
        logo = _varied(random, LOGOS[label], style)
        for _ in range(_TRIES):
            left, top = _free_corner(random, picture, logo)
            mask = np.zeros((picture.height, picture.width), bool)
            mask[top : top + logo.height, left : left + logo.width] = np.asarray(logo.getchannel("A")) > 127
            if all((mask & other).sum() <= _MOST_COVERED * other.sum() for other in masks):
                masks = [other & ~mask for other in masks]
                masks.append(mask)
                picture.paste(logo, (left, top), logo)
                placed.append(Placed(label, left, top, logo.width, logo.height))
                break
    return placed


def _varied(random: np.random.Generator, shape: Image.Image, style: SceneStyle) -> Image.Image:
    """Turn, shear, shrink and tint a shape, and cut what is left to its smallest box."""
    shear, squeeze = random.uniform(-0.12, 0.12), random.uniform(0.88, 1.14)
    canvas = Image.new("RGBA", (2 * max(shape.size),) * 2, (0, 0, 0, 0))
    canvas.paste(shape, ((canvas.width - shape.width) // 2, (canvas.height - shape.height) // 2))
    middle = canvas.width / 2
    canvas = canvas.transform(
        canvas.size,
        Image.Transform.AFFINE,
        (squeeze, shear, middle * (1 - squeeze - shear), 0, 1, 0),
        Image.Resampling.BICUBIC,
    )
    canvas = canvas.rotate(float(random.uniform(-style.turn, style.turn)), Image.Resampling.BICUBIC)
    canvas = ImageEnhance.Color(canvas).enhance(float(random.uniform(0.5, 1.25)))
    canvas = ImageEnhance.Brightness(canvas).enhance(float(random.uniform(0.65, 1.2)))
    canvas = canvas.crop(_solid_box(canvas))
    side = math.exp(random.uniform(math.log(style.sides[0]), math.log(style.sides[1])))
    scale = side / max(canvas.size)
    size = (max(4, round(canvas.width * scale)), max(4, round(canvas.height * scale)))
    return canvas.resize(size, Image.Resampling.LANCZOS)


def _solid_box(image: Image.Image) -> tuple[int, int, int, int]:
    box = image.getchannel("A").point(lambda alpha: 255 * (alpha > 127)).getbbox()
    return box or (0, 0, *image.size)


def _free_corner(random: np.random.Generator, picture: Image.Image, shape: Image.Image) -> tuple[int, int]:
    return (
        int(random.integers(0, max(1, picture.width - shape.width))),
        int(random.integers(0, max(1, picture.height - shape.height))),
    )


def _paste(random: np.random.Generator, picture: Image.Image, shape: Image.Image) -> None:
    picture.paste(shape, _free_corner(random, picture, shape), shape)


def _background(random: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """Mix two colours by cloudy noise, and lay stripes or tiles over it now and then."""
    width, height = size
    cloud = np.zeros((height, width), np.float32)
    for cells in (2, 5, 12, 40):
        grain = random.random((cells, cells + 1), np.float32)
        layer = Image.fromarray(grain).resize(size, Image.Resampling.BICUBIC)
        cloud += np.asarray(layer) / cells**0.5
    cloud = (cloud - cloud.min()) / (cloud.max() - cloud.min())
    cloud = np.clip(cloud + _texture(random, width, height), 0, 1)
    dark, light = random.uniform(10, 245, (2, 3)).astype(np.float32)
    mixed = dark + (light - dark) * cloud[..., None]
    return Image.fromarray(mixed.astype(np.uint8))


def _texture(random: np.random.Generator, width: int, height: int) -> NDArray[np.float32]:
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    angle, pitch = random.uniform(0, math.pi), random.uniform(8, 60)
    along = (columns * math.cos(angle) + rows * math.sin(angle)) / pitch
    across = (rows * math.cos(angle) - columns * math.sin(angle)) / pitch
    strength = random.uniform(0.05, 0.35)
    kind = int(random.integers(4))
    pattern = np.zeros((height, width))
    if kind == 0:
        pattern = np.sin(along * 2 * math.pi)
    elif kind == 1:
        pattern = (np.floor(along) + np.floor(across)) % 2
    elif kind == 2:
        pattern = -1.0 * ((along % 1 < 0.12) | ((across + np.floor(along) % 2 / 2) % 1 < 0.06))
    return (pattern * strength).astype(np.float32)


def _clutter(random: np.random.Generator, picture: Image.Image, count: int) -> None:
    draw = ImageDraw.Draw(picture)
    for _ in range(count):
        colour = tuple(int(value) for value in random.integers(0, 256, 3))
        left, top = random.integers(-40, picture.width), random.integers(-40, picture.height)
        width, height = random.integers(12, 160, 2)
        box = (int(left), int(top), int(left + width), int(top + height))
        kind, thick = int(random.integers(5)), int(random.integers(1, 9))
        if kind == 0:
            draw.rectangle(box, fill=colour)
        elif kind == 1:
            draw.ellipse(box, outline=colour, width=thick)
        elif kind == 2:
            draw.line(box, fill=colour, width=thick)
        elif kind == 3:
            corners = random.integers(0, 160, (4, 2))
            draw.polygon([(int(left + x), int(top + y)) for x, y in corners], fill=colour)
        else:
            letters = "".join(random.choice(list(string.ascii_uppercase), int(random.integers(3, 9))))
            draw.text(box[:2], letters, fill=colour, font_size=int(random.integers(14, 60)))


def _photographed(random: np.random.Generator, picture: Image.Image) -> Image.Image:
    """Add what a camera adds: a little blur, another exposure and noise."""
    if random.random() < 0.5:
        picture = picture.filter(ImageFilter.GaussianBlur(float(random.uniform(0.3, 1.4))))
    pixels = np.asarray(picture).astype(np.float32) * np.float32(random.uniform(0.75, 1.2))
    pixels += random.normal(0, random.uniform(2, 10), pixels.shape).astype(np.float32)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
