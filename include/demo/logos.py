"""Four made-up logos, and shapes of the same colours that are none of them; drawn by Pillow alone."""

from __future__ import annotations

import math
from collections.abc import Callable

from PIL import Image, ImageDraw

SIDE = 240
"""Pixels of the longer side that logos are drawn at; scenes shrink them."""

Draw = Callable[[ImageDraw.ImageDraw], None]
_NAVY, _CREAM, _GREEN, _LIME = "#123c7a", "#fdf3dc", "#1f7a44", "#b7e36b"
_ORANGE, _BLACK, _PURPLE, _PINK = "#f0741d", "#22201f", "#6a2c91", "#f3a6d8"


def _tidewater(draw: ImageDraw.ImageDraw) -> None:
    draw.rounded_rectangle((4, 4, 236, 236), 52, fill=_NAVY)
    for height in (80, 125, 170):
        wave = [(x, height + 16 * math.sin((x - 20) / 200 * 4 * math.pi)) for x in range(36, 205, 4)]
        draw.line(wave, fill=_CREAM, width=20, joint="curve")


def _fernwood(draw: ImageDraw.ImageDraw) -> None:
    draw.ellipse((4, 4, 236, 236), fill=_GREEN)
    leaf = [(120 + 58 * math.sin(step / 40 * math.pi), 40 + step * 4) for step in range(41)]
    draw.polygon([*leaf, *((240 - x, y) for x, y in reversed(leaf))], fill=_LIME)
    draw.line((120, 60, 120, 214), fill=_GREEN, width=12)
    for height in (95, 130, 165):
        draw.line((120, height + 18, 158, height - 12), fill=_GREEN, width=8)
        draw.line((120, height + 18, 82, height - 12), fill=_GREEN, width=8)


def _kestrel(draw: ImageDraw.ImageDraw) -> None:
    for left, colour in ((6, _ORANGE), (80, _BLACK), (154, _ORANGE)):
        points = ((left, 8), (left + 36, 8), (left + 80, 72), (left + 36, 136), (left, 136), (left + 44, 72))
        draw.polygon(points, fill=colour)


def _quartz(draw: ImageDraw.ImageDraw) -> None:
    draw.polygon(((80, 4), (156, 84), (128, 236), (32, 236), (4, 84)), fill=_PURPLE)
    draw.polygon(((80, 28), (106, 88), (54, 88)), fill=_PINK)
    draw.polygon(((54, 98), (106, 98), (80, 220)), fill=_PINK)
    draw.line((20, 93, 140, 93), fill=_CREAM, width=8)


def _discs(draw: ImageDraw.ImageDraw) -> None:
    draw.ellipse((10, 10, 230, 230), fill=_GREEN)
    draw.ellipse((70, 70, 170, 170), fill=_LIME)


def _square(draw: ImageDraw.ImageDraw) -> None:
    draw.rounded_rectangle((10, 10, 230, 230), 30, fill=_NAVY)
    draw.rectangle((60, 105, 180, 135), fill=_CREAM)


def _arrow(draw: ImageDraw.ImageDraw) -> None:
    draw.polygon(((10, 60), (140, 60), (140, 10), (230, 120), (140, 230), (140, 180), (10, 180)), fill=_ORANGE)


def _gem(draw: ImageDraw.ImageDraw) -> None:
    draw.polygon(((120, 10), (230, 120), (120, 230), (10, 120)), fill=_PURPLE)
    draw.polygon(((120, 70), (170, 120), (120, 170), (70, 120)), fill=_PINK)


def _drawn(size: tuple[int, int], draw: Draw) -> Image.Image:
    image = Image.new("RGBA", (SIDE, SIDE), (0, 0, 0, 0))
    draw(ImageDraw.Draw(image))
    return image.crop((0, 0, *size))


LOGOS = {
    "fernwood": _drawn((SIDE, SIDE), _fernwood),
    "kestrel": _drawn((SIDE, 144), _kestrel),
    "quartz": _drawn((160, SIDE), _quartz),
    "tidewater": _drawn((SIDE, SIDE), _tidewater),
}
"""The logos by label; one is wide, one is tall."""

LOOK_ALIKES = tuple(_drawn((SIDE, SIDE), draw) for draw in (_discs, _square, _arrow, _gem))
"""Shapes in the logos' colours that a model must not take for them."""
