"""Labels and their images, listed in parallel into local files; what is no candidate for training is counted apart.

Rows stay bytes, and a label is loaded into a table of images only where it is joined with something: that is most of
the speed that `make bench` asks of counting.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from custom_labels.core.keys import IMAGES, has_control_character, label_folder, may_be_image
from custom_labels.datasets.images import LeftOut, Tally
from custom_labels.datasets.label_names import merge_folders
from custom_labels.s3.pages import Page, pages, time_text
from custom_labels.s3.store import S3Store

STREAMS = 16
"""Labels listed at once; each holds one page."""

# Tried first: nearly all images end so, and a lower-case copy of every key costs more than all else.
_USUAL_ENDINGS = tuple(
    ending.encode() for suffix in (".jpg", ".jpeg", ".png") for ending in (suffix, suffix.upper(), suffix.capitalize())
)

_FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass
class Listed:
    """One label after its listing.

    :param path: local file of rows ``key TAB etag NEWLINE``, in S3's order, keys relative to the project's prefix.
    :param folders: whose images they are: one, or several that have the same name to a person; in S3's order.
    :param images: rows in it; ``is_loaded`` says whether they are in the table of images, too.
    """

    label: str
    folders: tuple[str, ...]
    path: Path
    images: int = 0
    is_loaded: bool = False
    tally: Tally = field(default_factory=Tally)


def list_labels(store: S3Store, as_of: datetime, tally: Tally, folder: Path) -> list[Listed]:
    """List all labels, several at once: the first step of a poll and of a snapshot alike.

    :param tally: takes what is left out.
    :param folder: a local folder for the files.
    :return: in the order of the labels.
    """
    labels = merge_folders(find_folders(store, as_of, tally))
    listed = [
        Listed(label, folders, folder / f"{number}.rows") for number, (label, folders) in enumerate(labels.items())
    ]
    with ThreadPoolExecutor(STREAMS) as pool:
        for label in pool.map(lambda label: _list_label(store, label, as_of), listed):
            tally.merge(label.tally)
    return listed


def find_folders(store: S3Store, as_of: datetime = _FOREVER, tally: Tally | None = None) -> list[str]:
    """Find the labels' folders: those directly below ``images_labeled_by_folder/``.

    Images at any depth below such a folder carry its label. Those directly in ``images_labeled_by_folder/``, or below
    a folder without a name, carry none.

    :param tally: takes what is in no label.
    """
    folders: list[str] = []
    tally = Tally() if tally is None else tally
    for page in pages(store, IMAGES, delimiter="/"):
        _leave_out_non_images(page, time_text(as_of), tally)
        folders += [folder.removeprefix(IMAGES).removesuffix("/") for folder in page.folders]
    if "" in folders:
        for page in pages(store, label_folder("")):
            _leave_out_non_images(page, time_text(as_of), tally)
    return [folder for folder in folders if folder]


def _list_label(store: S3Store, listed: Listed, as_of: datetime) -> Listed:
    with listed.path.open("wb") as file:
        for folder in listed.folders:
            for rows in _candidates(pages(store, label_folder(folder)), as_of, listed.tally):
                listed.images += len(rows)
                file.write(_written(rows))
    return listed


def list_images(store: S3Store, folders: Collection[str] | None, as_of: datetime, tally: Tally, path: Path) -> int:
    """List the images at any depth below some folders, for those that have annotations; give their number.

    :param folders: relative to the project's prefix, ending in a slash; of the empty one only what is directly in it.
        ``None`` for all that the project has.
    :param path: becomes a file of rows as in :class:`Listed`.
    """
    images = 0
    listings = (pages(store, folder, delimiter=None if folder else "/") for folder in folders or ())
    with path.open("wb") as file:
        for listing in [pages(store, "")] if folders is None else listings:
            for rows in _candidates(listing, as_of, tally):
                images += len(rows)
                file.write(_written(rows))
    return images


def _written(rows: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join([b"%b\t%b\n" % row for row in rows])


def _candidates(listing: Iterable[Page], as_of: datetime, tally: Tally) -> Iterator[list[tuple[bytes, bytes]]]:
    """Find what of a listing may be trained on, a page at a time: named as an image, not empty, not too new.

    A file that was overwritten since ``as_of`` is not seen at all, since its older content is gone. A multipart upload
    carries the time of its beginning, so one that ends later may still appear in a listing as of an earlier moment.

    :return: pairs of key and ETag, in S3's order.
    """
    cutoff = time_text(as_of)
    for page in listing:
        rows = [
            (key, etag)
            for key, time, etag, size in zip(page.keys, page.times, page.etags, page.sizes, strict=True)
            if time <= cutoff and size != b"0" and key.endswith(_USUAL_ENDINGS)
        ]
        if len(rows) < len(page.keys) or not page.plain:
            rows = list(_judge(page, cutoff, tally))
        yield rows


def _judge(page: Page, cutoff: bytes, tally: Tally) -> Iterator[tuple[bytes, bytes]]:
    """Go through a page that holds something unusual one by one."""
    for key, time, etag, size in zip(page.keys, page.times, page.etags, page.sizes, strict=True):
        reason = _reason(key.decode(), time, size, cutoff)
        if reason is None and key in page.archived:
            reason = LeftOut.ARCHIVED
        if reason is None:
            yield key, etag
        else:
            tally.add(reason, key.decode())


def _reason(key: str, time: bytes, size: bytes, cutoff: bytes) -> LeftOut | None:
    if time > cutoff:
        return LeftOut.TOO_NEW
    if size == b"0" or key.endswith("/"):
        return LeftOut.FOLDER_MARKER
    if not may_be_image(key):
        return LeftOut.OTHER_FILE
    return LeftOut.KEY if has_control_character(key) else None


def _leave_out_non_images(page: Page, cutoff: bytes, tally: Tally) -> None:
    for key, time, size in zip(page.keys, page.times, page.sizes, strict=True):
        tally.add(_reason(key.decode(), time, size, cutoff) or LeftOut.NO_LABEL, key.decode())
