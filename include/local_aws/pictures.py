"""Open PNG and JPEG images of every kind, and give their pixels as Rekognition sees them.

Whatever measures pixels goes through this file. Rekognition turns a JPEG by its Exif orientation and never a PNG (API
reference, DetectLabels, OrientationCorrection). That transparent parts are white is an assumption.
"""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image

FORMATS = ("PNG", "JPEG")
UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, struct.error, LookupError, TypeError, ArithmeticError)
"""What Pillow raises for files that are cut off or made up; decompression bombs raise an error of their own."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PIXEL_CHUNKS = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
_GREY_STEPS = {2: 85, 4: 17}
"""By bits a sample, the factor by which Pillow spreads grey samples, but not the one that is transparent."""
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = frozenset(_TURNS[number] for number in (5, 6, 7, 8))


def open_picture(content: bytes) -> Image.Image:
    """Open an image; Pillow never sees a PNG's texts and profiles, whose limits are its own and not of AWS."""
    if content.startswith(_SIGNATURE):
        content = _pixels_only(content)
    return Image.open(io.BytesIO(content), formats=FORMATS)


def upright_size(image: Image.Image) -> tuple[int, int]:
    """Return width and height of an image as it is turned by Exif, without decoding it."""
    width, height = image.size
    return (height, width) if _turn(image) in _SIDEWAYS else (width, height)


def upright_rgb(image: Image.Image) -> Image.Image:
    """Decode an image and return it in RGB with eight bits a colour, turned by Exif, on white."""
    turn = _turn(image)
    if image.mode.startswith("I"):
        decoded = _grey_of_16_bits(image)
    else:
        decoded = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if decoded.mode == "RGBA":
        decoded = Image.alpha_composite(Image.new("RGBA", decoded.size, "white"), decoded).convert("RGB")
    return decoded if turn is None else decoded.transpose(turn)


def _grey_of_16_bits(image: Image.Image) -> Image.Image:
    samples: NDArray[np.uint16] = np.asarray(image).astype(np.uint16)
    shown = Image.fromarray((samples >> 8).astype(np.uint8)).convert("RGBA")
    clear = image.info.get("transparency")
    if clear is not None:
        shown.putalpha(Image.fromarray(np.where(samples == clear, 0, 255).astype(np.uint8)))
    return shown


def _turn(image: Image.Image) -> Image.Transpose | None:
    if image.format == "PNG" or not image.info.get("exif"):
        return None
    exif = Image.Exif()
    try:
        exif.load(image.info["exif"])
        return _TURNS.get(exif.get(_ORIENTATION, 1))
    except UNREADABLE:
        return None


def _pixels_only(content: bytes) -> bytes:
    """Drop a PNG's chunks that do not make its pixels; a chunk that is cut off stays, so that it is found."""
    kept, place, depth, kind = [_SIGNATURE], len(_SIGNATURE), 8, 0
    while place < len(content):
        length, name = int.from_bytes(content[place : place + 4], "big"), content[place + 4 : place + 8]
        chunk = content[place : place + 12 + length]
        place += len(chunk)
        if len(chunk) < 12 + length:
            kept.append(chunk)
        elif name == b"tRNS":
            kept.append(_transparent(chunk, depth, kind))
        elif name in _PIXEL_CHUNKS or not name.isalpha():
            kept.append(chunk)
        if name == b"IHDR" and length >= 10:
            depth, kind = chunk[16], chunk[17]
        if name == b"IEND":
            break
    return b"".join(kept)


def _transparent(chunk: bytes, depth: int, kind: int) -> bytes:
    """Bring the transparent colour to the eight bits of the samples that Pillow compares it with."""
    body = chunk[8:-4]
    if kind == 0 and depth in _GREY_STEPS and len(body) >= 2:
        body = (int.from_bytes(body[:2], "big") * _GREY_STEPS[depth] & 0xFFFF).to_bytes(2, "big")
    elif kind == 2 and depth == 16 and len(body) >= 6:
        body = bytes((0, body[0], 0, body[2], 0, body[4]))
    else:
        return chunk
    return struct.pack(">I", len(body)) + b"tRNS" + body + struct.pack(">I", zlib.crc32(b"tRNS" + body))
