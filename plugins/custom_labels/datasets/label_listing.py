"""All labels, listed at once into local files: the first step of a poll and of the snapshot writer alike."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from custom_labels.datasets.image_listing import candidates, find_labels
from custom_labels.datasets.images import MAXIMUM_LABEL_NAME, Duplicate, LeftOut, Tally
from custom_labels.datasets.label_names import merge_folders
from custom_labels.datasets.ledger_records import Verdicts

if TYPE_CHECKING:
    from custom_labels.s3.store import S3Store

STREAMS = 16
"""Labels listed at once; each holds one page."""

Item = TypeVar("Item")


@dataclass
class Listed:
    """One label after its listing.

    :param path: local file of rows ``key TAB etag NEWLINE``, in S3's order.
    :param folders: whose images they are: one, or several that have the same name to a person; in S3's order.
    :param images: rows in it.
    :param passed_over: images that are not in it, since Custom Labels takes no label of this name.
    :param duplicates: those of the known duplicates that are there.
    """

    label: str
    path: Path
    folders: tuple[str, ...]
    images: int = 0
    passed_over: int = 0
    tally: Tally = field(default_factory=Tally)
    duplicates: set[Duplicate] = field(default_factory=set)


def list_labels(
    store: S3Store, as_of: datetime, tally: Tally, folder: Path, verdicts: Verdicts, streams: int
) -> list[Listed]:
    """List all labels, several at once, into local files.

    :param tally: takes what is left out.
    :param folder: an empty local folder for the files.
    :param verdicts: what is known from earlier checks; with none, all candidates are listed.
    :return: in the order of the labels.
    """
    labels = merge_folders(find_labels(store, as_of, tally))
    listed = [
        Listed(label, folder / f"{number}.rows", folders) for number, (label, folders) in enumerate(labels.items())
    ]
    in_threads(lambda label: _list_label(store, label, as_of, verdicts), listed, streams)
    for label in listed:
        tally.merge(label.tally)
    return listed


def in_threads(action: Callable[[Item], object], items: list[Item], threads: int) -> None:
    """Do something with each item, several at once; the first error ends it."""
    with ThreadPoolExecutor(max_workers=threads) as pool:
        futures = [pool.submit(action, item) for item in items]
        try:
            for future in futures:
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _list_label(store: S3Store, listed: Listed, as_of: datetime, verdicts: Verdicts) -> None:
    bad = verdicts.bad.get(listed.label, {})
    duplicates = {duplicate.key: duplicate for duplicate in verdicts.duplicates if duplicate.label == listed.label}
    with listed.path.open("wb") as file:
        pages = (candidates(store, folder, as_of, listed.tally) for folder in listed.folders)
        for found in chain.from_iterable(pages):
            if len(listed.label) > MAXIMUM_LABEL_NAME:
                _pass_over(listed, [key for key, _ in found])
                continue
            rows = _judge_known(found, listed, bad, duplicates) if bad or duplicates else found
            lines = [key + b"\t" + etag + b"\n" for key, etag in rows]
            listed.images += len(lines)
            file.write(b"".join(lines))


def _pass_over(listed: Listed, keys: list[bytes]) -> None:
    listed.passed_over += len(keys)
    if keys:
        listed.tally.add(LeftOut.LABEL_NAME, keys[0].decode(), len(keys))


def _judge_known(
    rows: list[tuple[bytes, bytes]],
    listed: Listed,
    bad: Mapping[str, tuple[str, LeftOut]],
    duplicates: Mapping[str, Duplicate],
) -> Iterator[tuple[bytes, bytes]]:
    """Leave out the images known to be bad, and note which of the known duplicates are there."""
    for key, etag in rows:
        name = key.decode()
        verdict = bad.get(name)
        if verdict and verdict[0] == etag.decode():
            listed.tally.add(verdict[1], name)
            continue
        duplicate = duplicates.get(name)
        if duplicate and duplicate.etag == etag.decode():
            listed.duplicates.add(duplicate)
        yield key, etag


def leave_out_duplicates(
    duplicates: Collection[Duplicate], left_out: Mapping[Duplicate, LeftOut], tally: Tally
) -> set[bytes]:
    """Count the duplicates that are left out, and give their keys."""
    gone = sorted(duplicate for duplicate in duplicates if duplicate in left_out)
    for duplicate in gone:
        tally.add(left_out[duplicate], duplicate.key)
    return {duplicate.key.encode() for duplicate in gone}
