"""The pages of lineage in Airflow's API server: who may see them, what they show, and that all of it is text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from custom_labels.datasets.split import Subset
from custom_labels.s3.store import S3Store
from custom_labels.web import app as app_module
from tests.kit.lineage import ONE, V1, V2, V3, Lineage, reviewed
from tests.kit.pictures import png
from tests.kit.support import BUCKET, s3
from tests.web.test_pages import server, token

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

__all__ = ["server"]

# One process starts the server, not each.
pytestmark = pytest.mark.xdist_group("ui")

LINEAGE = "/custom-labels/digits/lineage"
SCRIPT = "<script>alert(1)</script>"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;"
KEY = f'images_for_detection/{SCRIPT} it\'s "1".png'


@pytest.fixture
def lineage(aws: LocalAws) -> Lineage:
    """A project whose labels are scripts; an image of its inbox was detected, reviewed and trained on."""
    s3(aws).create_bucket(Bucket=BUCKET)
    made = Lineage(S3Store(BUCKET, region_name="us-east-1"), ONE)
    made.put(range(4), ("cat", "<b>"))
    made.train(V1)
    made.bucket.put(KEY, png(4711, (128, 96)))
    made.detect(KEY, V1, label=SCRIPT, reason=SCRIPT)
    reviewed(made, KEY, "cat", "dog", "cat")
    made.train(V2, champion=V1, said=lambda _: SCRIPT)
    return made


def image(key: str, **more: str) -> str:
    """Give the address of the page of an image."""
    return f"{LINEAGE}?image={quote(key, safe='')}{''.join(f'&{name}={value}' for name, value in more.items())}"


@pytest.mark.parametrize(
    ("role", "status"), [(None, 401), ("VIEWER", 200), ("ADMIN", 200)], ids=["nobody", "viewer", "admin"]
)
@pytest.mark.parametrize("path", [LINEAGE, image(KEY), f"{LINEAGE}/{V1}"], ids=["form", "image", "version"])
def test_whoever_may_read_the_dags_may_read_the_pages(
    server: Any, lineage: Lineage, path: str, role: str | None, status: int
) -> None:
    assert server.get(path, headers=token(role)).status_code == status


@pytest.mark.parametrize(
    ("path", "dags"),
    [
        (image(KEY), ["digits_train", "digits_detect", "digits_harvest_reviews"]),
        (f"{LINEAGE}/{V1}", ["digits_train"]),
    ],
    ids=["image", "version"],
)
def test_access_is_asked_for_every_dag_whose_work_is_shown(
    server: Any, lineage: Lineage, path: str, dags: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.api_fastapi.app import get_auth_manager

    for refused in dags:
        asked: list[str] = []

        def decide(*, method: str, details: Any, asked: list[str] = asked, refused: str = refused, **_: Any) -> bool:
            assert method == "GET"
            asked.append(details.id)
            return bool(details.id != refused)

        monkeypatch.setattr(get_auth_manager(), "is_authorized_dag", decide)

        assert server.get(path, headers=token("ADMIN")).status_code == 403
        assert asked == dags[: dags.index(refused) + 1]


def test_only_the_page_with_the_form_may_send_one(server: Any, lineage: Lineage) -> None:
    form, version = (server.get(path, headers=token("VIEWER")) for path in (LINEAGE, f"{LINEAGE}/{V1}"))

    of_form, of_version = (page.headers["Content-Security-Policy"] for page in (form, version))
    assert of_form.startswith("sandbox allow-forms; default-src 'none';")
    assert "form-action 'self';" in of_form
    assert of_version.startswith("sandbox; default-src 'none';")
    assert "form-action 'none';" in of_version
    assert form.text.count("<form") == 1
    assert "<form" not in version.text


def test_what_is_known_of_an_image_is_shown_as_text(server: Any, lineage: Lineage) -> None:
    page = server.get(image(KEY), headers=token("VIEWER"))

    assert page.status_code == 200
    assert "<script" not in page.text
    assert f'value="images_for_detection/{ESCAPED} it&#39;s &#34;1&#34;.png"' in page.text
    for expected in (
        "2 of 2 were looked at",
        f'<a href="lineage/{V2}">{V2}</a>',
        f'<a href="decisions/{V2}">Decision</a>',
        "Trained on it" if trains(lineage) else "Judged on it",
        f"<bdi>{ESCAPED}</bdi> 43 %",
        "<bdi>cat</bdi>: 2, <bdi>dog</bdi>: 1",
        "<bdi>w0</bdi>, 2026-11-20T13:00:00+00:00",
        'src="data:image/jpeg;base64,',
    ):
        assert expected in page.text
    [copy] = set(re.findall(r'href="lineage\?image=([^"&]*)"', page.text))
    back = server.get(f"{LINEAGE}?image={copy}", headers=token("VIEWER"))
    assert f"a copy of images_for_detection/{ESCAPED}" in back.text


def trains(lineage: Lineage) -> bool:
    [copy] = [each for each in lineage.freeze()[1] if "/digits-" in each.key]
    return copy.subset is Subset.TRAIN


def test_the_images_of_a_version_are_shown_a_hundred_a_page(
    server: Any, lineage: Lineage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_module, "IMAGES_A_PAGE", 5)
    monkeypatch.setattr("custom_labels.web.lineage_page.IMAGES_A_PAGE", 5)

    pages = [server.get(f"{LINEAGE}/{V2}?page={number}", headers=token("VIEWER")).text for number in (1, 2, 3)]
    wrong = server.get(f"{LINEAGE}/{V2}?show=wrong", headers=token("VIEWER")).text

    assert [page.count("<tr><td>") for page in pages] == [5, 4, 1]
    assert "None." in pages[2]
    assert "Page 1 of 2" in pages[0]
    assert ('rel="next"' in pages[0], 'rel="prev"' in pages[0]) == (True, False)
    assert ('rel="next"' in pages[1], 'rel="prev"' in pages[1]) == (False, True)
    assert "<bdi>&lt;b&gt;</bdi>" in "".join(pages)
    assert "<script" not in "".join(pages) + wrong
    assert f"{ESCAPED}</bdi> 90 %" in wrong
    assert f'href="../decisions/{V2}"' in pages[0]
    links = re.findall(r'href="\.\./(lineage\?image=[^"]*)"', pages[0])
    assert len(links) == 5
    for link in links:
        address = f"/custom-labels/digits/{link.replace('&amp;', '&')}"
        assert server.get(address, headers=token("VIEWER")).status_code == 200


def test_no_more_versions_are_looked_at_than_are_asked_for(
    server: Any, lineage: Lineage, monkeypatch: pytest.MonkeyPatch
) -> None:
    lineage.train(V3)
    monkeypatch.setattr(app_module, "VERSIONS_SHOWN", 1)
    key = lineage.key("cat", 0)

    few = server.get(image(key), headers=token("VIEWER")).text
    every = server.get(image(key, every="true"), headers=token("VIEWER")).text

    assert ("1 of 3 were looked at" in few, V3 in few, V1 in few) == (True, True, False)
    assert "&amp;every=true" in few
    assert ("3 of 3 were looked at" in every, V1 in every) == (True, True)


def test_what_could_not_be_read_is_said(server: Any, lineage: Lineage) -> None:
    digest, _ = lineage.freeze()
    lineage.remove(f"snapshots/{digest}/images.sqlite")

    for path in (image(KEY), f"{LINEAGE}/{V2}"):
        page = server.get(path, headers=token("VIEWER"))
        assert page.status_code == 200
        assert "Not complete: The images of snapshot" in page.text


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        (f"/digits/lineage?image={quote(SCRIPT)}", 404, "Nothing is known of"),
        ("/digits/lineage?image=s3://elsewhere/a.png", 404, "not in the project&#39;s place"),
        ("/digits/lineage?image=a%00b", 404, "expected the key of an object"),
        (f"/digits/lineage?image={'x' * 2049}", 422, "at most 2048"),
        ("/digits/lineage?image=a&etag=%3Cb%3E", 422, "should match pattern"),
        ("/digits/lineage/v9", 404, "There is no version 'v9'"),
        ("/digits/lineage/..%2f..%2fregistry%2flive", 404, "Not Found"),
        ("/digits/lineage/%2e%2e", 422, "should match pattern"),
        (f"/digits/lineage/{V1}?page=0", 422, "greater than or equal to 1"),
        (f"/digits/lineage/{V1}?show=some", 422, "'all', 'train', 'test' or 'wrong'"),
        ("/birds/lineage", 404, "There is no project 'birds'"),
    ],
)
def test_what_there_is_not_is_refused(server: Any, lineage: Lineage, path: str, status: int, words: str) -> None:
    answer = server.get(f"/custom-labels{path}", headers=token("ADMIN"))

    assert answer.status_code == status
    assert words in answer.text
    assert answer.headers["Content-Type"].startswith("application/json") or "<script" not in answer.text
