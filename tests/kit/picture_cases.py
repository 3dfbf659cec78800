"""Pictures of every kind that PNG and JPEG allow; a person sees the same four squares in all of them.

The library and the embedded AWS have a reader each, and both must see what is here.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

WIDTH, HEIGHT = 96, 64
Colour = tuple[int, int, int]
COLOURS: tuple[Colour, ...] = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255))
"""Top left, top right, bottom left, bottom right."""
GREYS: tuple[Colour, ...] = ((0, 0, 0), (85, 85, 85), (170, 170, 170), (255, 255, 255))
TWO: tuple[Colour, ...] = (GREYS[0], GREYS[3], GREYS[3], GREYS[0])
TOLERANCE = 12
"""A JPEG's colours are not exact."""


@dataclass(frozen=True)
class PictureCase:
    """A file, and what a person sees in its four quarters."""

    id: str
    body: bytes
    quarters: tuple[Colour, ...]
    size: tuple[int, int] = (WIDTH, HEIGHT)


def chunk(kind: bytes, data: bytes) -> bytes:
    """Write one chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def raw_png(depth: int, kind: int, samples: Sequence[Sequence[int]], more: bytes = b"", text: bytes = b"") -> bytes:
    """Write a PNG of four squares.

    :param depth: bits a sample; ``kind`` is PNG's colour type.
    :param samples: of each of the four squares.
    :param more: chunks before the pixels, ``text`` behind them.
    """

    def row(left: Sequence[int], right: Sequence[int]) -> bytes:
        values = [*left] * (WIDTH // 2) + [*right] * (WIDTH // 2)
        if depth == 16:
            return b"\0" + struct.pack(f">{len(values)}H", *values)
        bits = "".join(f"{value:0{depth}b}" for value in values)
        return b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")

    rows = row(*samples[:2]) * (HEIGHT // 2) + row(*samples[2:]) * (HEIGHT // 2)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, kind, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + header + more + pixels + text + chunk(b"IEND", b"")


def squares(mode: str = "RGB") -> Image.Image:
    """Draw the four squares."""
    image = Image.new("RGB", (WIDTH, HEIGHT))
    for number, colour in enumerate(COLOURS):
        left, top = (number % 2) * WIDTH // 2, (number // 2) * HEIGHT // 2
        image.paste(colour, (left, top, left + WIDTH // 2, top + HEIGHT // 2))
    return image.convert(mode)


def encoded(image: Image.Image, file_format: str, **options: object) -> bytes:
    """Give a picture as a file."""
    out = io.BytesIO()
    image.save(out, file_format, **options)
    return out.getvalue()


_STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""By Exif orientation, how a camera turns what it sees before it stores it."""


def exif(orientation: int) -> Image.Exif:
    """Give Exif data that hold an orientation."""
    data = Image.Exif()
    data[0x0112] = orientation
    return data


def _turned(orientation: int, mode: str = "RGB") -> bytes:
    turn = _STORED[orientation]
    image = squares(mode) if turn is None else squares(mode).transpose(turn)
    return encoded(image, "JPEG", quality=95, exif=exif(orientation))


def _palette(depth: int, clear: bytes = b"") -> bytes:
    colours = [(1, 2, 3) if clear and number == 3 else colour for number, colour in enumerate(COLOURS)]
    chunks = chunk(b"PLTE", b"".join(map(bytes, colours))) + (chunk(b"tRNS", clear) if clear else b"")
    return raw_png(depth, 3, [[0], [1], [2], [3]], chunks)


def _greys(depth: int) -> list[list[int]]:
    return [[value * (2**depth - 1) // 3] for value in range(4)]


def _bombs() -> bytes:
    """Give a text and a colour profile of 20 MB each, in some kilobytes."""
    packed = zlib.compress(bytes(20_000_000))
    return chunk(b"zTXt", b"Comment\0\0" + packed) + chunk(b"iCCP", b"Profile\0\0" + packed)


_WIDE = [[value * 257 for value in colour] for colour in COLOURS]
_ALPHA = [[*colour, 255] for colour in COLOURS[:3]] + [[10, 20, 30, 0]]
_GREY_ALPHA = [[0, 255], [85, 255], [170, 255], [7, 0]]

CASES = (
    *(PictureCase(f"JPEG, orientation {value}", _turned(value), COLOURS) for value in _STORED),
    PictureCase("JPEG, an orientation that does not exist", encoded(squares(), "JPEG", exif=exif(99)), COLOURS),
    PictureCase("JPEG, Exif that is no Exif", encoded(squares(), "JPEG", exif=b"Exif\0\0nonsense"), COLOURS),
    PictureCase("JPEG, CMYK", encoded(squares("CMYK"), "JPEG", quality=95), COLOURS),
    PictureCase("JPEG, CMYK, on its side", _turned(6, "CMYK"), COLOURS),
    PictureCase("JPEG, grey", encoded(Image.open(io.BytesIO(raw_png(8, 0, _greys(8)))), "JPEG", quality=95), GREYS),
    PictureCase("JPEG, progressive", encoded(squares(), "JPEG", quality=95, progressive=True), COLOURS),
    PictureCase("PNG, an orientation, which Rekognition passes over", encoded(squares(), "PNG", exif=exif(6)), COLOURS),
    PictureCase("PNG, 1 bit", raw_png(1, 0, [[0], [1], [1], [0]]), TWO),
    PictureCase(
        "PNG, 1 bit, one transparent", raw_png(1, 0, [[0], [1], [1], [0]], chunk(b"tRNS", b"\0\0")), GREYS[3:] * 4
    ),
    *(PictureCase(f"PNG, grey, {depth} bits", raw_png(depth, 0, _greys(depth)), GREYS) for depth in (2, 4, 8, 16)),
    *(
        PictureCase(
            f"PNG, grey, {depth} bits, one transparent",
            raw_png(depth, 0, _greys(depth), chunk(b"tRNS", struct.pack(">H", _greys(depth)[1][0]))),
            (GREYS[0], GREYS[3], GREYS[2], GREYS[3]),
        )
        for depth in (2, 4, 8, 16)
    ),
    PictureCase(
        "PNG, grey, 16 bits, nearly transparent",
        raw_png(16, 0, [[1], [0], [0], [2]], chunk(b"tRNS", b"\0\0")),
        (GREYS[0], GREYS[3], GREYS[3], GREYS[0]),
    ),
    PictureCase("PNG, grey and alpha, 8 bits", raw_png(8, 4, _GREY_ALPHA), GREYS),
    PictureCase(
        "PNG, grey and alpha, 16 bits", raw_png(16, 4, [[257 * value for value in pair] for pair in _GREY_ALPHA]), GREYS
    ),
    PictureCase("PNG, colours, 8 bits", raw_png(8, 2, COLOURS), COLOURS),
    PictureCase("PNG, colours, 16 bits", raw_png(16, 2, _WIDE), COLOURS),
    PictureCase(
        "PNG, colours, 16 bits, one transparent",
        raw_png(16, 2, [*_WIDE[:3], [0x1234, 0x5678, 0x9ABC]], chunk(b"tRNS", bytes.fromhex("123456789abc"))),
        COLOURS,
    ),
    PictureCase("PNG, colours and alpha, 8 bits", raw_png(8, 6, _ALPHA), COLOURS),
    PictureCase(
        "PNG, colours and alpha, 16 bits", raw_png(16, 6, [[257 * value for value in four] for four in _ALPHA]), COLOURS
    ),
    *(PictureCase(f"PNG, palette, {depth} bits", _palette(depth), COLOURS) for depth in (2, 4, 8)),
    PictureCase("PNG, palette, one transparent", _palette(4, b"\xff\xff\xff\0"), COLOURS),
    PictureCase("PNG, palette, half transparent", _palette(8, b"\xff\xff\xff\x01"), COLOURS),
    PictureCase(
        "PNG, a text of 2 MB", raw_png(8, 2, COLOURS, chunk(b"tEXt", b"Comment\0" + b"x" * 2_000_000)), COLOURS
    ),
    PictureCase("PNG, a text and a profile of 20 MB, packed", raw_png(8, 2, COLOURS, _bombs()), COLOURS),
    PictureCase("PNG, a text of 20 MB behind its pixels", raw_png(8, 2, COLOURS, text=_bombs()), COLOURS),
    PictureCase("PNG, damage in a text", raw_png(8, 2, COLOURS, chunk(b"tEXt", b"Comment\0fine")[:-1] + b"?"), COLOURS),
    PictureCase("PNG, texts in an unknown packing", raw_png(8, 2, COLOURS, chunk(b"zTXt", b"Comment\0\7x")), COLOURS),
)


def seen(image: Image.Image) -> list[Colour]:
    """Give the colours in the middle of an RGB picture's quarters."""
    width, height = image.size
    places = [(width * x // 4, height * y // 4) for y in (1, 3) for x in (1, 3)]
    return [image.getpixel(place) for place in places]  # type: ignore[misc]


def are_close(found: Sequence[Colour], wanted: Sequence[Colour]) -> bool:
    """Say whether colours are the same, but for what a JPEG loses."""
    pairs = zip(found, wanted, strict=True)
    return all(abs(a - b) <= TOLERANCE for one, other in pairs for a, b in zip(one, other, strict=True))


def damaged_png(number: int = 0) -> bytes:
    """Give a PNG whose pixels cannot be unpacked, though its checksums are right; each number gives another."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0))
    pixels = chunk(b"IDAT", b"no pixels at all %d" % number)
    return b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b"")
