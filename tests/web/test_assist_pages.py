"""The pages of label assist in Airflow's API server: who may see them, and that what comes from outside is text."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.assist.assist import Assist, AssistPlan, AssistRound
from custom_labels.assist.assist_records import assist_record
from custom_labels.assist.progress import RoundProgress
from custom_labels.core.codec import to_json
from custom_labels.review.harvest import HarvestedReview, ReviewOutcome
from custom_labels.review.review import Agreement, ReviewStatus
from custom_labels.s3.line_files import write_lines
from custom_labels.s3.store import S3Store
from tests.kit.refused_access import refuse_access
from tests.kit.review_requests import request_for
from tests.kit.support import BUCKET, s3
from tests.web.test_pages import server, token

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

__all__ = ["server"]

# One process starts the server, not each.
pytestmark = pytest.mark.xdist_group("ui")

PAGES = "/custom-labels/digits/assist"
NAME = "20261129t120000-0123456789ab"
SCRIPT = "<script>alert(1)</script>"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;"
AT = "2026-11-29T12:00:00+00:00"
PROGRESS = RoundProgress(
    4, 4, 3, kept=2, corrected=1, undecided=1, proposals=4, confirmed=3, seconds_kept=5, seconds_made=20
)
DONE = AssistRound(
    *(1, AT, "digits-1", 0.667, 100, 2, 4),
    asked_at=AT,
    progress=PROGRESS,
    trained="digits-2",
    f1=0.9,
    same_images=(0.7, 0.9),
    result=SCRIPT,
)
OPEN = AssistRound(2, AT, "digits-2", 0.9, 96, asked=2, asked_at=AT)


@pytest.fixture
def assist(aws: LocalAws) -> Assist:
    """A label assist in the bucket whose second round is under way: one of its two images is answered."""
    s3(aws).create_bucket(Bucket=BUCKET)
    store = S3Store(BUCKET, region_name="us-east-1")
    made = Assist(NAME, AssistPlan(prefix=f"{SCRIPT}/"), f"digits_label_assist/{SCRIPT}", (DONE, OPEN))
    assist_record(NAME).change(store, lambda _: made)
    requests = [request_for(f"a/{number}.png") for number in range(2)]
    write_lines(store, f"label_assist/{NAME}/round-2/asked.jsonl", map(to_json, requests))
    line = HarvestedReview(
        *(requests[0].name, ReviewStatus.COMPLETED, AT, AT, ReviewOutcome.COPIED, "1 of 1 said 'rows'"),
        agreement=Agreement.AGREED,
        label="rows",
        target="images_labeled_by_folder/rows/a.png",
        request=requests[0],
    )
    write_lines(store, "reviews/harvested/2026-11-29/2026-11-29-1-000.jsonl", [to_json(line)])
    # What somebody has put beside it.
    store.write_json("label_assist/notes/assist.json", {"a": 1})
    return made


@pytest.mark.parametrize(
    ("role", "status"), [(None, 401), ("VIEWER", 200), ("ADMIN", 200)], ids=["nobody", "viewer", "admin"]
)
@pytest.mark.parametrize("path", [PAGES, f"{PAGES}/{NAME}"], ids=["all", "one"])
def test_whoever_may_read_the_dag_may_read_its_pages(
    server: Any, assist: Assist, path: str, role: str | None, status: int
) -> None:
    assert server.get(path, headers=token(role)).status_code == status


def test_access_is_asked_for_the_projects_label_assist_dag(
    server: Any, assist: Assist, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = refuse_access(monkeypatch)
    answers = [server.get(path, headers=token("ADMIN")).status_code for path in (PAGES, f"{PAGES}/{NAME}")]

    assert (answers, asked) == ([403] * 2, [("GET", "digits_label_assist")] * 2)


def test_the_page_counts_what_is_answered_by_now(server: Any, assist: Assist) -> None:
    one, all_of_them = (server.get(path, headers=token("VIEWER")) for path in (f"{PAGES}/{NAME}", PAGES))

    assert "0.667 → 0.900" in one.text
    assert "<dt>Images answered</dt><dd>5 of 6</dd>" in one.text
    assert "4 of 5 (80 %)" in one.text
    assert "0.5 minutes" in one.text
    assert "on the same images 0.700 → 0.900" in one.text
    assert f'href="/custom-labels/digits/decisions/{DONE.trained}"' in one.text
    assert f'href="assist/{NAME}"' in all_of_them.text
    assert all_of_them.text.count("href=") == 1


def test_what_comes_from_outside_is_text(server: Any, assist: Assist) -> None:
    store = S3Store(BUCKET, region_name="us-east-1")
    assist_record(NAME).change(store, lambda _: replace(assist, ended=SCRIPT))
    one, all_of_them = (server.get(path, headers=token("VIEWER")) for path in (f"{PAGES}/{NAME}", PAGES))

    for page in (one, all_of_them):
        assert page.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none';")
        assert "<script" not in page.text
    # The end, the folder, whoever began it, and how the training ended.
    assert one.text.count(ESCAPED) == 4
    assert all_of_them.text.count(ESCAPED) == 2


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/digits/assist/20250101t000000-0123456789ab", 404, "There is no label assist"),
        ("/birds/assist", 404, "There is no project 'birds'"),
        ("/digits/assist/notes", 422, "should match pattern"),
    ],
)
def test_what_there_is_not_is_refused(server: Any, assist: Assist, path: str, status: int, words: str) -> None:
    answer = server.get(f"/custom-labels{path}", headers=token("ADMIN"))

    assert answer.status_code == status
    assert words in answer.text
