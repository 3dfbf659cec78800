"""Names of labels as a person reads them: which are one and the same, which look alike, which mean an answer."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence

NONE_OF_THE_ABOVE = "None of the above"
"""What a reviewer chooses where no label fits."""
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"))
"""Soft hyphen, zero-width space, word joiner and byte order mark: they cannot be seen, whatever is around them."""


def readable_name(label: str) -> str:
    """Give a name as a person reads it: accents composed, no invisible characters, single spaces and none around it.

    macOS, some programs and some S3 clients write an accent as a character of its own (Unicode's NFD), others as one
    with its letter (NFC); S3 takes them for two names.
    """
    name = " ".join(unicodedata.normalize("NFC", label.translate(_INVISIBLE)).split())
    return name or label


def lookalike_key(label: str) -> str:
    """Give what names share that differ in case or in the form of their characters only, such as ``Cat`` and ``cat``.

    They may be meant, as ``A`` and ``a`` are for letters.
    """
    return unicodedata.normalize("NFKC", readable_name(label)).casefold()


def merge_folders(folders: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Give the label of each group of folders that are the same to a person, and its folders in S3's order.

    The label is the folder whose name is written as it is read, else the first: it always is an existing folder.
    """
    groups: dict[str, list[str]] = {}
    for folder in sorted(folders, key=lambda folder: f"{folder}/".encode()):
        groups.setdefault(readable_name(folder), []).append(folder)
    labels = {name if name in group else group[0]: tuple(group) for name, group in groups.items()}
    return {label: labels[label] for label in sorted(labels, key=str.encode)}


def existing_folder(label: str, folders: Mapping[str, Sequence[str]]) -> str:
    """Give the folder that images of a label are filed in: its own, else one that is the same to a person.

    :param folders: what :func:`merge_folders` gave of those that exist; without any the label's own.
    """
    if any(label in group for group in folders.values()):
        return label
    name = readable_name(label)
    return next((each for each in folders if readable_name(each) == name), label)


def means_none(label: str) -> bool:
    """Whether a label is named like the answer that no label fits."""
    return lookalike_key(label) == lookalike_key(NONE_OF_THE_ABOVE)


def distinct_names(labels: Iterable[str]) -> tuple[str, ...]:
    """Give labels in their order, of those that are the same to a person the first."""
    distinct: dict[str, str] = {}
    for label in labels:
        distinct.setdefault(readable_name(label), label)
    return tuple(distinct.values())


def choices(labels: Iterable[str]) -> tuple[tuple[str, ...], str | None]:
    """Give what a reviewer may choose beside "None of the above", each once, and the label that this answer stands for.

    :param labels: of the version that was asked; none that is named like that answer is among the choices.
    """
    offered = distinct_names(labels)
    none_label = next((label for label in offered if means_none(label)), None)
    return tuple(label for label in offered if not means_none(label)), none_label


def warn_of_names(labels: Sequence[str], merged: Mapping[str, Sequence[str]]) -> Iterable[str]:
    """Say which labels of a training a person would confuse, and what is done about them.

    :param labels: that are trained on.
    :param merged: by label, the folders that are one label, where they are several.
    """
    for label, folders in merged.items():
        yield (
            f"The folders {', '.join(map(ascii, folders))} have one name to a person, written in {len(folders)} ways: "
            f"they are trained as one label, {label!a}. Move the images into one folder."
        )
    groups: dict[str, list[str]] = {}
    for label in labels:
        groups.setdefault(lookalike_key(label), []).append(label)
    for group in groups.values():
        if len(group) > 1:
            yield (
                f"{', '.join(map(repr, group))} look alike and are trained as {len(group)} labels, which reviewers are "
                "asked to tell apart. Move the images into one folder if that is not meant."
            )
    for label in filter(means_none, labels):
        yield (
            f"{label!r} is named like the answer of reviewers who find no label: whatever they choose it for is filed "
            f"in that folder and trained on. Give the folder another name if that is not meant."
        )
