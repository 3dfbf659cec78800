"""Opening the pictures that Custom Labels takes, and showing them as Rekognition sees them.

Everything here that reads pixels goes through this file: upright, in eight bits a colour, nothing transparent.
"""

from __future__ import annotations

import io
import struct
from contextlib import suppress
from typing import TYPE_CHECKING

from custom_labels.datasets.annotations.picture_size import UPRIGHT, PictureFacts

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, struct.error, LookupError, TypeError, ArithmeticError)
"""What Pillow raises for files that are cut off or made up."""

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_PIXEL_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_ORIENTATION = 0x0112
_GREY_STEPS = {2: 85, 4: 17}
"""By bits a sample, what Pillow multiplies the samples of a grey PNG with, but not its transparent one."""


def open_picture(data: bytes) -> Picture:
    """Open a PNG or JPEG without decoding it; the first bytes are enough for its size.

    Of a PNG Pillow sees only the chunks that make its pixels. It refuses texts and colour profiles above 1 MB, and
    whatever is wrong with them, since they are bombs to whoever unpacks them; nothing here does, and Custom Labels has
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


def picture_facts(image: Picture) -> PictureFacts:
    """Give the size of a picture that was opened, and how its Exif data turn it."""
    orientation = UPRIGHT
    # Rekognition turns JPEGs by their Exif data, and never a PNG (API reference, DetectLabels, OrientationCorrection).
    if image.format != "PNG" and image.info.get("exif"):
        image.info.pop("xmp", None)
        with suppress(*UNREADABLE):
            orientation = image.getexif().get(_ORIENTATION, UPRIGHT)
    return PictureFacts(image.width, image.height, orientation if orientation in range(1, 9) else UPRIGHT)


def shrink_upright(image: Picture, side: int) -> Picture:
    """Decode a picture and give it small, in RGB, as a person should see it: upright, what is transparent white.

    :param side: pixels of the longer side at most.
    """
    from PIL import Image, ImageOps

    image.draft("RGB", (side, side))
    small = _eight_bits(image)
    small.thumbnail((side, side))
    if small.mode == "RGBA":
        small = Image.alpha_composite(Image.new("RGBA", small.size, "white"), small)
    # Rekognition turns JPEGs by their Exif data, and never a PNG (API reference, DetectLabels, OrientationCorrection).
    small.info.pop("xmp", None)
    if image.format != "PNG":
        with suppress(*UNREADABLE):
            ImageOps.exif_transpose(small, in_place=True)
    return small.convert("RGB")


def _eight_bits(image: Picture) -> Picture:
    """Decode a picture of any kind into RGB, or into RGBA where something may be transparent."""
    from PIL import ImageMath

    if not image.mode.startswith("I"):
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    grey, clear = image.convert("I"), image.info.get("transparency")  # of 16 bits
    shown = grey.point(lambda sample: sample / 256).convert("RGBA")
    if clear is not None:
        shown.putalpha(
            ImageMath.lambda_eval(lambda args: args["convert"](255 * (args["grey"] != clear), "L"), grey=grey)
        )
    return shown
