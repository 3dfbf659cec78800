"""The log of detections: what was detected when, in the order of time, some dozens to a file.

Results are found by image; this is for everything that goes through them in order, such as sampling.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from custom_labels.core.codec import from_json
from custom_labels.core.keys import DETECTION_LOG
from custom_labels.detection.detection import Detection
from custom_labels.s3.line_files import read_lines, write_lines
from custom_labels.s3.pages import pages
from custom_labels.s3.store import S3Store

_STAMP = "%Y/%m/%d/%H%M%S%f"


@dataclass(frozen=True, order=True)
class LogPosition:
    """A place in the log: so many lines of a file, and all files before it."""

    file: str
    lines: int


def log_key(moment: datetime, name: str) -> str:
    """Give a log file's key, relative to the project's prefix; keys sort as their moments do.

    :param name: of letters, digits and dashes; distinguishes files of the same moment.
    """
    return f"{DETECTION_LOG}{moment.astimezone(UTC).strftime(_STAMP)}-{name}.jsonl"


def write_log(store: S3Store, name: str, detections: Iterable[Detection]) -> str:
    """Write a file of detections, before their results: a result is thus never without its line.

    A detection that is repeated after a crash has two lines, of which only one result came.

    :return: the file's key, relative to the project's prefix.
    """
    key = log_key(datetime.now(UTC), name)
    write_lines(store, key, (detection.to_record() for detection in detections))
    return key


def read_log(
    store: S3Store, after: LogPosition | None = None, until: datetime | None = None
) -> Iterator[tuple[LogPosition, Detection]]:
    """Go through the log in the order of time, a file at a time.

    :param after: begin behind this place.
    :param until: end before the first file of this moment; a file may appear a moment later than its name says.
    :return: each detection, and the place behind it.
    """
    if after is not None:
        yield from _read_file(store, after.file, after.lines)
    end = log_key(until, "") if until else None
    for page in pages(store, DETECTION_LOG, start_after=after.file if after else None):
        for key in map(bytes.decode, page.keys):
            if end is not None and key >= end:
                return
            yield from _read_file(store, key)


def last_detected(store: S3Store, since: datetime, now: datetime) -> datetime | None:
    """Give the moment of the last detection since some moment, ``None`` if there was none.

    Days are listed backwards from today: a day without detections is one page of nothing, and of the last one with any
    only the names are read.
    """
    day = now.astimezone(UTC)
    while day.date() >= since.astimezone(UTC).date():
        stamp = None
        for page in pages(store, f"{DETECTION_LOG}{day:%Y/%m/%d}/"):
            if page.keys:
                stamp = page.keys[-1].decode().removeprefix(DETECTION_LOG).partition("-")[0]
        if stamp is not None:
            found = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
            return found if found >= since else None
        day -= timedelta(days=1)
    return None


def _read_file(store: S3Store, key: str, skip: int = 0) -> Iterator[tuple[LogPosition, Detection]]:
    file = read_lines(store, key)
    for number, line in enumerate(file.records if file else (), start=1):
        if number > skip:
            yield LogPosition(key, number), from_json(Detection, line)
