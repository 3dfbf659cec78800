"""Opening the pictures that Custom Labels takes, and showing them as Rekognition sees them.

Everything here that reads pixels goes through this file: upright, in eight bits a colour, nothing transparent.
"""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, struct.error, LookupError, TypeError, ArithmeticError)
"""What Pillow raises for files that are cut off or made up."""

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_PIXEL_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_GREY_STEPS = {2: 85, 4: 17}
"""By bits a sample, what Pillow multiplies the samples of a grey PNG with, but not its transparent one."""
_ORIENTATION = 0x0112
"""Exif's tag; its values 2 to 8 are turned back by the following constants of ``PIL.Image.Transpose``."""
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}


def open_picture(data: bytes) -> Picture:
    """Open a PNG or JPEG without decoding it; the first bytes are enough for its size.

    Of a PNG Pillow sees only the chunks that make its pixels. It refuses texts and colour profiles above 1 MB, and
    whatever is wrong with them, since they are bombs to whoever unpacks them; nobody does here, and Custom Labels has
    no such rule. An animated PNG is its first picture.

    :raises PIL.Image.DecompressionBombError: it says of itself that it is huge.
    :raises Exception: one of :data:`UNREADABLE`.
    """
    from PIL import Image

    return Image.open(io.BytesIO(_pixels_only(data) if data.startswith(PNG) else data), formats=("PNG", "JPEG"))


def _pixels_only(data: bytes) -> bytes:
    """Leave out all chunks of a PNG that its pixels do not need; what is cut off or malformed stays, to be found."""
    kept, place, depth, kind = [PNG], len(PNG), 8, 0
    while place < len(data):
        length, name = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        end = place + 12 + length
        if end > len(data):
            kept.append(data[place:])
            break
        if name == b"IHDR" and length >= 10:
            depth, kind = data[place + 16], data[place + 17]
        if name == b"tRNS":
            kept.append(_transparent(data[place:end], depth, kind))
        elif name in _PIXEL_CHUNKS or not name.isalpha():
            kept.append(data[place:end])
        if name == b"IEND":
            break
        place = end
    return b"".join(kept)


def _transparent(chunk: bytes, depth: int, kind: int) -> bytes:
    """Give the colour that is transparent in eight bits, as Pillow gives the samples that it is compared with."""
    from zlib import crc32

    body = chunk[8:-4]
    if kind == 0 and depth in _GREY_STEPS and len(body) >= 2:
        body = (int.from_bytes(body[:2], "big") * _GREY_STEPS[depth] & 0xFFFF).to_bytes(2, "big")
    elif kind == 2 and depth == 16 and len(body) >= 6:
        body = bytes((0, body[0], 0, body[2], 0, body[4]))
    else:
        return chunk
    return len(body).to_bytes(4, "big") + b"tRNS" + body + crc32(b"tRNS" + body).to_bytes(4, "big")


def shrink_upright(image: Picture, side: int) -> Picture:
    """Decode a picture and give it small, in RGB, as a person should see it: upright, what is transparent white.

    :param side: pixels of the longer side at most.
    """
    from PIL import Image

    turn = _turn(image)
    image.draft("RGB", (side, side))
    small = _eight_bits(image)
    small.thumbnail((side, side))
    if small.mode == "RGBA":
        white = Image.new("RGBA", small.size, "white")
        small = Image.alpha_composite(white, small)
    if turn:
        small = small.transpose(Image.Transpose[turn])
    return small.convert("RGB")


def _eight_bits(image: Picture) -> Picture:
    """Decode a picture of any kind into RGB, or into RGBA where something may be transparent."""
    from PIL import Image, ImageChops

    if not image.mode.startswith("I"):
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    samples = image.tobytes()  # grey of 16 bits, the low byte first
    low, high = (Image.frombytes("L", image.size, samples[part::2]) for part in (0, 1))
    clear = image.info.get("transparency")
    if clear is None:
        return high.convert("RGB")
    same = [
        byte.point([255 * (value == wanted) for value in range(256)])
        for byte, wanted in ((low, clear & 255), (high, clear >> 8))
    ]
    shown = high.convert("RGBA")
    shown.putalpha(ImageChops.invert(ImageChops.darker(*same)))
    return shown


def _turn(image: Picture) -> str | None:
    """Say how to turn a picture upright. Rekognition turns JPEGs by their Exif data and never a PNG.

    (Rekognition API reference, DetectLabels, ``OrientationCorrection``.)
    """
    from PIL import Image

    if image.format == "PNG" or not image.info.get("exif"):
        return None
    exif = Image.Exif()
    try:
        exif.load(image.info["exif"])
        return _TURNS.get(exif.get(_ORIENTATION, 1))
    except UNREADABLE:
        return None
