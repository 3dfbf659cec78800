"""Detections in S3: one result for an image, an ETag and a version, written once, and a log in the order of time.

Results are found by image. The log has some dozens of detections a file, for what goes through all of them in order,
such as sampling.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain

from custom_labels.aws.predictions import InferenceImage
from custom_labels.core.codec import from_json
from custom_labels.core.keys import DETECTION_LOG, result_key, result_stem
from custom_labels.detection.detection import Detection
from custom_labels.s3.line_files import list_keys, read_lines, write_lines
from custom_labels.s3.store import ObjectExists, S3Store

_STAMP = "%Y/%m/%d/%H%M%S%f"


def result_folder(image: InferenceImage) -> str:
    """Give the folder of the results that all versions together have for an image; it ends in no slash."""
    return f"{result_stem(image.key)}{image.etag}"


def save_result(store: S3Store, detection: Detection) -> bool:
    """Write a result, unless the same version has one for this very image: that one stays.

    :return: whether ours was written.
    """
    try:
        store.create_json(result_key(detection.key, detection.etag, detection.version_name), detection.to_record())
    except ObjectExists:
        return False
    return True


def has_result(store: S3Store, image: InferenceImage) -> bool:
    """Whether any version has a result for an image; one call."""
    return _find(store, image) is not None


def read_result(store: S3Store, image: InferenceImage) -> Detection | None:
    """Read a result that any version has for an image, ``None`` if there is none; two calls."""
    key = _find(store, image)
    value = store.read_json(key)[0] if key else None
    return from_json(Detection, value) if value else None


def _find(store: S3Store, image: InferenceImage) -> str | None:
    folder = f"{result_folder(image)}/"
    found = store.call("list_objects_v2", folder, Prefix=store.key(folder), MaxKeys=1).get("Contents", [])
    return str(found[0]["Key"]).removeprefix(store.prefix) if found else None


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
    :param until: end before the first file of this moment; a file may appear a moment later than the time in its name.
    :return: each detection, and the place behind it.
    """
    if after is not None:
        yield from _read_file(store, after.file, after.lines)
    end = log_key(until, "") if until else None
    for key in _keys(store, DETECTION_LOG, after.file if after else None):
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
        for key in deque(_keys(store, f"{DETECTION_LOG}{day:%Y/%m/%d}/"), maxlen=1):
            found = datetime.strptime(key.removeprefix(DETECTION_LOG).partition("-")[0], _STAMP).replace(tzinfo=UTC)
            return found if found >= since else None
        day -= timedelta(days=1)
    return None


def _keys(store: S3Store, folder: str, start_after: str | None = None) -> Iterator[str]:
    return chain.from_iterable(list_keys(store, folder, start_after))


def _read_file(store: S3Store, key: str, skip: int = 0) -> Iterator[tuple[LogPosition, Detection]]:
    file = read_lines(store, key)
    for number, line in enumerate(file.records if file else (), start=1):
        if number > skip:
            yield LogPosition(key, number), from_json(Detection, line)
