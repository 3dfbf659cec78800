"""The reviews on Airflow's page in S3.

- ``reviews/airflow_page/open/<review>.json`` is written once when a review is opened, and changed by compare-and-set
  when a run asks it.
- ``reviews/airflow_page/ended/<review>.json`` is written once, however the review ends: what is written first counts.
  After that the open one is deleted; where a killed task left it, the ended one counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from custom_labels.core.codec import to_json
from custom_labels.core.keys import REVIEWS
from custom_labels.core.records import Record
from custom_labels.review.backends.airflow_page.page_review import GivenAnswer, PageReview, text_of_moment
from custom_labels.review.review import ReviewRequest, ReviewState, ReviewStatus
from custom_labels.s3.line_files import READERS, list_keys
from custom_labels.s3.pages import pages, time_text
from custom_labels.s3.store import ObjectExists, S3Store

OPEN = f"{REVIEWS}airflow_page/open/"
ENDED = f"{REVIEWS}airflow_page/ended/"
SKEW = timedelta(hours=1)
"""By how much S3's clock may be behind the one that a review was opened by."""
LINK_SECONDS = 300


class PageRecords:
    """The reviews of one project. It may be used by several threads at once.

    :param store: the project's bucket and prefix.
    """

    def __init__(self, store: S3Store, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.store = store
        self.now = now

    def open(self, request: ReviewRequest, lifetime: timedelta) -> bool:
        """Open a review, if there is none of its name, whether open or ended; give whether there was none."""
        now = self.now()
        review = PageReview(request, text_of_moment(now), text_of_moment(now + lifetime))
        try:
            self.store.create_json(_open(request.name).key, to_json(review))
        except ObjectExists:
            return False
        # It was ended before the open one was deleted: so it is found here if that left room for ours.
        if _ended(request.name).read(self.store) is None:
            return True
        self._delete(request.name)
        return False

    def read(self, name: str) -> PageReview | None:
        """Read a review, ended if its lifetime is over; ``None`` if there is none."""
        found = _open(name).read(self.store)
        ended = _ended(name).read(self.store)
        if ended or found is None:
            return ended
        return self.end(found, ReviewStatus.EXPIRED) if found.is_over(self.now()) else found

    def read_ended(self, name: str) -> PageReview | None:
        """Read a review that is known to have ended, which costs one call; as :meth:`read` where it has not."""
        return _ended(name).read(self.store) or self.read(name)

    def open_names(self) -> list[str]:
        """Name the reviews that are open; one that has just ended may be among them."""
        return [_name(key) for keys in list_keys(self.store, OPEN) for key in keys]

    def open_reviews(self) -> list[PageReview]:
        """Read the reviews that are open, the oldest first; what a killed task left of an ended one is deleted."""
        found = self._read_all(self.open_names(), self.read)
        for name in (each.request.name for each in found if each.status is not ReviewStatus.OPEN):
            self._delete(name)
        return _oldest_first(each for each in found if each.status is ReviewStatus.OPEN)

    def since(self, moment: datetime) -> list[PageReview]:
        """Read the reviews that were opened at or after a moment, the oldest first."""
        oldest = time_text(moment - SKEW)
        # The open ones first: one that ends meanwhile is in both lists.
        names, ended = self.open_names(), dict[str, None]()
        for page in pages(self.store, ENDED):
            both = zip(page.keys, page.times, strict=True)
            ended.update(dict.fromkeys(_name(key.decode()) for key, time in both if time >= oldest))
        found = self._read_all((name for name in names if name not in ended), self.read)
        found += self._read_all(ended, self.read_ended)
        return _oldest_first(each for each in found if each.opened_at >= text_of_moment(moment))

    @staticmethod
    def _read_all(names: Iterable[str], read: Callable[[str], PageReview | None]) -> list[PageReview]:
        with ThreadPoolExecutor(READERS) as pool:
            return [each for each in pool.map(read, names) if each is not None]

    def take(self, name: str, run: str, until: datetime) -> PageReview | None:
        """Let a run ask a review until a moment; ``None`` if it may not: another does, or the review has ended."""
        present = self.read(name)
        if present is None or not present.may_be_asked(run, self.now()):
            return None

        def asked(found: PageReview | None) -> PageReview | None:
            return found.asked(run, until) if found and found.may_be_asked(run, self.now()) else found

        taken = _open(name).change(self.store, asked)
        return taken if taken is not None and taken.asked_by == run else None

    def answer(self, name: str, answer: GivenAnswer) -> PageReview | None:
        """End a review with an answer; give it as it has ended, which may be otherwise and before."""
        present = self.read(name)
        if present is None or present.status is not ReviewStatus.OPEN:
            return present
        return self.end(present, ReviewStatus.COMPLETED, answer)

    def end(self, review: PageReview, status: ReviewStatus, answer: GivenAnswer | None = None) -> PageReview:
        """End an open review; give it as it has ended, which may be otherwise and before."""
        name = review.request.name
        ended: PageReview | None = replace(review, status=status, answer=answer)
        try:
            self.store.create_json(_ended(name).key, to_json(ended))
        except ObjectExists:
            ended = _ended(name).read(self.store)
        self._delete(name)
        return ended or review

    def _delete(self, name: str) -> None:
        self.store.call("delete_object", _open(name).key)

    def state(self, review: PageReview) -> ReviewState:
        """Give a review's state as the harvest takes it."""
        name, is_final = review.request.name, review.status.is_final
        uri = self.store.uri(_ended(name).key) if is_final else None
        return ReviewState(name, review.status, review.opened_at, uri)


def image_link(store: S3Store, key: str) -> str:
    """Make a link by which anybody can read an object for :data:`LINK_SECONDS`; no call is made.

    :param key: relative to the project's prefix.
    """
    # Links of the older signature are refused for encrypted objects, and in all regions since 2014.
    signing = S3Store(
        store.bucket,
        store.prefix,
        store.aws_conn_id,
        store.region_name,
        store.verify,
        {**store.botocore_config, "signature_version": "s3v4"},
    )
    link: str = signing.client.generate_presigned_url(
        "get_object", Params={"Bucket": store.bucket, "Key": store.key(key)}, ExpiresIn=LINK_SECONDS
    )
    return link


def _open(name: str) -> Record[PageReview]:
    return Record(f"{OPEN}{name}.json", PageReview)


def _ended(name: str) -> Record[PageReview]:
    return Record(f"{ENDED}{name}.json", PageReview)


def _name(key: str) -> str:
    return key.rpartition("/")[2].removesuffix(".json")


def _oldest_first(reviews: Iterable[PageReview]) -> list[PageReview]:
    return sorted(reviews, key=lambda each: (each.opened_at, each.request.name))
