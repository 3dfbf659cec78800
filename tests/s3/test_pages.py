"""The fast reader of listings against botocore's own, on the same XML."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus
from xml.sax.saxutils import escape

import botocore.session
import pytest
from botocore.parsers import create_parser
from hypothesis import example, given
from hypothesis import strategies as st

from custom_labels.s3 import pages
from custom_labels.s3.pages import Page, take_objects, time_text
from custom_labels.s3.store import S3Store
from tests.kit.fixtures import Bucket

SHAPE = botocore.session.get_session().get_service_model("s3").operation_model("ListObjectsV2").output_shape
USUAL = (
    "<Key>{key}</Key><LastModified>{time}</LastModified><ETag>&quot;{etag}&quot;</ETag>{checksum}<Size>{size}</Size>"
)
CHECKSUM = "<ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>"
TAIL = "<StorageClass>STANDARD</StorageClass>"
OWNER = "<Owner><ID>1</ID><DisplayName>me</DisplayName></Owner>"
VALUES = {"key": "p/a.png", "time": "2026-01-31T12:00:00.000Z", "etag": "0" * 32, "size": 7, "checksum": ""}

keys = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
objects = st.lists(
    st.fixed_dictionaries(
        {
            "key": keys.map(lambda key: quote_plus(f"p/{key}", safe="/")),
            "time": st.integers(0, 2**32).map(lambda n: time_text(datetime.fromtimestamp(n, UTC)).decode()),
            "etag": st.sampled_from(["d41d8cd98f00b204e9800998ecf8427e", "d41d8cd98f00b204e9800998ecf8427e-12"]),
            "size": st.integers(0, 10**12),
            "checksum": st.sampled_from(["", CHECKSUM]),
        }
    ),
    max_size=5,
)


def body_of(contents: str, more: str = "") -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>b</Name><Prefix>p/</Prefix><NextContinuationToken>t</NextContinuationToken>{contents}"
        f"<EncodingType>url</EncodingType>{more}<IsTruncated>true</IsTruncated></ListBucketResult>"
    ).encode()


def parse(body: bytes, *, fast: bool) -> tuple[Page, bool]:
    """Read a page as botocore does, with or without our handler before it; say whether ours took it."""
    response: dict[str, Any] = {"body": body, "headers": {}, "status_code": 200}
    taken: dict[str, Any] = {}
    if fast:
        pages._listing.active = True
        take_objects(response, taken)
        pages._listing.active = False
    assert SHAPE is not None
    answer = {**create_parser("rest-xml").parse(copy.copy(response), SHAPE), **taken}
    assert answer["NextContinuationToken"] == "t"
    return pages._page(answer, len("p/")), bool(taken)


def columns_of(page: Page) -> tuple[Any, ...]:
    return page.keys, page.times, page.etags, page.sizes, page.folders


@given(objects)
@example([{**VALUES, "key": "p/my+photo+%C3%A9%2B%2525%26%27%22%3Cx%3E.jpg"}])
def test_fast_page_equals_botocores_whatever_the_keys(rows: list[dict[str, Any]]) -> None:
    contents = "".join(f"<Contents>{USUAL.format(**row)}{TAIL}</Contents>" for row in rows)
    folders = "<CommonPrefixes><Prefix>p/c+d%2B/</Prefix></CommonPrefixes>"
    fast, taken = parse(body_of(contents, folders), fast=True)
    slow, _ = parse(body_of(contents, folders), fast=False)
    assert columns_of(fast) == columns_of(slow)
    assert taken is bool(rows)
    assert fast.folders == ["c d+/"]


@pytest.mark.parametrize(
    "contents",
    [
        pytest.param(f"<Contents>{USUAL.format(**VALUES)}{TAIL}{OWNER}</Contents>", id="an owner"),
        pytest.param(f"<Contents>{TAIL}{USUAL.format(**VALUES)}</Contents>", id="another order"),
        pytest.param(f"<Contents>\n{USUAL.format(**VALUES)}{TAIL}\n</Contents>", id="line breaks"),
        pytest.param(f"<Contents>{USUAL.format(**VALUES)}</Contents>", id="no storage class"),
        pytest.param(f"<Contents>{USUAL.format(**VALUES)}{TAIL}<New>1</New></Contents>", id="a new element"),
        pytest.param(f"<Contents>{USUAL.format(**VALUES)}{TAIL}</Contents> <!-- -->", id="something behind"),
        pytest.param(
            f"<Contents>{USUAL.format(**{**VALUES, 'time': '2026-01-31T12:00:00Z'})}{TAIL}</Contents>",
            id="another time",
        ),
        pytest.param(
            f"<Contents>{USUAL.format(**{**VALUES, 'key': 'p/' + escape('a&b.png')})}{TAIL}</Contents>", id="an entity"
        ),
    ],
)
def test_page_is_right_when_it_is_not_as_expected(contents: str) -> None:
    usual = f"<Contents>{USUAL.format(**{**VALUES, 'key': 'p/zz.png'})}{TAIL}</Contents>"
    body = body_of(contents + usual)
    fast, _ = parse(body, fast=True)
    slow, _ = parse(body, fast=False)
    assert columns_of(fast) == columns_of(slow)
    assert len(fast.keys) == 2


def test_other_listings_of_the_client_are_left_alone(store: S3Store, bucket: Bucket) -> None:
    bucket.put("cat/1.png")
    list(pages.pages(store, "images_labeled_by_folder/"))
    listed = store.client.list_objects_v2(Bucket=store.bucket)
    assert [entry["Key"] for entry in listed["Contents"]] == ["some/project/images_labeled_by_folder/cat/1.png"]


def test_objects_are_taken_before_botocore_parses_the_page(
    store: S3Store, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("cat/1.png")
    seen: list[bytes] = []

    def see(response_dict: dict[str, Any], **_: Any) -> None:
        seen.append(response_dict["body"])

    store.client.meta.events.register_first("before-parse.s3.*", see)
    list(pages.pages(store, "images_labeled_by_folder/"))
    assert b"<Contents>" not in seen[-1]


def test_pages_follow_each_other_when_there_are_several(store: S3Store, bucket: Bucket) -> None:
    bucket.put_many("cat", 5)
    client = store.client

    def two_a_page(params: dict[str, Any], **_: Any) -> None:
        params["MaxKeys"] = 2

    client.meta.events.register("before-parameter-build.s3.ListObjectsV2", two_a_page)
    found = [page.keys for page in pages.pages(store, "images_labeled_by_folder/cat/")]
    assert [len(page) for page in found] == [2, 2, 1]
    assert found[2] == [b"images_labeled_by_folder/cat/004.png"]


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 1, 31, 12, tzinfo=UTC), b"2026-01-31T12:00:00.000Z"),
        (datetime(2026, 1, 31, 12, 0, 0, 999_999, tzinfo=UTC), b"2026-01-31T12:00:00.999Z"),
        (datetime.fromisoformat("2026-01-31T14:00:00+02:00"), b"2026-01-31T12:00:00.000Z"),
    ],
    ids=["whole second", "cut, not rounded", "another zone"],
)
def test_time_text(moment: datetime, text: bytes) -> None:
    assert time_text(moment) == text
