"""The files of a folder that are to be uploaded, and those that are not, and why."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from custom_labels.core.keys import IMAGES, MAXIMUM_KEY_BYTES, has_control_character, may_be_image
from custom_labels.datasets.label_names import readable_name

ANNOTATIONS = (".json", ".xml", ".yaml", ".yml", ".csv", ".manifest", ".names", ".txt")
"""Endings of the files in which other programs keep labels and boxes."""


class Outcome(StrEnum):
    """What became of a file."""

    UPLOADED = "uploaded"
    THERE = "already there"
    DUPLICATE = "same content as another image of its label"
    OTHER_CONTENT = "another content is there under its name: rename the file, or add --replace"
    HIDDEN = "hidden"
    LINK = "a link, which is not followed"
    NO_IMAGE = "no image by its name"
    NO_LABEL = "in no folder of a label"
    EMPTY = "empty"
    NAME = "a name that no key can have: not UTF-8, with a control character, or too long"
    UNREADABLE = "cannot be read on this machine"

    @property
    def is_trouble(self) -> bool:
        """Whether somebody has to do something about it."""
        return self in {Outcome.OTHER_CONTENT, Outcome.NO_LABEL, Outcome.NAME, Outcome.UNREADABLE}


@dataclass(frozen=True)
class LocalFile:
    """A file that is to be uploaded.

    :param name: relative to the folder, with slashes.
    :param key: relative to the project's prefix.
    :param label: as a person reads it; empty where the folders are no labels.
    """

    path: Path
    name: str
    key: str
    label: str


@dataclass(frozen=True)
class LeftBehind:
    """A file or folder that is not uploaded."""

    name: str
    outcome: Outcome


def find_files(folder: Path, place: str, most_key_bytes: int = MAXIMUM_KEY_BYTES) -> Iterator[LocalFile | LeftBehind]:
    """Walk through a folder in the order of its names.

    :param place: where it goes, relative to the project's prefix and ending in a slash. Directly below
        ``images_labeled_by_folder/`` the folders are labels, and only images are uploaded; elsewhere all files are.
    """
    for path in _walk(folder):
        name = path.relative_to(folder).as_posix()
        if reason := _why_not(path, name, place, most_key_bytes):
            yield LeftBehind(printable(name), reason)
        else:
            yield LocalFile(path, name, place + name, _label(place + name))


def holds_annotations(folder: Path) -> str | None:
    """Give the name of a file that holds labels or boxes by its ending, if there is one."""
    names = (path.relative_to(folder).as_posix() for path in _walk(folder) if path.suffix.lower() in ANNOTATIONS)
    return next((name for name in names if not _is_hidden(name)), None)


def _walk(folder: Path) -> Iterator[Path]:
    """Give all files, and the folders that are hidden or cannot be read."""
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError:
        yield folder
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
            yield from _walk(Path(entry.path))
        else:
            yield Path(entry.path)


def printable(name: str) -> str:
    """Write a name for a terminal, to which some characters are commands."""
    return name if name.isprintable() else ascii(name)[1:-1]


def _why_not(path: Path, name: str, place: str, most_key_bytes: int) -> Outcome | None:
    if _is_hidden(name):
        return Outcome.HIDDEN
    if path.is_symlink():
        return Outcome.LINK
    if not path.is_file():
        return Outcome.UNREADABLE
    if has_control_character(name) or not _is_key(place + name, most_key_bytes):
        return Outcome.NAME
    if place.startswith(IMAGES):
        if not may_be_image(name):
            return Outcome.NO_IMAGE
        if not _label(place + name):
            return Outcome.NO_LABEL
    return Outcome.EMPTY if path.stat().st_size == 0 else None


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


def _is_key(key: str, most_bytes: int) -> bool:
    try:
        return len(key.encode()) <= most_bytes
    except UnicodeEncodeError:  # half a character stands for bytes that are no UTF-8
        return False


def _label(key: str) -> str:
    if not key.startswith(IMAGES):
        return ""
    folder, slash, _ = key.removeprefix(IMAGES).partition("/")
    return readable_name(folder) if slash else ""
