"""``reviews/statistics.json``: the numbers about reviews, made at the end of each harvest.

It holds the sums of each day beside the numbers, with the names of the ledger's files that are in them: so a harvest
reads the files that are new, and a file is counted once, however often and by however many runs that is done.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from custom_labels.core.keys import REVIEWS
from custom_labels.core.records import Record, parse
from custom_labels.review.harvest import HarvestedReview
from custom_labels.review.harvest_records import HARVESTED
from custom_labels.review.statistics import HarvestedDay, OpenReviews, ReviewStatistics, first_day, make_statistics
from custom_labels.review.tally import Tallier, Tally
from custom_labels.s3.line_files import list_keys, read_files
from custom_labels.s3.store import S3Store

STATISTICS = Record(f"{REVIEWS}statistics.json", ReviewStatistics)


def update_statistics(store: S3Store, backlog: OpenReviews, least_overlap: float, run: str) -> ReviewStatistics | None:
    """Count what the ledger has and the statistics have not; another run that does so at the same time is no harm.

    That is a call to read the statistics and one to write them, one for each thousand files of the ledger's last days,
    and one for each file that is new.

    :param backlog: what people have not answered yet.
    :param least_overlap: intersection over union from which boxes are the same one.
    :param run: names reviewers who are far off.
    """

    def change(before: ReviewStatistics | None) -> ReviewStatistics:
        at = max(backlog.at, before.backlog.at) if before else backlog.at
        days = _count(store, before.days if before else {}, datetime.fromisoformat(at), least_overlap)
        return make_statistics(before, backlog, days, run)

    return STATISTICS.change(store, change)


def _count(
    store: S3Store, known: Mapping[str, HarvestedDay], at: datetime, least_overlap: float
) -> dict[str, HarvestedDay]:
    """Add the files of the ledger that are not counted to the days of the window; older days are left out."""
    since = first_day(at).isoformat()
    days = {day: counted for day, counted in known.items() if day >= since}
    counted = {chunk for day in days.values() for chunk in day.chunks}
    listed = (key for keys in list_keys(store, HARVESTED, f"{HARVESTED}{since}") for key in keys)
    talliers: defaultdict[str, Tallier] = defaultdict(lambda: Tallier(least_overlap))
    chunks: defaultdict[str, list[str]] = defaultdict(list)
    for file in read_files(store, (key for key in listed if _chunk(key) not in counted)):
        day = file.key.removeprefix(HARVESTED)[:10]
        chunks[day].append(_chunk(file.key))
        for line in file.records:
            talliers[day].add(parse(store, file.key, HarvestedReview, line))
    for day, tallier in talliers.items():
        before = days.get(day, HarvestedDay((), Tally()))
        days[day] = HarvestedDay((*before.chunks, *chunks[day]), before.tally + tallier.tally())
    return days


def _chunk(key: str) -> str:
    return key.rpartition("/")[2].removesuffix(".jsonl")
